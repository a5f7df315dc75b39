"""Looks for the rows of what was delivered, until all are there or no more come."""

import time
from collections.abc import Callable, Sequence

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
    if not items:
        return []
    seen: list[Item] = []
    since = time.monotonic()
    while True:
        before = len(seen)
        seen = _seen(finder, items)
        if len(seen) == len(items):
            return seen
        if len(seen) > before:
            since = time.monotonic()
        if time.monotonic() - since >= patience:
            return seen
        if tick:
            tick()
        time.sleep(_PAUSE_SECONDS)


def count_rows(finder: RowFinder, keys: Sequence[RowKey]) -> dict[RowKey, int]:
    """How many rows each key has. Raises SourceError."""
    found = finder.find([key.lookup for key in keys])
    return {key: len(sequences) for key, sequences in zip(keys, found, strict=True)}


def _seen(finder: RowFinder, items: Sequence[Item]) -> list[Item]:
    keys: list[RowKey] = []
    for item in items:
        keys += item.keys
    # Of a key that is not unique, as many messages are written as there are rows.
    left = count_rows(finder, keys)
    seen = []
    for item in items:
        written = [key for key in item.keys if left[key] > 0]
        if written:
            seen.append(item)
            if not written[0].is_unique:
                left[written[0]] -= 1
    return seen
