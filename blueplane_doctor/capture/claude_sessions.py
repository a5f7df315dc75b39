"""What the server knows of Claude's sessions, and since when anything of Claude was captured here."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from blueplane_doctor.errors import DocumentError, FileUnreadable
from blueplane_doctor.examination import Examination
from blueplane_doctor.files.documents import json_value
from blueplane_doctor.files.reading import SETTINGS_BYTES, read_text
from blueplane_doctor.pipeline import CLAUDE_HOOK_MARKS, CLAUDE_TABLE, CONVERSATIONS_TABLE
from blueplane_doctor.text.times import milliseconds_of

# Far fewer than the values that any build of SQLite takes in one query.
_BATCH = 200
_MOST_OPEN = 500
"""Open sessions that are looked at, the newest first."""
_PLATFORM = "claude_code"


class ClaudeSession(NamedTuple):
    """One session as the server knows it. Times in milliseconds since 1970."""

    started_ms: int | None
    ended_ms: int | None
    workspace: str
    """Its working folder, as the hook told it; private. Empty where the server was not told."""


class ClaudeSessions:
    """Reads the table of sessions, and the first row of Claude's traces."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination

    @property
    def are_known(self) -> bool:
        """Whether the database has the table of sessions at all. Raises SourceError."""
        return CONVERSATIONS_TABLE in self._examination.tables()

    def read(self, names: Iterable[str]) -> dict[str, ClaudeSession]:
        """Those of these sessions that the server knows. Raises SourceError."""
        wanted = sorted(set(names))
        sessions: dict[str, ClaudeSession] = {}
        if not self.are_known:
            return sessions
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            marks = ", ".join("?" * len(batch))
            sql = (
                f"SELECT external_id, started_at, ended_at, context FROM {CONVERSATIONS_TABLE} "
                f"WHERE platform = ? AND external_id IN ({marks})"
            )
            for name, started, ended, context in self._examination.database.rows(sql, (_PLATFORM, *batch)):
                sessions[str(name)] = ClaudeSession(_time(started), _time(ended), _workspace(context))
        return sessions

    def open_workspaces(self, since_ms: int) -> list[str]:
        """The working folders of the sessions that began since then and have no end. Raises SourceError."""
        if not self.are_known:
            return []
        sql = (
            f"SELECT started_at, context FROM {CONVERSATIONS_TABLE} "
            f"WHERE platform = ? AND ended_at IS NULL ORDER BY started_at DESC LIMIT {_MOST_OPEN}"
        )
        workspaces = []
        for started, context in self._examination.database.rows(sql, (_PLATFORM,)):
            started_ms = _time(started)
            if started_ms is not None and started_ms >= since_ms:
                workspaces.append(_workspace(context))
        return workspaces

    def newest_start_ms(self) -> int | None:
        """When the newest session began that the server was told of; None where there is none. Raises SourceError."""
        if not self.are_known:
            return None
        sql = f"SELECT started_at FROM {CONVERSATIONS_TABLE} WHERE platform = ? ORDER BY started_at DESC LIMIT 1"
        for (started,) in self._examination.database.rows(sql, (_PLATFORM,)):
            return _time(started)
        return None

    def first_sign_ms(self) -> int | None:
        """When something of Claude was first captured here; None where nothing ever was. Raises SourceError."""
        database = self._examination.database
        signs = []
        if CLAUDE_TABLE in self._examination.tables():
            sql = f"SELECT ingested_at, timestamp FROM {CLAUDE_TABLE} ORDER BY sequence LIMIT 1"
            for row in database.rows(sql):
                for value in row:
                    signs.append(_time(value))
        if self.are_known:
            sql = f"SELECT min(started_at) FROM {CONVERSATIONS_TABLE} WHERE platform = ?"
            for (started,) in database.rows(sql, (_PLATFORM,)):
                signs.append(_time(started))
        return min((sign for sign in signs if sign is not None), default=None)


def is_wired(projects: Path) -> bool:
    """Whether Claude Code's settings, beside its projects, name a hook of the pipeline.

    Looked for in the text, for the settings may be broken: what is wrong with them is another check's.
    """
    try:
        text = read_text(projects.parent / "settings.json", SETTINGS_BYTES)
    except FileUnreadable:
        return False
    return any(mark in text for mark in CLAUDE_HOOK_MARKS)


def _time(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    return milliseconds_of(value)


def _workspace(context: Any) -> str:
    if not isinstance(context, str):
        return ""
    try:
        content = json_value(context)
    except DocumentError:
        return ""
    workspace = content.get("workspace_path") if isinstance(content, dict) else None
    return workspace if isinstance(workspace, str) else ""
