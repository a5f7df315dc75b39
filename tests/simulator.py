"""The simulated pipeline as it was before today's tables: what the demo has no use for, and the doctor still meets."""

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo import schema
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.demo.writers import moment
from blueplane_doctor.layouts import EARLIER

_RAW_TRACES = """
CREATE TABLE IF NOT EXISTS raw_traces (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    ingested_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    event_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    platform TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    event_data BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS earlier_event ON raw_traces (event_id);
"""


def create_raw_traces(database: Path) -> None:
    """Create the one table of the earlier pipeline, as it still stands beside today's after an upgrade."""
    with closing(schema.connect(database)) as connection:
        connection.executescript(_RAW_TRACES)


class EarlierPipeline(Pipeline):
    """Stream telemetry:events, redis.yaml, and table raw_traces, whose one writer wrote whatever came."""

    def __init__(self, redis_url: str, home: Path) -> None:
        super().__init__(redis_url, home, layout=EARLIER)

    def configure(self, **options: Any) -> None:
        super().configure(**options)
        config = yaml.safe_load((self.home / "config.yaml").read_text())
        queue = {"name": self.queue, "consumer_group": "processors", "max_length": self.max_length}
        earlier = {"redis": config["redis"], "streams": {"message_queue": queue}}
        (self.home / "redis.yaml").write_text(yaml.safe_dump(earlier))

    def create_database(self) -> None:
        if self.database.exists():
            return  # today's tables must not come and go under a reader
        super().create_database()
        create_raw_traces(self.database)
        with closing(schema.connect(self.database)) as connection:
            for table in (schema.CURSOR_TRACES, schema.CLAUDE_TRACES, names.OFFSETS_TABLE):
                connection.execute(f"DROP TABLE {table}")

    def touch_offsets(self, *, at: datetime) -> None:
        """There were none."""

    def owner(self, fields: Mapping[str, str]) -> str:
        return "cursor"  # both routes are of its one group

    def write(self, entries: Iterable[tuple[str, Mapping[str, str]]], *, at: datetime | None = None) -> None:
        rows = [
            (
                fields.get("event_id", entry_id),
                fields.get("session_id", ""),
                fields.get("event_type", ""),
                fields.get("platform", ""),
                fields.get("timestamp", ""),
                f"{(at or moment(entry_id)).astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            )
            for entry_id, fields in entries
            if isinstance(json.loads(fields.get("payload", "")), dict)
        ]
        columns = "event_id, session_id, event_type, platform, timestamp, ingested_at, event_data"
        with closing(schema.connect(self.database, timeout=self.lock_seconds)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(f"INSERT INTO raw_traces ({columns}) VALUES (?, ?, ?, ?, ?, ?, x'00')", rows)
            connection.execute("COMMIT")
