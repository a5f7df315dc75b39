"""What the simulated pipeline stands on: a server, and a Blueplane home with its settings, log and database."""

import contextlib
import itertools
import json
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import redis
import yaml

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo import schema
from blueplane_doctor.demo.messages import MessageMaker
from blueplane_doctor.layouts import CURRENT, Layout

NO_TIME = timedelta()
CLOSED_PORT = 1
"""Only root could listen there, and nobody does: a connection to it is refused at once."""
_EPOCH = datetime.fromtimestamp(0, UTC)


class Foundation:
    """The names, groups and files of one pipeline. `pid` is that of its server; the seed decides its identifiers."""

    def __init__(
        self,
        redis_url: str,
        home: Path,
        *,
        layout: Layout = CURRENT,
        seed: int = 7,
        pid: int | None = None,
    ) -> None:
        self.redis_url = redis_url
        self.home = home
        self.layout = layout
        self.max_length = names.DEFAULT_MAX_LENGTH
        self.lock_seconds = schema.LOCK_SECONDS
        self.pid = pid or os.getpid()
        self.queue = layout.queue
        self.database = home / "telemetry.db"
        self.messages = MessageMaker(seed)
        self.client = redis.Redis.from_url(redis_url, decode_responses=True, encoding_errors="replace")
        self.writer_groups = tuple(dict.fromkeys(route.group for route in layout.routes))
        self.groups = (*self.writer_groups, *names.READER_GROUPS)
        self.consumers = {group: consumer_name(group, self.pid) for group in self.groups}
        home.mkdir(parents=True, exist_ok=True)
        self.configure()
        self.create_database()
        for group, consumer in self.consumers.items():
            with contextlib.suppress(redis.ResponseError):  # there already
                self.client.xgroup_create(self.queue, group, "0", mkstream=True)
            self.client.xgroup_createconsumer(self.queue, group, consumer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def clock(self) -> datetime:
        """Now."""
        return datetime.now(UTC)

    def ago(self, **duration: float) -> datetime:
        """The time that long ago: `ago(minutes=5)`."""
        return self.clock() - timedelta(**duration)

    # Files

    def create_database(self) -> None:
        """Create telemetry.db; one that exists keeps its rows."""
        schema.create_database(self.database)

    def configure(self, *, http_port: int = CLOSED_PORT) -> None:
        """Write config.yaml; it cannot name a unix socket, so such a server is left out."""
        address = urlsplit(self.redis_url)
        connection: dict[str, Any] = {}
        if address.hostname:
            connection = {"host": address.hostname, "port": address.port}
        config = {
            "redis": {"connection": connection},
            "streams": {
                "message_queue": {"max_length": self.max_length},
                "dlq": {"max_length": names.DEFAULT_DEAD_LETTER_MAX_LENGTH, "retention_days": 7},
            },
            "paths": {"database": {"telemetry_db": str(self.database)}},
            "http_endpoint": {"host": names.DEFAULT_HTTP_HOST, "port": http_port},
        }
        (self.home / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    def write_pid_file(self, pid: int | None = None) -> None:
        """Write server.pid, by default with the pipeline's own process id."""
        now = self.clock().timestamp()
        record = {"pid": pid or self.pid, "timestamp": now, "process_name": "blueplane_server"}
        (self.home / "server.pid").write_text(json.dumps(record), encoding="utf-8")

    def log(self, level: str, message: str, *, at: datetime | None = None, logger: str = "blueplane_server") -> None:
        """Append a line to server.log, in local time."""
        with (self.home / "server.log").open("a", encoding="utf-8") as log:
            log.write(f"{(at or self.clock()).astimezone():%Y-%m-%d %H:%M:%S} - {logger} - {level} - {message}\n")

    @property
    def editors(self) -> dict[str, Path]:
        """The settings that keep the doctor from looking at this machine's own editors."""
        user = self.home.parent
        return {
            "cursor_hooks": self.cursor_hooks,
            "cursor_data": user / "Cursor" / "User",
            "claude_settings": user / ".claude" / "settings.json",
            "claude_projects": user / ".claude" / "projects",
        }

    @property
    def cursor_hooks(self) -> Path:
        """Where this home's user keeps Cursor's hooks."""
        return self.home.parent / ".cursor" / "hooks.json"

    def install_cursor_hooks(self) -> None:
        """Name a hook of Blueplane's own for each event; nobody runs them."""
        scripts = self.home / "hooks"
        scripts.mkdir()
        hooks = {}
        for hook in names.CURSOR_HOOKS:
            script = scripts / f"{hook}.py"
            script.touch()
            hooks[hook] = [{"command": shlex.join([sys.executable, str(script)])}]
        self.cursor_hooks.parent.mkdir()
        self.cursor_hooks.write_text(json.dumps({"version": 1, "hooks": hooks}, indent=2), encoding="utf-8")

    # The database beside the traces

    def open_session(self, *, minutes_ago: float = 30) -> str:
        """Open an IDE window; its session ID."""
        session = self.messages.uuid()
        begin = self.ago(minutes=minutes_ago).isoformat()
        self._execute(
            f"INSERT INTO {names.SESSIONS_TABLE} VALUES (?, ?, ?, ?, NULL)",
            *(session, self.messages.cursor_session, self.messages.workspace_hash, begin),
        )
        return session

    def close_sessions(self, *, at: datetime | None = None) -> None:
        """Close every IDE window."""
        end = (at or self.clock()).isoformat()
        self._execute(f"UPDATE {names.SESSIONS_TABLE} SET ended_at = ? WHERE ended_at IS NULL", end)

    def touch_offsets(self, *, at: datetime) -> None:
        """Move the JSONL monitor's offset, as it does while it works."""
        when = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        session = self.messages.claude_session
        insert = f"INSERT OR REPLACE INTO {names.OFFSETS_TABLE} VALUES (?, ?, ?, ?)"
        self._execute(insert, f"{session}.jsonl", session, when, when)

    def _execute(self, statement: str, *values: str) -> None:
        with contextlib.closing(schema.connect(self.database)) as connection:
            connection.execute(statement, values)

    @contextlib.contextmanager
    def lock_database(self) -> Iterator[None]:
        """Hold the database's write lock: the pipeline's writers are refused, at once, for they would wait in vain."""
        with contextlib.closing(schema.connect(self.database)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            self.lock_seconds = 0.0
            try:
                yield
            finally:
                self.lock_seconds = schema.LOCK_SECONDS

    # Streams

    def _times(self, count: int, at: datetime | None, spread: timedelta) -> Iterator[datetime]:
        start = at or self.clock()
        step = timedelta(microseconds=1)  # no two lines of a transcript have the same time
        if spread and count:
            step = spread / count
        return (start + index * step for index in range(count))

    def add(
        self, messages: Sequence[tuple[datetime, Mapping[Any, Any]]], *, faked: bool, dead_letters: str = ""
    ) -> list[str]:
        """Add to the queue, or to a stream of dead letters; with faked times the IDs are theirs."""
        limit = names.DEFAULT_DEAD_LETTER_MAX_LENGTH if dead_letters else self.max_length
        stream = dead_letters or self.queue
        ids = self._ids((when for when, _ in messages), stream) if faked else itertools.repeat("*")
        with self.client.pipeline(transaction=False) as commands:
            for (_, fields), entry_id in zip(messages, ids, strict=False):
                commands.xadd(stream, dict(fields), id=entry_id, maxlen=limit, approximate=True)
            return list(commands.execute())

    def _ids(self, times: Iterable[datetime], stream: str) -> Iterator[str]:
        newest = "0-0"
        with contextlib.suppress(redis.ResponseError):  # a dead-letter stream begins with its first entry
            newest = str(self.client.xinfo_stream(stream)["last-generated-id"])
        last, sequence = map(int, newest.split("-"))
        for when in times:
            moment = max((when - _EPOCH) // timedelta(milliseconds=1), last)
            if moment == last:
                sequence += 1
            else:
                sequence = 0
            last = moment
            yield f"{moment}-{sequence}"


def consumer_name(group: str, pid: int) -> str:
    """The name under which a process of the pipeline reads for this group."""
    stems = {"processors": "consumer", "claude_processors": "claude-consumer"}
    return f"{stems.get(group, group)}-{pid}"
