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

Entries = Iterable[tuple[Sequence[int], bytes]]
"""Minutes since 1970 that an entry holds, as `minutes_of` tells them, and its bytes."""
Rows = Mapping[int, Mapping[int, float]]
"""By minute since 1970 and number of the metric."""

_HEAD = struct.Struct("<H6B")
_CONSTANT, _SINGLES, _DOUBLES = 0, 4, 5
_KINDS = ("", "B", "H", "I", "f", "d")
_BASE = struct.Struct("<d")
_BASED = _KINDS[:_SINGLES]
_SINGLE = struct.Struct("<f")
_LARGEST_SINGLE = 3.4e38
MOST_METRICS = 250


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
    kinds: list[list[tuple[int, bytes]]] = [[] for _ in _KINDS]
    for number in sorted({number for values in rows.values() for number in values}):
        kind, data = _packed([rows[minute].get(number) for minute in minutes])
        kinds[kind].append((number, data))
    columns = [column for kind in kinds for column in kind]
    return b"".join(
        (
            _HEAD.pack(len(minutes), *(len(kind) for kind in kinds)),
            struct.pack(f"<{len(minutes)}H", *(at - minute for minute in minutes)),
            bytes(number for number, _ in columns),
            *(data for _, data in columns),
        )
    )


def _packed(values: Sequence[float | None]) -> tuple[int, bytes]:
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    if len(known) == len(values) and low == high:
        return _CONSTANT, _BASE.pack(low)
    if len(known) == len(values) and high - low < 2**32 and all(value.is_integer() for value in known):
        kind = 1 if high - low < 2**8 else 2 if high - low < 2**16 else 3
        return kind, struct.pack(f"<d{len(known)}{_KINDS[kind]}", low, *(int(value - low) for value in known))
    kind = _SINGLES if all(_is_single(value) for value in known) else _DOUBLES
    return kind, struct.pack(f"<{len(values)}{_KINDS[kind]}", *(math.nan if v is None else v for v in values))


def _is_single(value: float) -> bool:
    return abs(value) <= _LARGEST_SINGLE and bool(_SINGLE.unpack(_SINGLE.pack(value))[0] == value)


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
    return [at - back for back in struct.unpack_from(f"<{count}H", data, _HEAD.size)]


def _known(minutes: Sequence[int], values: Sequence[float]) -> Iterable[tuple[int, float]]:
    """What is not-a-number was not known; a sum tells at once that none is."""
    pairs = zip(minutes, values, strict=False)
    return (pair for pair in pairs if pair[1] == pair[1]) if math.isnan(sum(values)) else pairs


def _numbers(data: bytes) -> bytes:
    count, *kinds = _HEAD.unpack_from(data)
    begin = _HEAD.size + 2 * count
    return data[begin : begin + sum(kinds)]


def _values(number: int, data: bytes) -> Sequence[float]:
    count, *kinds = _HEAD.unpack_from(data)
    numbers = _numbers(data)
    place = numbers.find(number)
    if place < 0:
        return ()
    at = _HEAD.size + 2 * count + len(numbers)
    for kind, columns in zip(_KINDS, kinds, strict=True):
        width = _width(kind, count)
        if place < columns:
            return _column(kind, count, data, at + place * width)
        place -= columns
        at += columns * width
    return ()


def _width(kind: str, count: int) -> int:
    return (_BASE.size if kind in _BASED else 0) + (count * struct.calcsize(f"<{kind}") if kind else 0)


def _column(kind: str, count: int, data: bytes, at: int) -> Sequence[float]:
    if kind not in _BASED:
        return struct.unpack_from(f"<{count}{kind}", data, at)
    (low,) = _BASE.unpack_from(data, at)
    if not kind:
        return (low,) * count
    return [low + above for above in struct.unpack_from(f"<{count}{kind}", data, at + _BASE.size)]
