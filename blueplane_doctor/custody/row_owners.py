"""Whose row it is that has a message's key: another message of the same key may have written it."""

from collections.abc import Collection, Iterable

from blueplane_doctor.sources.trace_tables import Lookup, RowFinder


def rows_are_others(rows: RowFinder, lookups: Iterable[Lookup], times: Collection[int | None]) -> bool:
    """Whether there are rows of its unique keys, and all of them have another time than its own. Raises SourceError.

    `times`: those that its own row may have, in milliseconds since 1970; None where one cannot be told.
    """
    if None in times:
        return False
    unique = [lookup for lookup in lookups if lookup.is_unique]
    row_times: set[int | None] = set()
    for lookup, sequences in zip(unique, rows.find(unique), strict=True):
        for sequence in sequences:
            row_times.add(rows.time_of(lookup.table, sequence))
    # A time that cannot be read may be its own.
    return bool(row_times) and None not in row_times and row_times.isdisjoint(times)
