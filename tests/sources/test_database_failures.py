"""Each error of SQLite becomes one of ours, which names the database and no folder."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.demo import schema
from blueplane_doctor.errors import (
    SourceDamaged,
    SourceError,
    SourceMissing,
    SourceRefused,
    SourceTimeout,
    SourceUnusable,
)
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.database_source import DatabaseSource


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (sqlite3.OperationalError("interrupted"), SourceTimeout, "no answer within"),
        (sqlite3.OperationalError("database is locked"), SourceTimeout, "stayed locked"),
        (sqlite3.OperationalError("database table is locked"), SourceTimeout, "stayed locked"),
        (sqlite3.OperationalError("no such table: raw_traces"), SourceMissing, "no such table: raw_traces"),
        (sqlite3.OperationalError("no such column: uuid"), SourceMissing, "no such column: uuid"),
        (sqlite3.DatabaseError("database disk image is malformed"), SourceDamaged, "is damaged"),
        (sqlite3.DatabaseError("file is not a database"), SourceDamaged, "is not a SQLite database"),
        (sqlite3.OperationalError("unable to open database file"), SourceRefused, "cannot be opened"),
        (sqlite3.OperationalError("attempt to write a readonly database"), SourceRefused, "cannot be opened"),
        (sqlite3.OperationalError("database or disk is full"), SourceRefused, "the disk is full"),
        (sqlite3.OperationalError("disk I/O error"), SourceUnusable, "disk I/O error"),
        (sqlite3.OperationalError("no such table: acme"), SourceMissing, ": no such table"),
        (sqlite3.DatabaseError("malformed database schema (acme) - x"), SourceDamaged, ": malformed database schema"),
        (sqlite3.InterfaceError("whatever"), SourceUnusable, "InterfaceError, whose text is not shown"),
        (sqlite3.ProgrammingError("whatever"), SourceUnusable, "ProgrammingError, whose text is not shown"),
        (sqlite3.NotSupportedError("whatever"), SourceUnusable, "NotSupportedError, whose text is not shown"),
    ],
)
def test_each_error_becomes_ours(tmp_path: Path, error: sqlite3.Error, kind: type[SourceError], said: str) -> None:
    file = tmp_path / "telemetry.db"
    schema.create_database(file)

    def ask(connection: sqlite3.Connection) -> None:
        raise error

    with closing(DatabaseSource(file, Deadline(5))) as source, pytest.raises(SourceError) as raised:
        source.read(ask)
    assert type(raised.value) is kind
    assert said in raised.value.message and "telemetry.db" in raised.value.message
    assert str(file.parent) not in raised.value.message
