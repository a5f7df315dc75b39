"""A database with expressions that take hours: what is stored is read, and what would be computed is refused."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.errors import SourceUnusable
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.computed_values import may_be_checked
from blueplane_doctor.sources.database_source import DatabaseSource

HOURS = "instr(hex(zeroblob(7000000)), hex(zeroblob(3000000)) || '1') >= 0"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[DatabaseSource]:
    path = tmp_path / "telemetry.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE traces (sequence INTEGER PRIMARY KEY, kept TEXT)")
        connection.execute("INSERT INTO traces VALUES (1, 'text')")
        connection.execute("CREATE VIEW seen AS SELECT sequence FROM traces")
        # Written so, nothing is computed yet.
        connection.execute("PRAGMA writable_schema = 1")
        text = f"CREATE TABLE traces (sequence INTEGER PRIMARY KEY, kept TEXT, slow TEXT AS ({HOURS}), CHECK ({HOURS}))"
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'traces'", (text,))
    with closing(DatabaseSource(path, Deadline(5))) as opened:
        yield opened


def test_what_is_stored_is_read(source: DatabaseSource) -> None:
    assert source.rows("SELECT sequence, kept FROM traces") == [(1, "text")]
    assert source.columns("traces") == {"sequence", "kept"}
    source.look_for_damage()  # SQLite would compute every column


def test_columns_that_are_computed_in_no_time_are_checked() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE a (time TEXT, day DATE GENERATED ALWAYS AS (DATE(time)))")
        assert may_be_checked(connection)
        connection.execute("CREATE TABLE b (time TEXT, found AS (time LIKE '%1%'))")
        assert not may_be_checked(connection)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT slow FROM traces",
        "SELECT kept FROM traces WHERE slow > 1",
        "SELECT * FROM traces",
        "SELECT sequence FROM seen",
        "SELECT count(*) FROM seen",
        "WITH w(x) AS (VALUES (1)) SELECT x FROM w CROSS JOIN seen AS t ON t.sequence = w.x",
    ],
)
def test_what_would_be_computed_is_refused(source: DatabaseSource, sql: str) -> None:
    with pytest.raises(SourceUnusable, match="computed, where the pipeline stores it"):
        source.rows(sql)
    assert source.rows("SELECT kept FROM traces") == [("text",)], "the source stays usable"
