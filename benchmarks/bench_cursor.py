"""Cursor's databases compared with the pipeline: the same changes in a database of 10 MB and in one of 1 GB.

python -m benchmarks cursor
"""

import json
import os
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks.measure import figure
from blueplane_doctor.demo.schema import connect
from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.monitoring.cursor_completeness import CursorCompletenessMonitor
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources.cursor_places import WATCHED_GLOBAL
from blueplane_doctor.text.times import from_milliseconds

CHANGES = 400
VALUE_BYTES = 20_000
DAY_MS = 86_400_000
REPETITIONS = 5


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, run_server(tcp=True) as server:
        os.environ["HOME"] = folder
        home = Path(folder, ".blueplane")
        user = Path(folder, WATCHED_GLOBAL).parents[1]
        with Pipeline(server.url, home) as pipeline:
            now_ms = int(pipeline.clock().timestamp() * 1000)
            _write_rows(pipeline, now_ms)
            settings = Settings(home=home, redis_url=server.url, cursor_data=user)
            small = _milliseconds(user, 10_000_000, settings, now_ms)
            large = _milliseconds(user, 1_000_000_000, settings, now_ms)
            figure(f"10 MB, {CHANGES} changes", small, "ms")
            figure("1 GB, the same changes", large, "ms")
            figure("1 GB / 10 MB", large / small, "", "about 1")


def _milliseconds(user: Path, size: int, settings: Settings, now_ms: int) -> float:
    """Processor time of one comparison, the least of several: what is more is the neighbours'."""
    _write_database(user / "globalStorage" / "state.vscdb", size, now_ms)
    times = []
    for _ in range(REPETITIONS):
        with closing(Examination(settings)) as examination:
            examination.ledger()  # the walk through the stream is not measured
            began = time.process_time()
            record = CursorCompletenessMonitor(examination).collect()
            times.append(time.process_time() - began)
        assert record.by_outcome["written"] == CHANGES
        assert not record.partial and not record.missing_items
    return 1000 * min(times)


def _write_database(path: Path, size: int, now_ms: int) -> None:
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)")
        connection.execute("CREATE TABLE cursorDiskKV (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)")
        for number in range(size // VALUE_BYTES):
            _write_bubble(connection, f"bubbleId:old:{number}", now_ms - 2 * DAY_MS)
        for number in range(CHANGES):
            _write_bubble(connection, f"bubbleId:new:{number}", now_ms - DAY_MS // 2)
        connection.commit()


def _write_bubble(connection: sqlite3.Connection, key: str, changed_ms: int) -> None:
    bubble = {"type": 2, "createdAt": from_milliseconds(changed_ms).isoformat(), "text": "x" * VALUE_BYTES}
    connection.execute("INSERT INTO cursorDiskKV VALUES (?, ?)", (key, json.dumps(bubble)))


def _write_rows(pipeline: Pipeline, now_ms: int) -> None:
    sql = (
        "INSERT INTO cursor_raw_traces (event_id, event_type, timestamp, storage_level, database_table, item_key, "
        "ingested_at, event_data) VALUES (?, 'bubble', ?, 'global', 'cursorDiskKV', ?, datetime('now', '-3 days'), x'')"
    )
    read_at = from_milliseconds(now_ms - DAY_MS // 3).isoformat()
    with closing(connect(pipeline.database)) as connection:
        for number in range(CHANGES):
            connection.execute(sql, (f"row {number}", read_at, f"bubbleId:new:{number}"))


if __name__ == "__main__":
    main()
