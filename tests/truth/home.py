"""The home of one Blueplane and its user: settings, pid file, log, and what the doctor is started with."""

import json
import os
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.truth import messages, rows
from tests.truth.messages import CLAUDE_GROUP
from tests.truth.redis_process import NOBODY, RedisProcess

DEAD_PID = 4_999_999
"""Above the largest process id of Linux and of macOS: no process ever has it."""
LETTERS_KEPT = 1_000
_STEMS = {"processors": "consumer", CLAUDE_GROUP: "claude-consumer"}


class Home:
    """Files below a temporary folder; `redis` is the server that the settings name."""

    redis: RedisProcess

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user_home = folder / "user"
        self.home = self.user_home / ".blueplane"
        self.database = self.home / "telemetry.db"
        self.pid = DEAD_PID
        """Of the server whose name its consumers carry."""

    def write_pid_file(self, pid: int) -> None:
        """Write server.pid as the server does."""
        record = {"pid": pid, "timestamp": messages.now().timestamp(), "process_name": "blueplane_server"}
        (self.home / "server.pid").write_text(json.dumps(record))

    def consumer(self, group: str, pid: int | None = None) -> str:
        """The name under which a server process reads for this group; it ends in the process's id."""
        return f"{_STEMS.get(group, group)}-{pid or self.pid}"

    def write_settings(self, *, http_port: int | None = None, **more: Any) -> None:
        """Write config.yaml; `more` replaces its top-level keys. Without a port nobody listens on the one named."""
        settings: dict[str, Any] = {
            "redis": {"connection": {"host": "127.0.0.1", "port": self.redis.port}},
            "streams": {"message_queue": {"max_length": 10_000}, "dlq": {"max_length": LETTERS_KEPT}},
            "paths": {"database": {"telemetry_db": str(self.database)}},
            "http_endpoint": {"host": "127.0.0.1", "port": http_port or NOBODY},
            **more,
        }
        (self.home / "config.yaml").write_text(yaml.safe_dump(settings))

    def log(self, level: str, text: str, *, logger: str = "blueplane_server", ago_s: float = 0, times: int = 1) -> None:
        """Append lines to server.log, in local time as the server does."""
        when = (messages.now() - timedelta(seconds=ago_s)).astimezone()
        line = f"{when:%Y-%m-%d %H:%M:%S} - {logger} - {level} - {text}\n"
        with (self.home / "server.log").open("a", encoding="utf-8") as log:
            log.write(line * times)

    def open_session(self, *, minutes_ago: float = 30) -> None:
        """Open a Cursor window."""
        rows.open_session(self.database, messages.now() - timedelta(minutes=minutes_ago))

    def delete_row(self, event_id: str) -> None:
        """Delete one of Cursor's rows."""
        with closing(rows.connect(self.database)) as connection:
            connection.execute("DELETE FROM cursor_raw_traces WHERE event_id = ?", (event_id,))

    def buffer_events(self, count: int, file: Path | None = None) -> None:
        """Leave events in event_buffer.db, as when Redis could not be reached."""
        rows.buffer_events(file or self.home / "event_buffer.db", count)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of this pipeline's user: a temporary HOME, no settings of the doctor from outside."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BLUEPLANE_")}
        return {**inherited, "HOME": str(self.user_home), "COLUMNS": "150", **more}
