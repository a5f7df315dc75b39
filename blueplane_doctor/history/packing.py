"""One sample as a few bytes of a stream entry, and many entries back as series.

An entry holds only what changed since the entry before it; the first of every hour is whole, so that a reader can
begin there. Its bytes, little-endian:

    kind (1: whole, 0: changes) · minutes by which the sample is older than the entry's ID (2 bytes)
    how many metrics follow, and how many of them are gone, small steps, larger steps, singles (1 byte each)
    their numbers (1 byte each) in that order, doubles last
    the values: int8 and uint16 steps from the value before (from 0 where there was none), float32, float64

A metric number stands at most once in an entry, so one metric is found by a search for one byte, without unpacking the
rest: a week of minutes in about ten milliseconds. Integers are kept exactly, fractions to 7 significant digits.
"""

import struct
from collections.abc import Mapping, Sequence

from blueplane_doctor.history.series import MINUTE

Entries = tuple[Sequence[int], Sequence[bytes]]
"""Milliseconds of the entries' IDs, and their bytes. Two lists, for ten thousand pairs would wake the collector."""

WHOLE, CHANGES = 1, 0
_HEAD = struct.Struct("<BH5B")
_TOTAL = 3
"""Place of the number of metrics."""
_SINGLE = struct.Struct("<f")
_DOUBLE = struct.Struct("<d")
_STEP = struct.Struct("<H")
_LARGEST_SINGLE = 3.4e38
MOST_METRICS = 250
MOST_MINUTES_BACK = 65_535


def rounded(value: float) -> float:
    """The value as it will be read back: integers up to 2⁵³ exactly, else the nearest single or double."""
    value = float(value)
    if value.is_integer() or abs(value) > _LARGEST_SINGLE:
        return value
    single: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    return single


def _is_single(value: float) -> bool:
    return abs(value) <= _LARGEST_SINGLE and bool(_SINGLE.unpack(_SINGLE.pack(value))[0] == value)


def pack(before: Mapping[int, float] | None, now: Mapping[int, float], minutes_back: int) -> bytes:
    """The bytes of a sample, by metric number; `before` None makes an entry that stands alone."""
    known = before or {}
    gone = sorted(set(known) - set(now))
    small: list[tuple[int, int]] = []
    larger: list[tuple[int, int]] = []
    singles: list[tuple[int, float]] = []
    doubles: list[tuple[int, float]] = []
    for number, value in sorted(now.items()):
        if number in known and known[number] == value:
            continue
        base = known.get(number, 0.0)
        step = int(value - base) if value.is_integer() and base.is_integer() else None
        if step is not None and -128 <= step <= 127:
            small.append((number, step))
        elif step is not None and 0 <= step <= 65_535:
            larger.append((number, step))
        elif _is_single(value):
            singles.append((number, value))
        else:
            doubles.append((number, value))
    groups: tuple[Sequence[tuple[int, float]], ...] = (small, larger, singles, doubles)
    counts = [len(gone), *(len(group) for group in groups)]
    numbers = bytes([*gone, *(number for group in groups for number, _ in group)])
    values = [value for group in groups for _, value in group]
    layout = f"<{counts[1]}b{counts[2]}H{counts[3]}f{counts[4]}d"
    kind = WHOLE if before is None else CHANGES
    return _HEAD.pack(kind, minutes_back, len(numbers), *counts[:-1]) + numbers + struct.pack(layout, *values)


def is_whole(data: bytes) -> bool:
    """Whether a reader can begin at this entry."""
    return data[0] == WHOLE


def unpack_all(data: bytes, state: dict[int, float]) -> None:
    """Bring the values of all metrics, by number, to what this entry says."""
    kind, _, total, gone, small, larger, singles = _HEAD.unpack_from(data)
    if kind == WHOLE:
        state.clear()
    doubles = total - gone - small - larger - singles
    numbers = data[_HEAD.size : _HEAD.size + total]
    for number in numbers[:gone]:
        state.pop(number, None)
    values = struct.unpack_from(f"<{small}b{larger}H{singles}f{doubles}d", data, _HEAD.size + total)
    for index, number in enumerate(numbers[gone:]):
        step = index < small + larger
        state[number] = float(values[index] + (state.get(number, 0.0) if step else 0))


def series_of(number: int, entries: Entries) -> dict[int, float]:
    """One metric's values by second, from the first whole entry on; of a minute that stands twice, the later one.

    The hot loop of every read: ten thousand entries, most of which only say that nothing changed.
    """
    head, sought = _HEAD.size, bytes([number])
    points: dict[int, float] = {}
    began, value = False, None
    for milliseconds, data in zip(*entries, strict=True):
        if data[0] == WHOLE:
            began, value = True, None
        elif not began:
            continue
        place = data.find(sought, head, head + data[_TOTAL])
        if place >= 0:
            value = _value(data, place - head, value)
        if value is not None:
            points[(milliseconds // 60_000 - data[1] - 256 * data[2]) * MINUTE] = value
    return points


def _value(data: bytes, place: int, before: float | None) -> float | None:
    """What the entry says of the metric in this place of its numbers."""
    _, _, total, gone, small, larger, singles = _HEAD.unpack_from(data)
    at, place = _HEAD.size + total, place - gone
    if place < 0:
        return None
    if place < small:
        step: int = data[at + place]
        return (before or 0.0) + (step - 256 if step > 127 else step)
    at, place = at + small, place - small
    if place < larger:
        return float((before or 0.0) + _STEP.unpack_from(data, at + 2 * place)[0])
    at, place = at + 2 * larger, place - larger
    if place < singles:
        return float(_SINGLE.unpack_from(data, at + 4 * place)[0])
    return float(_DOUBLE.unpack_from(data, at + 4 * singles + 8 * (place - singles))[0])
