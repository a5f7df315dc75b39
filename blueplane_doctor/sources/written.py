"""How much was written lately, without reading the tables: `sequence` and `ingested_at` grow together.

So the first row of any time window is found by bisecting `sequence`, some 25 look-ups of single rows in 30 million,
where `WHERE ingested_at > ?` would read them all (that column has no index).
"""

import sqlite3
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.times import parse_time


class Written(NamedTuple):
    """Rows of all trace tables. Counts are differences of sequence numbers."""

    rows: dict[str, int]
    """Highest sequence number of each table."""
    last: datetime | None
    """When the newest row was written; `ingested_at` has a resolution of one second."""
    last_minute: int
    last_five_minutes: int
    last_hour: int
    last_by_table: dict[str, datetime | None]


def read_written(database: DatabaseSource, tables: tuple[str, ...], now: datetime) -> Written:
    """Raises SourceError."""
    windows = [now - timedelta(minutes=minutes) for minutes in (1, 5, 60)]
    totals, rows, newest = [0, 0, 0], {}, {}
    for table in tables:
        highest, last, counts = database.read(partial(_table, table=table, windows=windows))
        rows[table], newest[table] = highest, last
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
    last_of_all = max((moment for moment in newest.values() if moment), default=None)
    return Written(rows, last_of_all, totals[0], totals[1], totals[2], newest)


def _table(
    connection: sqlite3.Connection, table: str, windows: list[datetime]
) -> tuple[int, datetime | None, list[int]]:
    newest = connection.execute(
        f'SELECT sequence, ingested_at FROM "{table}" ORDER BY sequence DESC LIMIT 1'
    ).fetchone()
    if newest is None:
        return 0, None, [0] * len(windows)
    highest, last = newest[0], parse_time(newest[1])
    counts = [
        0 if last and last < window else highest + 1 - first_since(connection, table, window, highest)
        for window in windows
    ]
    return highest, last, counts


def first_since(connection: sqlite3.Connection, table: str, since: datetime, highest: int) -> int:
    """The smallest sequence number written at or after `since`; one past the highest when there is none."""
    low, high = 0, highest + 1
    found = high  # sequence numbers have gaps: what counts is the row, not where the bisection ends
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            f'SELECT sequence, ingested_at FROM "{table}" WHERE sequence >= ? ORDER BY sequence LIMIT 1',
            (middle,),
        ).fetchone()
        moment = parse_time(row[1]) if row else None
        if row is None or (moment is not None and moment >= since):
            high = middle
            found = row[0] if row else found
        else:
            low = row[0] + 1
    return found
