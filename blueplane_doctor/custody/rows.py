"""Finding messages' rows in the database by their unique index, many at a time, each row claimed once."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable

from blueplane_doctor.custody.routing import Lookup
from blueplane_doctor.sources.database_source import DatabaseSource

BATCH = 200
"""Keys looked up by one query; SQLite allows 32,766 values, and larger batches gain nothing."""
_CHUNK_BITS = 1 << 16


class RowFinder:
    """Asks the database for rows, batch by batch. Cost grows with the keys asked for, not with the table."""

    def __init__(self, database: DatabaseSource) -> None:
        self._database = database

    def find(self, lookups: Iterable[Lookup]) -> dict[Lookup, list[int]]:
        """For each key that has rows, their `sequence` numbers, ascending. Raises SourceError."""
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

        CROSS JOIN keeps SQLite's order: each wanted key probes the index, the table is never scanned.
        """
        names = ", ".join(f"k{i}" for i in range(len(columns)))
        marks = ", ".join("?" * len(columns))
        match = " AND ".join(f't."{column}" = w.k{i}' for i, column in enumerate(columns))
        sql = (
            f"WITH w(place, {names}) AS (VALUES {', '.join(f'({i}, {marks})' for i in range(len(batch)))}) "
            f'SELECT place, t.sequence FROM w CROSS JOIN "{table}" AS t ON {match} ORDER BY t.sequence'
        )
        values = [value for lookup in batch for value in lookup.values]

        def ask(connection: sqlite3.Connection) -> list[tuple[int, int]]:
            return connection.execute(sql, values).fetchall()

        return self._database.read(ask)


class Claims:
    """Which rows a message has already claimed: one bit a row, in chunks, so that 30 million rows cost 4 MB."""

    def __init__(self) -> None:
        self._chunks: dict[tuple[str, int], bytearray] = {}

    def claim(self, table: str, sequence: int) -> bool:
        """Claim a row; False when an earlier message has it."""
        chunk, bit = divmod(sequence, _CHUNK_BITS)
        bits = self._chunks.get((table, chunk))
        if bits is None:
            bits = self._chunks[table, chunk] = bytearray(_CHUNK_BITS // 8)
        byte, mask = bit >> 3, 1 << (bit & 7)
        if bits[byte] & mask:
            return False
        bits[byte] |= mask
        return True
