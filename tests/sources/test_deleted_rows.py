"""Rows that are gone: from before the first that is kept, and from between two of them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from blueplane_doctor.demo import schema
from blueplane_doctor.errors import SourceUnusable
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.deleted_rows import DeletedRows, TableBeginning, read_beginnings

TABLE = "cursor_raw_traces"
INSERT = (
    f"INSERT INTO {TABLE} (sequence, ingested_at, event_id, event_type, timestamp, event_data) "
    "VALUES (?, ?, ?, '', '', x'00')"
)
FIRST = datetime(2026, 3, 14, 9, 0, 1, tzinfo=UTC)
FIRST_MS = 1_773_478_801_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "telemetry.db"
    schema.create_database(path)
    return path


@pytest.fixture
def source(file: Path) -> Iterator[DatabaseSource]:
    with closing(DatabaseSource(file, Deadline(10))) as source:
        yield source


def change(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def fill(file: Path, *sequences: int) -> None:
    """Rows of these numbers, each written at the second of its number."""
    with closing(sqlite3.connect(file)) as connection, connection:
        rows = [(number, f"2026-03-14 09:00:{number:02}", f"e-{number}") for number in sequences]
        connection.executemany(INSERT, rows)


def beginning(source: DatabaseSource) -> TableBeginning | None:
    return read_beginnings(source, (TABLE,)).get(TABLE)


def test_a_table_that_never_had_a_row(source: DatabaseSource) -> None:
    assert beginning(source) == TableBeginning(None, 0)


def test_a_table_that_has_all_its_rows(file: Path, source: DatabaseSource) -> None:
    fill(file, 1, 2, 3)
    assert beginning(source) == TableBeginning(FIRST_MS, 0)


def test_a_table_whose_first_rows_were_deleted(file: Path, source: DatabaseSource) -> None:
    fill(file, 1, 2, 3)
    change(file, f"DELETE FROM {TABLE} WHERE sequence < 3")
    assert beginning(source) == TableBeginning(FIRST_MS + 2_000, 2)


def test_a_table_that_was_emptied_knows_how_many_rows_it_had(file: Path, source: DatabaseSource) -> None:
    fill(file, 1, 2, 3)
    change(file, f"DELETE FROM {TABLE}")
    assert beginning(source) == TableBeginning(None, 3)


@pytest.mark.parametrize("time", ["", "yesterday", "2026-13-45 99:00:00"])
def test_a_first_row_without_a_time_tells_nothing(file: Path, source: DatabaseSource, time: str) -> None:
    fill(file, 1)
    change(file, f"UPDATE {TABLE} SET ingested_at = '{time}'")
    assert beginning(source) is None


def taken(source: DatabaseSource, sequence: int) -> int:
    """How many deleted rows can be taken behind a row."""
    deleted = DeletedRows(source)
    count = 0
    while deleted.take_behind(TABLE, sequence):
        count += 1
    return count


def test_each_deleted_row_is_given_once(file: Path, source: DatabaseSource) -> None:
    fill(file, 1, 2, 5, 6, 8)
    assert [taken(source, number) for number in (1, 2, 5, 6, 8)] == [0, 2, 0, 1, 0]


def test_rows_that_were_deleted_behind_the_last_one_are_known_too(file: Path, source: DatabaseSource) -> None:
    fill(file, 1, 2, 3, 4)
    change(file, f"DELETE FROM {TABLE} WHERE sequence > 2")
    assert taken(source, 2) == 2


def test_rows_that_were_deleted_before_the_first_one(file: Path, source: DatabaseSource) -> None:
    fill(file, 3)
    assert taken(source, 0) == 2


@pytest.mark.parametrize(("second", "expected"), [(0, 0), (1, 0), (2, 1), (4, 3), (5, 3), (59, 5)])
def test_the_last_row_before_a_moment(file: Path, source: DatabaseSource, second: int, expected: int) -> None:
    fill(file, 1, 3, 5)
    moment = FIRST.replace(second=second)
    assert DeletedRows(source).row_before(TABLE, moment) == expected


def test_a_number_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    change(
        path,
        f"CREATE TABLE {TABLE} (sequence, ingested_at)",
        f"INSERT INTO {TABLE} VALUES ('x', '2026-03-14 09:00:01')",
    )
    with closing(DatabaseSource(path, Deadline(10))) as source, pytest.raises(SourceUnusable, match="sequence"):
        read_beginnings(source, (TABLE,))
