"""A row of a message's key may be another message's, by its time."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.custody.row_owners import rows_are_others
from blueplane_doctor.demo import schema
from blueplane_doctor.errors import SourceMissing
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.trace_tables import Lookup, RowFinder

TABLE = "cursor_raw_traces"
KEY = Lookup(TABLE, ("event_id",), ("one",))
OWN = 1_773_479_901_310
OTHER = 1_773_479_902_310
UNREADABLE = Lookup(TABLE, ("event_id",), ("no time",))


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[RowFinder]:
    file = tmp_path / "telemetry.db"
    schema.create_database(file)
    insert = f"INSERT INTO {TABLE} (event_id, event_type, timestamp, event_data) VALUES (?, '', ?, x'00')"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(insert, ("one", "2026-03-14T09:18:21.310Z"))
        connection.execute(insert, ("no time", "yesterday"))
    with closing(DatabaseSource(file, Deadline(10))) as database:
        yield RowFinder(database)


def test_the_row_of_another_time_is_another_messages(rows: RowFinder) -> None:
    assert rows_are_others(rows, [KEY], {OTHER})


@pytest.mark.parametrize("times", [{OWN}, {OTHER, OWN}, {None, OTHER}], ids=["its own", "one of two", "not told"])
def test_the_row_may_be_its_own(rows: RowFinder, times: set[int | None]) -> None:
    assert not rows_are_others(rows, [KEY], times)


def test_a_row_without_a_readable_time_may_be_its_own(rows: RowFinder) -> None:
    assert not rows_are_others(rows, [UNREADABLE], {OTHER})


def test_without_a_row_there_is_none_of_another(rows: RowFinder) -> None:
    by_time = Lookup("claude_raw_traces", ("external_id", "timestamp"), ("s", "t"))
    assert not rows_are_others(rows, [KEY._replace(values=("two",)), by_time], {OTHER})


def test_a_database_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with closing(DatabaseSource(tmp_path / "gone.db", Deadline(10))) as database, pytest.raises(SourceMissing):
        rows_are_others(RowFinder(database), [KEY], {OTHER})
