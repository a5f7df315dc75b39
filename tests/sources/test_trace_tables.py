"""Rows found by their index; and how much was written lately: counted exactly, in a few look-ups."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blueplane_doctor.demo import schema
from blueplane_doctor.errors import SourceMissing
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.trace_tables import BATCH, Lookup, RowFinder, first_since, read_written
from tests.simulator import create_raw_traces

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
TABLE = "cursor_raw_traces"
COLUMNS = "sequence, ingested_at, event_id, event_type, timestamp, event_data"
INSERT = f"INSERT INTO {TABLE} ({COLUMNS}) VALUES (?, ?, ?, '', '', x'00')"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "telemetry.db"
    schema.create_database(path)
    create_raw_traces(path)
    return path


@pytest.fixture
def connection(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection


def stamp(minutes_ago: float) -> str:
    return f"{NOW - timedelta(minutes=minutes_ago):%Y-%m-%d %H:%M:%S}"


def fill(connection: sqlite3.Connection, rows: Sequence[tuple[int, float]]) -> None:
    """Rows as (sequence, minutes ago)."""
    connection.execute("BEGIN")
    connection.executemany(INSERT, [(sequence, stamp(ago), str(sequence)) for sequence, ago in rows])
    connection.execute("COMMIT")


def since(connection: sqlite3.Connection, minutes: float) -> int:
    highest = connection.execute(f"SELECT coalesce(max(sequence), 0) FROM {TABLE}").fetchone()[0]
    return first_since(connection, TABLE, NOW - timedelta(minutes=minutes), highest)


@pytest.mark.parametrize(
    ("rows", "minutes", "expected"),
    [
        ([], 5, 1),
        ([(1, 2)], 5, 1),
        ([(1, 10)], 5, 2),
        ([(1, 5)], 5, 1),
        ([(7, 3), (8, 2), (9, 1)], 5, 7),
        ([(1, 9), (2, 8), (50, 4), (90, 1)], 5, 50),
        ([(1_000_000, 2), (1_000_005, 1)], 5, 1_000_000),
        ([(3, 9), (1_000_000, 8)], 5, 1_000_001),
        ([(n, 20 - n) for n in range(1, 20)], 5, 15),
        ([(n, 3) for n in range(1, 500)], 5, 1),
    ],
    ids=[
        "empty",
        "one in",
        "one before",
        "on the edge",
        "all in, high start",
        "gap",
        "far start",
        "far end",
        "middle",
        "one second",
    ],
)
def test_the_first_row_of_a_window(
    connection: sqlite3.Connection, rows: list[tuple[int, float]], minutes: float, expected: int
) -> None:
    fill(connection, rows)
    assert since(connection, minutes) == expected


@pytest.mark.slow
def test_a_million_rows_take_a_few_look_ups() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE {TABLE} (sequence INTEGER PRIMARY KEY, ingested_at TEXT)")
        connection.execute(
            f"INSERT INTO {TABLE} WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000) "
            "SELECT x, datetime(?, '-' || (1000000 - x) || ' seconds') FROM n",
            (stamp(0),),
        )
        connection.execute(f"DELETE FROM {TABLE} WHERE sequence BETWEEN 999600 AND 999700")
        for minutes, expected in ((1, 999_940), (5, 999_701), (60, 996_400), (100_000, 1)):
            asked: list[str] = []
            connection.set_trace_callback(asked.append)
            assert since(connection, minutes) == expected
            connection.set_trace_callback(None)
            assert len(asked) < 40


def test_windows_of_all_tables_are_added_up(file: Path, connection: sqlite3.Connection) -> None:
    fill(connection, [(4, 90), (5, 59), (6, 30), (7, 4), (8, 0.5), (9, 0.1)])
    connection.execute(
        f"INSERT INTO raw_traces ({COLUMNS}, session_id, platform) VALUES (12, ?, 'e', '', '', x'00', 's', '')",
        (stamp(2),),
    )
    connection.close()
    with closing(DatabaseSource(file, Deadline(5))) as source:
        written = read_written(source, ("cursor_raw_traces", "claude_raw_traces", "raw_traces"), NOW)
    assert (written.last_minute, written.last_five_minutes, written.last_hour) == (2, 4, 6)
    assert written.rows == {"cursor_raw_traces": 9, "claude_raw_traces": 0, "raw_traces": 12}
    assert written.last is not None and NOW - written.last <= timedelta(seconds=7)
    assert written.last_by_table["claude_raw_traces"] is None


def test_an_empty_database_was_never_written_to(file: Path) -> None:
    with closing(DatabaseSource(file, Deadline(5))) as source:
        written = read_written(source, ("cursor_raw_traces",), NOW)
    assert (written.last, written.last_hour, written.rows) == (None, 0, {"cursor_raw_traces": 0})


def test_rows_of_a_future_clock_count_as_new(file: Path, connection: sqlite3.Connection) -> None:
    fill(connection, [(1, 90), (2, -3)])
    connection.close()
    with closing(DatabaseSource(file, Deadline(5))) as source:
        assert read_written(source, ("cursor_raw_traces",), NOW).last_minute == 1


def test_garbage_times_end_in_some_answer(connection: sqlite3.Connection) -> None:
    connection.executemany(INSERT, [(1, "soon", "1"), (2, None, "2"), (3, stamp(1), "3"), (4, 17, "4")])
    assert 1 <= since(connection, 5) <= 5


CURSOR, CLAUDE = "cursor_raw_traces", "claude_raw_traces"


@pytest.fixture
def filled(tmp_path: Path) -> Path:
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
def source(filled: Path) -> Iterator[DatabaseSource]:
    with closing(DatabaseSource(filled, Deadline(10))) as source:
        yield source


def event(identity: str) -> Lookup:
    return Lookup(CURSOR, ("event_id",), (identity,))


def entry(session: str, uuid: str) -> Lookup:
    return Lookup(CLAUDE, ("external_id", "uuid"), (session, uuid))


def line(session: str, timestamp: str) -> Lookup:
    return Lookup(CLAUDE, ("external_id", "timestamp"), (session, timestamp))


def rows_of(source: DatabaseSource, *wanted: Lookup) -> dict[Lookup, list[int]]:
    """The rows of each key that has any."""
    found = RowFinder(source).find(wanted)
    return {lookup: rows for lookup, rows in zip(wanted, found, strict=True) if rows}


def test_many_keys_of_several_tables_at_once(source: DatabaseSource) -> None:
    wanted = [event(f"e-{number}") for number in range(0, 4_000, 2)]
    assert len(wanted) > 3 * BATCH
    found = rows_of(source, *wanted, entry("s", "u-1"), entry("", ""), line("s", "t"), line("x", "t"))
    assert found.pop(entry("s", "u-1")) == [1]
    assert found.pop(entry("", "")) == [5]
    assert found.pop(line("s", "t")) == [2, 3, 4], "rows of one second are told apart by their number"
    assert found == {event(f"e-{number}"): [number + 1] for number in range(0, 1_000, 2)}


def test_a_row_with_a_uuid_is_not_found_by_its_time_alone(source: DatabaseSource) -> None:
    assert rows_of(source, line("r", "t"), entry("r", "u-1")) == {entry("r", "u-1"): [6]}


def test_rows_of_one_key_ascend_also_where_their_index_does_not(filled: Path, source: DatabaseSource) -> None:
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.executescript("DROP INDEX claude_time; DROP INDEX claude_entry;")
        connection.execute(f"CREATE INDEX backwards ON {CLAUDE} (external_id, timestamp, sequence DESC)")
    assert rows_of(source, line("s", "t")) == {line("s", "t"): [2, 3, 4]}


def test_nothing_is_asked_for_nothing(source: DatabaseSource) -> None:
    assert RowFinder(source).find([]) == []


def test_messages_of_one_key_have_the_same_rows_each_at_its_place(source: DatabaseSource) -> None:
    wanted = [event("e-1"), event("no such"), event("e-3"), event("e-1")]
    assert RowFinder(source).find(wanted) == [[2], [], [4], [2]]


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE cursor_raw_traces; --", "%", "a\x00b", "", "🦊" * 1_000, "x" * 2_000_000]
)
def test_a_key_is_a_value_and_never_sql(source: DatabaseSource, text: str) -> None:
    assert rows_of(source, event(text), event("e-1")) == {event("e-1"): [2]}


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
