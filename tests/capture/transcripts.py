"""Transcripts as Claude Code writes them, for tests: projects, sessions, lines; and their rows and messages."""

import json
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from blueplane_doctor.demo import schema
from blueplane_doctor.demo.messages import PRIVATE_TEXT
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.pipeline import claude_project_folder
from blueplane_doctor.settings.values import Settings


def new_uuid() -> str:
    return str(uuid.uuid4())


class Project:
    """One project's folder below `projects`."""

    def __init__(self, projects: Path, workspace: str) -> None:
        self.workspace = workspace
        self.folder = projects / claude_project_folder(workspace)
        self.folder.mkdir(parents=True, exist_ok=True)

    def line(self, session: str, at: datetime, **changes: Any) -> dict[str, Any]:
        """One line of a session; a change to None leaves the field out."""
        line: dict[str, Any] = {
            "parentUuid": None,
            "cwd": self.workspace,
            "sessionId": session,
            "type": "assistant",
            "message": {"role": "assistant", "content": [{"type": "text", "text": PRIVATE_TEXT}]},
            "uuid": new_uuid(),
            "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        for name, value in changes.items():
            if value is None:
                line.pop(name, None)
            else:
                line[name] = value
        return line

    def lines(self, session: str, count: int, *, at: datetime | None = None) -> list[dict[str, Any]]:
        """Lines a second apart, the first an hour ago where nothing else is said."""
        begin = at or datetime.now(UTC) - timedelta(hours=1)
        return [self.line(session, begin + timedelta(seconds=number)) for number in range(count)]

    def write(self, name: str, lines: list[dict[str, Any]], *, end: str = "\n") -> Path:
        """Append lines to a transcript; `name` without its suffix."""
        file = self.folder / f"{name}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join(json.dumps(line, separators=(",", ":")) for line in lines)
        with file.open("a", encoding="utf-8") as opened:
            opened.write(text + end)
        return file


def enqueue(pipeline: Pipeline, session: str, lines: list[dict[str, Any]]) -> list[str]:
    """Add the messages that the transcript monitor makes of these lines; their IDs."""
    ids = []
    for line in lines:
        ids += pipeline.enqueue_claude(1, session=session, payload={"entry_data": line})
    return ids


def write_rows(pipeline: Pipeline, session: str, lines: list[dict[str, Any]]) -> None:
    """Let these lines go all the way to their rows."""
    enqueue(pipeline, session, lines)
    pipeline.drain()


def execute(pipeline: Pipeline, statement: str, *values: Any) -> None:
    """Change the simulated database."""
    with closing(schema.connect(pipeline.database)) as connection:
        connection.execute(statement, values)


def settings_of(pipeline: Pipeline, projects: Path, **changes: Any) -> Settings:
    """Settings of the simulated pipeline with this folder of projects."""
    return Settings(home=pipeline.home, redis_url=pipeline.redis_url, claude_projects=projects, **changes)


def create_conversations(pipeline: Pipeline) -> None:
    """The table of sessions, as far as the doctor reads it."""
    execute(
        pipeline,
        "CREATE TABLE conversations (id TEXT PRIMARY KEY, external_id TEXT NOT NULL, platform TEXT NOT NULL, "
        "started_at TIMESTAMP NOT NULL, ended_at TIMESTAMP, context TEXT DEFAULT '{}')",
    )


def add_session(
    pipeline: Pipeline, session: str, workspace: str, *, started: str = "", ended: str | None = None
) -> None:
    """Let the server know a session; it started two hours ago where nothing else is said."""
    began = started or (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    context = json.dumps({"workspace_path": workspace})
    insert = "INSERT INTO conversations VALUES (?, ?, 'claude_code', ?, ?, ?)"
    execute(pipeline, insert, new_uuid(), session, began, ended, context)
