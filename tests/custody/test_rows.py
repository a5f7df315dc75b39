"""Finding rows by their index, and claiming each once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.custody.routing import Lookup
from blueplane_doctor.custody.rows import BATCH, Claims, RowFinder
from blueplane_doctor.demo import schema
from blueplane_doctor.errors import SourceMissing
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.deadline import Deadline

CURSOR, CLAUDE = "cursor_raw_traces", "claude_raw_traces"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "telemetry.db"
    schema.create_database(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            f"INSERT INTO {CURSOR} (event_id, event_type, timestamp, event_data) VALUES (?, '', '', x'00')",
            [(f"e-{number}",) for number in range(1_000)],
        )
        connection.executemany(
            f"INSERT INTO {CLAUDE} (event_id, external_id, uuid, event_type, platform, timestamp, event_data) "
            "VALUES ('', ?, ?, '', '', ?, x'00')",
            [("s", "u-1", "t"), ("s", None, "t"), ("s", None, "t"), ("s", None, "t"), ("", "", ""), ("r", "u-1", "t")],
        )
    return path


@pytest.fixture
def source(file: Path) -> Iterator[DatabaseSource]:
    with closing(DatabaseSource(file, Deadline(10))) as source:
        yield source


def event(identity: str) -> Lookup:
    return Lookup(CURSOR, ("event_id",), (identity,))


def entry(session: str, uuid: str) -> Lookup:
    return Lookup(CLAUDE, ("external_id", "uuid"), (session, uuid))


def line(session: str, timestamp: str) -> Lookup:
    return Lookup(CLAUDE, ("external_id", "timestamp"), (session, timestamp))


def test_many_keys_of_several_tables_at_once(source: DatabaseSource) -> None:
    wanted = [event(f"e-{number}") for number in range(0, 1_500, 2)]
    assert len(wanted) > 3 * BATCH
    found = RowFinder(source).find([*wanted, entry("s", "u-1"), entry("", ""), line("s", "t"), line("x", "t")])
    assert found.pop(entry("s", "u-1")) == [1]
    assert found.pop(entry("", "")) == [5]
    assert found.pop(line("s", "t")) == [1, 2, 3, 4], "rows of one second are told apart by their number"
    assert found == {event(f"e-{number}"): [number + 1] for number in range(0, 1_000, 2)}


def test_nothing_is_asked_for_nothing(source: DatabaseSource) -> None:
    assert RowFinder(source).find([]) == {}


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE cursor_raw_traces; --", "%", "a\x00b", "", "🦊" * 1_000, "x" * 2_000_000]
)
def test_a_key_is_a_value_and_never_sql(source: DatabaseSource, text: str) -> None:
    assert RowFinder(source).find([event(text), event("e-1")]) == {event("e-1"): [2]}


def test_the_index_is_used_and_the_table_is_never_scanned(source: DatabaseSource) -> None:
    asked: list[str] = []
    source.read(lambda connection: connection.set_trace_callback(asked.append))
    RowFinder(source).find([event("e-1"), event("e-2"), entry("s", "u-1"), line("s", "t")])
    queries = [statement for statement in asked if statement.startswith("WITH")]
    assert len(queries) == 3
    for query in queries:
        plan = " | ".join(row[3] for row in source.rows(f"EXPLAIN QUERY PLAN {query}"))
        assert "SEARCH t USING" in plan and "INDEX" in plan, plan
        assert "SCAN t" not in plan


def test_a_table_that_is_missing_is_told(source: DatabaseSource) -> None:
    with pytest.raises(SourceMissing, match="no such table"):
        RowFinder(source).find([Lookup("raw_traces", ("event_id",), ("x",))])


def test_a_row_is_claimed_once() -> None:
    claims = Claims()
    for sequence in (0, 1, 7, 8, 65_535, 65_536, 30_000_000, 1 << 62):
        assert claims.claim(CURSOR, sequence)
        assert not claims.claim(CURSOR, sequence)
        assert claims.claim(CLAUDE, sequence), "another table has rows of its own"
    assert claims.claim(CURSOR, 2)
