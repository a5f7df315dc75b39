"""Samples as the bytes of a stream entry, one or an hour of them, and many entries back as series.

An entry stands alone. Its values lie by metric, for most metrics move little within an hour. Its bytes, little-endian:

    how many minutes (2 bytes); how many metrics are constant, bytes, words, double words, singles, doubles (1 byte
    each)
    for each minute by how much it is older than the entry's ID (2 bytes), oldest first
    the metrics' numbers (1 byte each), in that order
    their values: of integers the smallest (float64) and by how much each minute is above it; else float32 or float64,
    not-a-number where a minute does not know the metric

A week of one metric is 170 searches for one byte, and as many calls that unpack an hour. Integers are kept exactly,
fractions to 7 significant digits.
"""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence

from blueplane_doctor.history.samples import is_kept

Entries = Iterable[tuple[Sequence[int], bytes]]
"""Minutes since 1970 that an entry holds, as `minutes_of` tells them, and its bytes."""
Rows = Mapping[int, Mapping[int, float]]
"""By minute since 1970 and number of the metric."""

_HEAD = struct.Struct("<H6B")
_KINDS = ("", "B", "H", "I", "f", "d")
"""struct's letter for the values of each kind, in the order of the head; a constant has none."""
_CONSTANT = 0
_BYTES = 1
_WORDS = 2
_DOUBLE_WORDS = 3
_SINGLES = 4
_DOUBLES = 5
_BASE = struct.Struct("<d")
_BASED = _KINDS[:_SINGLES]
"""Kinds of integers, which begin with the smallest value."""
_SINGLE = struct.Struct("<f")
_LARGEST_SINGLE = 3.4e38
MOST_METRICS = 250
"""A metric's number is one byte, and so is the count of the metrics of a kind."""


def rounded(value: float) -> float:
    """The value as it will be read back: integers up to 2⁵³ exactly, else the nearest single or double."""
    value = float(value)
    if value.is_integer() or abs(value) > _LARGEST_SINGLE:
        return value
    single: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    return single


def pack(at: int, rows: Rows) -> bytes:
    """The bytes of these minutes; `at` is the minute of the entry's ID, which none of them is after."""
    minutes = sorted(rows)
    numbers: set[int] = set()
    for values in rows.values():
        numbers.update(values)
    columns: list[list[tuple[int, bytes]]] = [[] for _ in _KINDS]
    for number in sorted(numbers):
        kind, data = _packed([rows[minute].get(number) for minute in minutes])
        columns[kind].append((number, data))
    order = bytearray()
    values_of_all = bytearray()
    for of_one_kind in columns:
        for number, data in of_one_kind:
            order.append(number)
            values_of_all += data
    # The order of kinds is that of the head: a reader finds a column by adding up the widths of those before it.
    head = _HEAD.pack(len(minutes), *map(len, columns))
    # Two bytes are 45 days, and nothing is kept so long.
    ages = struct.pack(f"<{len(minutes)}H", *(at - minute for minute in minutes))
    return head + ages + bytes(order) + bytes(values_of_all)


def _packed(values: Sequence[float | None]) -> tuple[int, bytes]:
    """One metric's values in the smallest kind that gives them back unchanged."""
    known = [value for value in values if value is not None]
    low = min(known)
    high = max(known)
    if len(known) == len(values):  # only fractions have a value that says "not known"
        if low == high:
            return _CONSTANT, _BASE.pack(low)
        if high - low < 2**32 and all(value.is_integer() for value in known):
            kind = _kind_of_integers(high - low)
            above = [int(value - low) for value in known]
            return kind, struct.pack(f"<d{len(above)}{_KINDS[kind]}", low, *above)
    kind = _DOUBLES
    if all(_is_single(value) for value in known):
        kind = _SINGLES
    filled = [math.nan if value is None else value for value in values]
    return kind, struct.pack(f"<{len(filled)}{_KINDS[kind]}", *filled)


