"""The tables that traces are written to: rows by their keys, and how much was written lately.

`sequence` and `ingested_at` grow together. So the first row of a time window is found by bisecting `sequence`: some 25
look-ups in 30 million rows, where `WHERE ingested_at > ?` would read them all (that column has no index).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from itertools import chain
from sqlite3 import Connection
from typing import NamedTuple

from blueplane_doctor.errors import SourceUnusable
from blueplane_doctor.privacy.known_names import TABLES
from blueplane_doctor.privacy.public_text import known_or_hidden
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.text.times import milliseconds_of, parse_time

BATCH = 500
"""Keys of one query; more gain nothing (docs/BENCHMARKS.md), and SQLite allows 32,766 values."""
_STEP = 50
"""A query is for a multiple of so many keys; more are asked for with the value NULL, which no key has.

So there are few queries, and SQLite keeps them prepared: to prepare one takes as long as to answer it.
"""


class Lookup(NamedTuple):
    """A row to look for: the table, its columns, and the value of each."""

    table: str
    columns: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def is_unique(self) -> bool:
        """Whether a second row of this key is refused: rows of one session may have the same time."""
        return not _is_by_time(self.columns)


def _is_by_time(columns: tuple[str, ...]) -> bool:
    return columns[-1] == "timestamp"


class RowFinder:
    """Finds rows by their unique index, at a cost that grows with the keys asked for, not with the table."""

    def __init__(self, database: DatabaseSource) -> None:
        self._database = database
        self._with_uuid: dict[str, bool] = {}
        """Whether rows of a table may have a uuid; only of tables that were looked through by time."""

    def find(self, lookups: Iterable[Lookup]) -> list[list[int]]:
        """For each key, at its place, the `sequence` numbers of its rows, ascending. Raises SourceError."""
        by_index: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], list[int]]] = defaultdict(dict)
        found: list[list[int]] = []
        for table, columns, values in lookups:
            # Several messages of one key are looked up once, and have the same list.
            found.append(by_index[table, columns].setdefault(values, []))
        for (table, columns), distinct in by_index.items():
            keys = list(distinct)
            rows = list(distinct.values())
            for start in range(0, len(keys), BATCH):
                self._find_batch(table, columns, keys[start : start + BATCH], rows[start : start + BATCH])
        return found

    def time_of(self, table: str, sequence: int) -> int | None:
        """The time of the event of a row, in milliseconds since 1970; None where it tells none. Raises SourceError."""
        for (text,) in self._database.rows(f'SELECT timestamp FROM "{table}" WHERE sequence = ?', [sequence]):
            return milliseconds_of(str(text))
        return None

    def _find_batch(
        self, table: str, columns: tuple[str, ...], keys: list[tuple[str, ...]], sequences: list[list[int]]
    ) -> None:
        """Append the rows of each key to the list at the same place of `sequences`."""
        values: list[str | None] = list(chain.from_iterable(keys))
        missing = -len(keys) % _STEP
        values += [None] * (missing * len(columns))
        query = _query(table, columns, len(keys) + missing, without_uuid=self._must_lack_uuid(table, columns))
        for place, sequence in self._database.rows(query, values):
            if type(sequence) is not int:
                sequence_of(sequence, table)  # raises; not called for each row, of which there may be a million
            sequences[place].append(sequence)
        for of_one_key in sequences:
            if len(of_one_key) > 1:
                of_one_key.sort()

    def _must_lack_uuid(self, table: str, columns: tuple[str, ...]) -> bool:
        """Whether a row counts only without a uuid: looked for by its time, one that has a uuid is not meant."""
        if not _is_by_time(columns):
            return False
        if table not in self._with_uuid:
            self._with_uuid[table] = "uuid" in self._database.columns(table)
        return self._with_uuid[table]


@lru_cache(maxsize=64)
def _query(table: str, columns: tuple[str, ...], keys: int, *, without_uuid: bool) -> str:
    """A query for (place of the key, sequence) of each row that has one of so many keys.

    The wanted keys stand in a table of their own, made of VALUES. CROSS JOIN keeps the order of the two tables: each
    wanted key probes the index, and the large table is never scanned. Nothing is sorted here: that would take as long
    as to find the rows, and hardly any key has several. It is kept, because writing it takes a fifth of the time of
    asking.
    """
    key_columns = [f"k{number}" for number in range(len(columns))]
    marks = ", ".join("?" * len(columns))
    wanted = ", ".join(f"({place}, {marks})" for place in range(keys))
    conditions = []
    for column, key in zip(columns, key_columns, strict=True):
        conditions.append(f't."{column}" = w.{key}')
    match = " AND ".join(conditions)
    if without_uuid:
        match += ' AND t."uuid" IS NULL'
    return (
        f"WITH w(place, {', '.join(key_columns)}) AS (VALUES {wanted}) "
        f'SELECT place, t.sequence FROM w CROSS JOIN "{table}" AS t ON {match}'
    )


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
    """What was written to these tables until `now`. Raises SourceError."""
    windows = [now - timedelta(minutes=minutes) for minutes in (1, 5, 60)]
    totals = [0] * len(windows)
    rows: dict[str, int] = {}
    newest: dict[str, datetime | None] = {}
    for table in tables:
        rows[table], newest[table], counts = database.read(partial(_read_table, table=table, windows=windows))
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
    minute, five_minutes, hour = totals
    return Written(
        rows=rows,
        last=max(filter(None, newest.values()), default=None),
        last_minute=minute,
        last_five_minutes=five_minutes,
        last_hour=hour,
        last_by_table=newest,
    )


def _read_table(connection: Connection, table: str, windows: list[datetime]) -> tuple[int, datetime | None, list[int]]:
    """The highest sequence number, when that row was written, and the rows written in each window."""
    sql = f'SELECT sequence, ingested_at FROM "{table}" ORDER BY sequence DESC LIMIT 1'
    newest = connection.execute(sql).fetchone()
    if newest is None:
        return 0, None, [0] * len(windows)
    highest = sequence_of(newest[0], table)
    last = parse_time(newest[1])
    counts = []
    for window in windows:
        if last and last < window:
            counts.append(0)
        else:
            counts.append(highest + 1 - first_since(connection, table, window, highest))
    return highest, last, counts


def count_rows(database: DatabaseSource, tables: tuple[str, ...], since: datetime, limit: int) -> int:
    """The rows since then that are there, at most `limit` of each table: a sequence number may stand for none.

    Raises SourceError.
    """
    total = 0
    for table in tables:
        total += database.read(partial(_count_table, table=table, since=since, limit=limit))
    return total


def _count_table(connection: Connection, table: str, since: datetime, limit: int) -> int:
    first = sequence_since(connection, table, since)
    sql = f'SELECT count(*) FROM (SELECT 1 FROM "{table}" WHERE sequence >= ? LIMIT ?)'
    count: int = connection.execute(sql, (first, limit)).fetchone()[0]
    return count


def read_ingested(database: DatabaseSource, table: str, sequences: Sequence[int]) -> dict[int, datetime]:
    """When these rows were written, by their sequence numbers; without those that are gone. Raises SourceError."""
    ingested: dict[int, datetime] = {}
    for start in range(0, len(sequences), BATCH):
        batch = sequences[start : start + BATCH]
        marks = ", ".join("?" * len(batch))
        sql = f'SELECT sequence, ingested_at FROM "{table}" WHERE sequence IN ({marks})'
        for sequence, text in database.rows(sql, batch):
            moment = parse_time(text)
            if moment is not None:
                ingested[sequence_of(sequence, table)] = moment
    return ingested


def sequence_since(connection: Connection, table: str, moment: datetime) -> int:
    """The smallest sequence number written at or after a moment; one that no row has where there is none."""
    row = connection.execute(f'SELECT sequence FROM "{table}" ORDER BY sequence DESC LIMIT 1').fetchone()
    if row is None:
        return 0
    return first_since(connection, table, moment, sequence_of(row[0], table))


def sequence_of(value: object, table: str) -> int:
    """A value of the column `sequence`. Raises SourceUnusable for what is no number of a row."""
    if isinstance(value, int):
        return value
    shown = known_or_hidden(table, TABLES)
    raise SourceUnusable(
        f"the table {shown} is not as the pipeline makes it: its column sequence holds something else than numbers",
        "see which program made that table; the database is named by blueplane-doctor settings",
    )


def first_since(connection: Connection, table: str, since: datetime, highest: int) -> int:
    """The smallest sequence number written at or after `since`; `highest` + 1 when there is none."""
    low = 0
    high = highest + 1
    # Sequence numbers have gaps: the answer is the number of the row that was read, not where the bisection ends.
    first = high
    sql = f'SELECT sequence, ingested_at FROM "{table}" WHERE sequence >= ? ORDER BY sequence LIMIT 1'
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(sql, (middle,)).fetchone()
        if row is None:  # no row from the middle on: look below
            high = middle
            continue
        sequence = sequence_of(row[0], table)
        moment = parse_time(row[1])
        if moment is not None and moment >= since:
            high = middle
            first = sequence
        else:
            low = sequence + 1  # skips the gap as well
    return first
