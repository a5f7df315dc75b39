"""The files of a Blueplane home: settings, process id, log, buffer of events that could not reach Redis."""

import contextlib
import json
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo import schema

DATABASE_FILE = "telemetry.db"
NOBODY_LISTENS = 1
"""A port that only root could open and no one does: a connection to it is refused at once."""


def write_config(
    home: Path, redis_url: str, layout: names.Layout, *, max_length: int, http_port: int = NOBODY_LISTENS
) -> None:
    """Write config.yaml, for the earlier layout also redis.yaml; a unix socket has no place in either."""
    address = urlsplit(redis_url)
    connection = {"host": address.hostname, "port": address.port} if address.hostname else {}
    streams = {
        "message_queue": {"max_length": max_length},
        "dlq": {"max_length": names.DEFAULT_DEAD_LETTER_MAX_LENGTH, "retention_days": 7},
    }
    config = {
        "redis": {"connection": connection},
        "streams": streams,
        "paths": {"database": {"telemetry_db": str(home / DATABASE_FILE)}},
        "http_endpoint": {"host": names.DEFAULT_HTTP_HOST, "port": http_port},
    }
    (home / "config.yaml").write_text(yaml.safe_dump(config))
    if layout is names.EARLIER:
        queue = {"name": layout.queue, "consumer_group": layout.routes[0].group, "max_length": max_length}
        earlier = {"redis": {"connection": connection}, "streams": {"message_queue": queue}}
        (home / "redis.yaml").write_text(yaml.safe_dump(earlier))


def write_pid_file(home: Path, pid: int, at: datetime, *, as_json: bool) -> None:
    """Write server.pid, as JSON or as a bare number."""
    record = {"pid": pid, "timestamp": at.timestamp(), "process_name": "blueplane_server"}
    (home / "server.pid").write_text(json.dumps(record) if as_json else f"{pid}\n")


def append_log(home: Path, level: str, message: str, at: datetime, logger: str) -> None:
    """Append a line to server.log, in local time."""
    with (home / "server.log").open("a", encoding="utf-8") as log:
        log.write(f"{at.astimezone():%Y-%m-%d %H:%M:%S} - {logger} - {level} - {message}\n")


def buffer_events(home: Path, events: list[tuple[str, str]]) -> None:
    """Add events, each its time and its JSON text, to event_buffer.db."""
    path = home / "event_buffer.db"
    schema.create_buffer(path)
    insert = f"INSERT INTO {names.BUFFER_TABLE} (timestamp, event_data, retry_count) VALUES (?, ?, 0)"
    with contextlib.closing(schema.connect(path)) as connection:
        connection.execute("BEGIN")
        connection.executemany(insert, events)
        connection.execute("COMMIT")
