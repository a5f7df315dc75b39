"""The tables that traces are written to: rows by their keys, and how much was written lately.

`sequence` and `ingested_at` grow together. So the first row of a time window is found by bisecting `sequence`: some 25
look-ups in 30 million rows, where `WHERE ingested_at > ?` would read them all (that column has no index).
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from sqlite3 import Connection
from typing import NamedTuple

from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.times import parse_time

BATCH = 200
"""Keys of one query; SQLite allows 32,766 values, and larger batches gain nothing."""


class Lookup(NamedTuple):
    """A row to look for: the table, its columns, and the value of each."""

    table: str
    columns: tuple[str, ...]
    values: tuple[str, ...]


class RowFinder:
    """Finds rows by their unique index, at a cost that grows with the keys asked for, not with the table."""

    def __init__(self, database: DatabaseSource) -> None:
        self._database = database

    def find(self, lookups: Iterable[Lookup]) -> dict[Lookup, list[int]]:
        """The `sequence` numbers of each key that has rows, ascending. Raises SourceError."""
        by_index: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], Lookup]] = defaultdict(dict)
        for lookup in lookups:
            by_index[lookup.table, lookup.columns][lookup.values] = lookup
        found: dict[Lookup, list[int]] = {}
        for (table, columns), distinct in by_index.items():
            wanted = list(distinct.values())
            for start in range(0, len(wanted), BATCH):
                batch = wanted[start : start + BATCH]
                for place, sequence in self._rows(table, columns, batch):
                    found.setdefault(batch[place], []).append(sequence)
        return found

    def _rows(self, table: str, columns: tuple[str, ...], batch: list[Lookup]) -> list[tuple[int, int]]:
        """(place in the batch, sequence) of each row.

        CROSS JOIN keeps the order: each wanted key probes the index, the table is never scanned.
        """
        names = ", ".join(f"k{i}" for i in range(len(columns)))
        marks = ", ".join("?" * len(columns))
        match = " AND ".join(f't."{column}" = w.k{i}' for i, column in enumerate(columns))
        sql = (
            f"WITH w(place, {names}) AS (VALUES {', '.join(f'({i}, {marks})' for i in range(len(batch)))}) "
            f'SELECT place, t.sequence FROM w CROSS JOIN "{table}" AS t ON {match} ORDER BY t.sequence'
        )
        return self._database.rows(sql, [value for lookup in batch for value in lookup.values])


class Written(NamedTuple):
    """What was written to all tables. Counts are differences of sequence numbers."""

    rows: dict[str, int]
    """Each table's highest sequence number."""
    last: datetime | None
    """When the newest row was written, to the second."""
    last_minute: int
    last_five_minutes: int
    last_hour: int
    last_by_table: dict[str, datetime | None]


def read_written(database: DatabaseSource, tables: tuple[str, ...], now: datetime) -> Written:
    """Raises SourceError."""
    windows = [now - timedelta(minutes=minutes) for minutes in (1, 5, 60)]
    totals, rows, newest = [0, 0, 0], {}, {}
    for table in tables:
        rows[table], newest[table], counts = database.read(partial(_table, table=table, windows=windows))
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
    last = max(filter(None, newest.values()), default=None)
    minute, five_minutes, hour = totals
    return Written(rows, last, minute, five_minutes, hour, newest)


def _table(connection: Connection, table: str, windows: list[datetime]) -> tuple[int, datetime | None, list[int]]:
    sql = f'SELECT sequence, ingested_at FROM "{table}" ORDER BY sequence DESC LIMIT 1'
    newest = connection.execute(sql).fetchone()
    if newest is None:
        return 0, None, [0] * len(windows)
    highest, last = newest[0], parse_time(newest[1])
    counts = [
        0 if last and last < window else highest + 1 - first_since(connection, table, window, highest)
        for window in windows
    ]
    return highest, last, counts


def first_since(connection: Connection, table: str, since: datetime, highest: int) -> int:
    """The smallest sequence number written at or after `since`; `highest` + 1 when there is none."""
    low, high = 0, highest + 1
    found = high  # sequence numbers have gaps: what counts is the row, not where the bisection ends
    sql = f'SELECT sequence, ingested_at FROM "{table}" WHERE sequence >= ? ORDER BY sequence LIMIT 1'
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(sql, (middle,)).fetchone()
        moment = parse_time(row[1]) if row else None
        if row is None or (moment is not None and moment >= since):
            high = middle
            found = row[0] if row else found
        else:
            low = row[0] + 1
    return found
