"""Rows that are no longer there: where a table begins, and what was deleted from the middle of it."""

from datetime import datetime
from functools import partial
from typing import NamedTuple

from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.trace_tables import sequence_of, sequence_since
from blueplane_doctor.text.times import parse_time, to_milliseconds


class TableBeginning(NamedTuple):
    """Where the rows of a table begin, and how many are gone from before that."""

    first_ms: int | None
    """When the first row was written, in milliseconds since 1970; None for a table without rows."""
    rows_before: int = 0
    """Rows that were written before that one and are no longer there.

    A table that was made anew begins at 1 again; one whose old rows were deleted goes on from where it was. (That an
    emptied table goes on too needs AUTOINCREMENT, which the pipeline's tables have: https://sqlite.org/autoinc.html)
    """


def read_beginnings(database: DatabaseSource, tables: tuple[str, ...]) -> dict[str, TableBeginning]:
    """The beginning of each table. Raises SourceError.

    One whose first row has no time is left out: nothing can be told of it.
    """
    beginnings: dict[str, TableBeginning] = {}
    for table in tables:
        rows = database.rows(f'SELECT sequence, ingested_at FROM "{table}" ORDER BY sequence LIMIT 1', ())
        if not rows:
            beginnings[table] = TableBeginning(None, _last_sequence(database, table))
            continue
        sequence, ingested_at = rows[0]
        moment = parse_time(ingested_at)
        if moment is not None:
            rows_before = max(0, sequence_of(sequence, table) - 1)
            beginnings[table] = TableBeginning(to_milliseconds(moment), rows_before)
    return beginnings


def _last_sequence(database: DatabaseSource, table: str) -> int:
    """The highest sequence number that an AUTOINCREMENT table ever had; 0 where that is not kept."""
    if "sqlite_sequence" not in database.tables():
        return 0
    rows = database.rows("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
    if not rows:
        return 0
    return sequence_of(rows[0][0] or 0, table)


class DeletedRows:
    """Rows that are gone from the middle of a table: numbers that were given and that no row has any more.

    A number is given once, and a transaction that is rolled back gives its numbers back. So one that is missing between
    two rows is that of a row that was deleted. (https://sqlite.org/autoinc.html)
    """

    def __init__(self, database: DatabaseSource) -> None:
        self._database = database
        self._left: dict[tuple[str, int], int] = {}
        """Of each row that was asked about, by its table and number: the deleted rows that no call has taken."""

    def take_behind(self, table: str, sequence: int) -> bool:
        """Whether a row was deleted right behind this one; each deleted row is given once. Raises SourceError."""
        place = (table, sequence)
        if place not in self._left:
            self._left[place] = self._count_behind(table, sequence)
        if not self._left[place]:
            return False
        self._left[place] -= 1
        return True

    def row_before(self, table: str, moment: datetime) -> int:
        """The number of the last row that was written before a moment; 0 where there is none. Raises SourceError."""
        sql = f'SELECT sequence FROM "{table}" WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1'
        since = self._database.read(partial(sequence_since, table=table, moment=moment))
        # Behind the largest number there is none that SQLite could be given.
        return self._number(sql, table, since - 1) or 0

    def _count_behind(self, table: str, sequence: int) -> int:
        sql = f'SELECT sequence FROM "{table}" WHERE sequence > ? ORDER BY sequence LIMIT 1'
        following = self._number(sql, table, sequence)
        if following is None:
            following = _last_sequence(self._database, table) + 1
        return max(0, following - sequence - 1)

    def _number(self, sql: str, table: str, value: int) -> int | None:
        rows = self._database.rows(sql, (value,))
        if not rows:
            return None
        return sequence_of(rows[0][0], table)
