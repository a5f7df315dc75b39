"""The databases have the tables, columns and indexes that the pipeline's have."""

import sqlite3
from pathlib import Path

import pytest

from blueplane_doctor.demo import schema
from tests.demo.observe import query

TABLES = {
    "current": {"cursor_raw_traces", "claude_raw_traces", "cursor_sessions", "claude_jsonl_offsets"},
    "earlier": {"raw_traces", "cursor_sessions"},
    "mixed": {
        "cursor_raw_traces",
        "claude_raw_traces",
        "raw_traces",
        "cursor_sessions",
        "claude_jsonl_offsets",
    },
}


@pytest.mark.parametrize("layout", ["current", "earlier", "mixed"])
def test_tables_of_a_layout(layout: schema.DatabaseLayout, tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    schema.create_database(path, layout=layout)
    schema.create_database(path, layout=layout)
    found = query(path, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    assert {name for (name,) in found} == TABLES[layout]
    assert query(path, "PRAGMA journal_mode") == [("wal",)]


@pytest.mark.parametrize(
    ("table", "columns", "unique"),
    [
        ("cursor_raw_traces", ["event_id"], True),
        ("claude_raw_traces", ["external_id", "uuid"], True),
        ("claude_raw_traces", ["external_id", "timestamp"], False),
        ("raw_traces", ["event_id"], True),
    ],
)
def test_indexes(table: str, columns: list[str], unique: bool, tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    schema.create_database(path, layout="mixed")
    indexes = {
        (tuple(column for _, _, column in query(path, f"PRAGMA index_info({name})")), bool(is_unique))
        for _, name, is_unique, *_ in query(path, f"PRAGMA index_list({table})")
    }
    assert (tuple(columns), unique) in indexes
    assert not any("ingested_at" in names for names, _ in indexes)


def test_buffer(tmp_path: Path) -> None:
    schema.create_buffer(tmp_path / "event_buffer.db")
    columns = [row[1] for row in query(tmp_path / "event_buffer.db", "PRAGMA table_info(buffered_events)")]
    assert columns == ["id", "timestamp", "event_data", "retry_count"]


def test_nobody_waits_for_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    schema.create_database(path)
    one, other = schema.connect(path), schema.connect(path)
    try:
        one.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    finally:
        one.close()
        other.close()
