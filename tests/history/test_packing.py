"""What entries hold, and what a reader makes of several that tell of one minute."""

import math
import random

import pytest

from blueplane_doctor.history.packing import is_packed, minutes_of, pack, rows_of, series_of

Rows = dict[int, dict[int, float]]


def entry(at: int, rows: Rows) -> tuple[list[int], bytes]:
    data = pack(at, rows)
    return minutes_of(at, data), data


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ([5, 5, 5], 8),
        ([5, 7, 260], 8 + 3),
        ([-3, 0, 65_000], 8 + 6),
        ([2**52, 2**52 + 2**31, 2**52], 8 + 12),
        ([0.5, 1, -2.25], 12),
        ([1e-40, 2**53, 0.1], 24),
        ([0, 2**40 + 1, 1], 24),
    ],
    ids=["constant", "bytes", "words", "double-words", "singles", "doubles", "too-wide"],
)
def test_every_kind_comes_back_in_few_bytes(values: list[float], size: int) -> None:
    rows: Rows = {100 + index: {7: float(value)} for index, value in enumerate(values)}
    found = entry(102, rows)
    assert rows_of([found]) == rows
    assert series_of(7, [found]) == {minute: value[7] for minute, value in rows.items()}
    assert len(found[1]) - len(entry(102, {minute: {} for minute in rows})[1]) - 1 == size


def test_an_hour_of_everything_comes_back() -> None:
    chance = random.Random(5)
    rows: Rows = {}
    for minute in range(1000, 1060):
        constant = {number: float(number) for number in range(50)}
        counters = {number: float(minute * number) for number in range(50, 120)}
        rows[minute] = (
            constant | counters | {number: chance.random() for number in range(120, 250) if chance.random() < 0.9}
        )
    assert rows_of([entry(1059, rows)]) == rows


def test_what_a_minute_does_not_know_is_no_value() -> None:
    found = entry(3, {1: {1: 5.0, 2: 6.0}, 2: {2: 6.0}, 3: {2: 7.0, 3: 1.0}})
    assert series_of(1, [found]) == {1: 5}
    assert series_of(2, [found]) == {1: 6, 2: 6, 3: 7}
    assert series_of(3, [found]) == {3: 1}
    assert series_of(4, [found]) == {}


def test_of_two_entries_the_later_one_tells_what_it_knows() -> None:
    entries = [entry(5, {4: {1: 1.0, 2: 2.0}}), entry(6, {4: {1: 9.0}, 6: {1: 3.0}})]
    assert series_of(1, entries) == {4: 9, 6: 3}
    assert series_of(2, entries) == {4: 2}
    assert rows_of(entries) == {4: {1: 9, 2: 2}, 6: {1: 3}}
    assert not any(math.isnan(value) for values in rows_of(entries).values() for value in values.values())


def test_an_entry_is_told_from_other_bytes() -> None:
    _, data = entry(3, {1: {1: 5.0, 2: 6.5}, 3: {2: 7.0, 3: 1e300}})
    assert is_packed(data)
    assert not is_packed(data + b"\0")
    for length in range(len(data)):
        assert not is_packed(data[:length])


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_values_that_are_no_numbers_are_not_known(value: float) -> None:
    assert series_of(1, [entry(2, {1: {1: value}, 2: {1: 5.5}})]) == {2: 5.5}
