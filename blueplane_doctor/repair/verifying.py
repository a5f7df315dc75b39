"""Looks for the rows of what was delivered, until all are there or no more come."""

import time
from collections.abc import Callable, Mapping, Sequence

from blueplane_doctor.repair.plan import Item, RowKey
from blueplane_doctor.sources.trace_tables import RowFinder

PATIENCE_SECONDS = 10.0
"""Without another row for so long, the rest is said to be not written: a batch takes milliseconds, or a second."""
_PAUSE_SECONDS = 0.2


def rows_seen(
    finder: RowFinder,
    items: Sequence[Item],
    patience: float = PATIENCE_SECONDS,
    tick: Callable[[], None] | None = None,
) -> list[Item]:
    """The items whose rows are there. `tick` is called between two looks. Raises SourceError."""
    seen: set[int] = set()
    settled: set[int] = set()
    since = time.monotonic()
    while True:
        before = len(seen)
        left = {}
        for place, item in enumerate(items):
            if place not in settled:
                left[place] = item
        seen = settled | _seen(finder, left)
        # A row with a unique key stays its message's; of other keys the number of rows counts, so all are counted anew.
        settled = set()
        for place in seen:
            if all(key.is_unique for key in items[place].keys):
                settled.add(place)
        if len(seen) > before:
            since = time.monotonic()
        if len(seen) == len(items) or time.monotonic() - since >= patience:
            return [items[place] for place in sorted(seen)]
        if tick:
            tick()
        time.sleep(_PAUSE_SECONDS)


def count_rows(finder: RowFinder, keys: Sequence[RowKey]) -> dict[RowKey, int]:
    """How many rows each key has. Raises SourceError."""
    found = finder.find([key.lookup for key in keys])
    counts = {}
    for key, sequences in zip(keys, found, strict=True):
        counts[key] = len(sequences)
    return counts


def has_row(finder: RowFinder, keys: Sequence[RowKey]) -> bool:
    """Whether any of these keys has a row. Raises SourceError."""
    return any(count_rows(finder, keys).values())


def _seen(finder: RowFinder, items: Mapping[int, Item]) -> set[int]:
    """The places of the items that have a row."""
    keys: list[RowKey] = []
    for item in items.values():
        keys += item.keys
    # Of a key that is not unique, as many messages are written as there are rows.
    left = count_rows(finder, keys)
    seen = set()
    for place, item in items.items():
        written = [key for key in item.keys if left[key] > 0]
        if written:
            seen.add(place)
            if not written[0].is_unique:
                left[written[0]] -= 1
    return seen
