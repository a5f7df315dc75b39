"""What the simulated pipeline leaves in files and in its database beside the traces."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo import home_folder, schema
from blueplane_doctor.demo.foundation import NO_TIME, Foundation
from blueplane_doctor.demo.messages import PRIVATE_TEXT


class Records(Foundation):
    """Log, process id, buffer, IDE windows, offsets, and a lock on all of them."""

    def write_pid_file(self, pid: int | None = None, as_json: bool = True) -> None:
        """Write server.pid, by default with the pipeline's own process id."""
        home_folder.write_pid_file(self.home, self.pid if pid is None else pid, self.clock(), as_json=as_json)

    def log(self, level: str, message: str, *, at: datetime | None = None, logger: str = "blueplane_server") -> None:
        """Append a line to server.log."""
        home_folder.append_log(self.home, level, message, at or self.clock(), logger)

    def buffer_events(self, count: int, *, at: datetime | None = None) -> None:
        """Leave events in event_buffer.db, as when Redis could not be reached."""
        text = json.dumps({"platform": "cursor", "payload": {"text": PRIVATE_TEXT}})
        times = self._times(count, at, NO_TIME)
        home_folder.buffer_events(self.home, [(when.isoformat(), text) for when in times])

    def open_session(self, *, minutes_ago: float = 30) -> str:
        """Open an IDE window; its session ID."""
        session = self.messages.uuid()
        values = (session, self.messages.cursor_session, self.messages.workspace_hash)
        self._execute(
            f"INSERT INTO {names.SESSIONS_TABLE} VALUES (?, ?, ?, ?, NULL)",
            (*values, self.ago(minutes=minutes_ago).isoformat()),
        )
        return session

    def close_sessions(self, *, at: datetime | None = None) -> None:
        """Close every IDE window."""
        ended = (at or self.clock()).isoformat()
        self._execute(f"UPDATE {names.SESSIONS_TABLE} SET ended_at = ? WHERE ended_at IS NULL", (ended,))

    def touch_offsets(self, *, at: datetime | None = None) -> None:
        """Move the JSONL monitor's offset, as it does while it works."""
        when = f"{(at or self.clock()).astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        session = self.messages.claude_session
        self._execute(
            f"INSERT OR REPLACE INTO {names.OFFSETS_TABLE} VALUES (?, ?, ?, ?)",
            (f"{session}.jsonl", session, when, when),
        )

    def _execute(self, statement: str, values: tuple[str, ...]) -> None:
        with contextlib.closing(schema.connect(self.database)) as connection:
            connection.execute(statement, values)

    @contextlib.contextmanager
    def lock_database(self) -> Iterator[None]:
        """Hold the database's write lock: whoever writes meanwhile is refused at once."""
        with contextlib.closing(schema.connect(self.database)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