def _kind_of_integers(largest: float) -> int:
    if largest < 2**8:
        return _BYTES
    if largest < 2**16:
        return _WORDS
    return _DOUBLE_WORDS


def _is_single(value: float) -> bool:
    """Whether 4 bytes hold the value without loss."""
    return abs(value) <= _LARGEST_SINGLE and bool(_SINGLE.unpack(_SINGLE.pack(value))[0] == value)


def is_packed(data: bytes) -> bool:
    """Whether these bytes are those of an entry, to the last one: anything else was written by no recorder."""
    if len(data) < _HEAD.size:
        return False
    count, *kinds = _HEAD.unpack_from(data)
    values = 0
    for kind, columns in zip(_KINDS, kinds, strict=True):
        values += columns * _width(kind, count)
    size: int = _HEAD.size + 2 * count + sum(kinds) + values
    # An hour of metrics with other numbers could not be packed: their count is one byte.
    return len(data) == size and max(_numbers(data), default=0) < MOST_METRICS


def rows_of(entries: Entries) -> dict[int, dict[int, float]]:
    """All values by minute and metric; of a minute that stands in several entries, the later value of each metric."""
    rows: dict[int, dict[int, float]] = {}
    for minutes, data in entries:
        for number in _numbers(data):
            for minute, value in _known(minutes, _values(number, data)):
                rows.setdefault(minute, {})[number] = value
    return rows


def series_of(number: int, entries: Entries) -> dict[int, float]:
    """One metric's values by minute; of a minute that stands in several entries, the later one."""
    points: dict[int, float] = {}
    for minutes, data in entries:
        points.update(_known(minutes, _values(number, data)))
    return points


def minutes_of(at: int, data: bytes) -> list[int]:
    """The minutes of an entry, whose ID is in minute `at`."""
    count, *_ = _HEAD.unpack_from(data)
    ages = struct.unpack_from(f"<{count}H", data, _HEAD.size)
    return [at - age for age in ages]


def _known(minutes: Sequence[int], values: Sequence[float]) -> Iterable[tuple[int, float]]:
    """Minutes and values, without those that were not known (not-a-number), or that no recorder writes."""
    # Not strict: an entry that does not hold the metric has no values.
    pairs = zip(minutes, values, strict=False)
    # One of these shows in the sum: so a whole hour is asked in one call, and seldom value by value.
    if is_kept(sum(values)):
        return pairs
    return [(minute, value) for minute, value in pairs if is_kept(value)]


def _numbers(data: bytes) -> bytes:
    """Numbers of the entry's metrics, in the order in which their values lie."""
    count, *kinds = _HEAD.unpack_from(data)
    begin = _HEAD.size + 2 * count
    return data[begin : begin + sum(kinds)]


def _values(number: int, data: bytes) -> Sequence[float]:
    """One metric's values, one a minute; none when the entry does not hold it."""
    count, *kinds = _HEAD.unpack_from(data)
    numbers = _numbers(data)
    place = numbers.find(number)
    if place < 0:
        return ()
    at = _HEAD.size + 2 * count + len(numbers)
    # Columns of one kind are equally wide: whole kinds are skipped until the one in which `place` lies.
    for kind, columns in zip(_KINDS, kinds, strict=True):
        width = _width(kind, count)
        if place < columns:
            return _column(kind, count, data, at + place * width)
        place -= columns
        at += columns * width
    return ()


def _width(kind: str, count: int) -> int:
    """Bytes of one metric's values."""
    width = 0
    if kind in _BASED:
        width += _BASE.size
    if kind:
        width += count * struct.calcsize(f"<{kind}")
    return width


def _column(kind: str, count: int, data: bytes, at: int) -> Sequence[float]:
    if kind not in _BASED:
        return struct.unpack_from(f"<{count}{kind}", data, at)
    (low,) = _BASE.unpack_from(data, at)
    if not kind:
        return (low,) * count
    return [low + above for above in struct.unpack_from(f"<{count}{kind}", data, at + _BASE.size)]
