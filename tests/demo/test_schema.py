"""The databases have the tables, columns and indexes that the pipeline's have."""

import sqlite3
from pathlib import Path

import pytest

from blueplane_doctor.demo import schema
from tests.demo.observe import query

TABLES = {"cursor_raw_traces", "claude_raw_traces", "cursor_sessions", "claude_jsonl_offsets"}


def test_tables(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    schema.create_database(path)
    schema.create_database(path)
    found = query(path, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    assert {name for (name,) in found} == TABLES
    assert query(path, "PRAGMA journal_mode") == [("wal",)]


@pytest.mark.parametrize(
    ("table", "columns", "unique"),
    [
        ("cursor_raw_traces", ["event_id"], True),
        ("claude_raw_traces", ["external_id", "uuid"], True),
        ("claude_raw_traces", ["external_id", "timestamp"], False),
    ],
)
def test_indexes(table: str, columns: list[str], unique: bool, tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    schema.create_database(path)
    indexes = {
        (tuple(column for _, _, column in query(path, f"PRAGMA index_info({name})")), bool(is_unique))
        for _, name, is_unique, *_ in query(path, f"PRAGMA index_list({table})")
    }
    assert (tuple(columns), unique) in indexes
    assert not any("ingested_at" in names for names, _ in indexes)


def test_a_lock_refuses_who_does_not_wait_for_it(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    schema.create_database(path)
    one = schema.connect(path)
    other = schema.connect(path, timeout=0)
    try:
        one.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    finally:
        one.close()
        other.close()
