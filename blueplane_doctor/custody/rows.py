"""Finding messages' rows in the database by their unique index, many at a time, each row claimed once."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

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
        for (table, columns), wanted in by_index.items():
            keys = list(wanted)
            for start in range(0, len(keys), BATCH):
                for *values, sequence in self._rows(table, columns, keys[start : start + BATCH]):
                    found.setdefault(wanted[tuple(values)], []).append(sequence)
        return found

    def _rows(self, table: str, columns: tuple[str, ...], keys: list[tuple[str, ...]]) -> list[tuple[Any, ...]]:
        """CROSS JOIN keeps SQLite's order: each wanted key probes the index, the table is never scanned."""
        names = ", ".join(f"k{i}" for i in range(len(columns)))
        group = f"({', '.join('?' * len(columns))})"
        match = " AND ".join(f't."{column}" = w.k{i}' for i, column in enumerate(columns))
        sql = (
            f"WITH w({names}) AS (VALUES {', '.join([group] * len(keys))}) "
            f'SELECT {names}, t.sequence FROM w CROSS JOIN "{table}" AS t ON {match} ORDER BY t.sequence'
        )
        values = [value for key in keys for value in key]

        def ask(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
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
