"""The bins are those of the package ddsketch, and are never more than 1 % off."""

import math
import random
from collections import Counter

import pytest
from ddsketch import DDSketch
from ddsketch.mapping import LogarithmicMapping
from hypothesis import given
from hypothesis import strategies as st

from blueplane_doctor.recording.minutes import BINS, LONGEST, SHORTEST, bin_of, quantile, seconds_of

durations = st.floats(min_value=SHORTEST * 1.01, max_value=LONGEST * 0.99)


def test_bins_are_those_of_ddsketch() -> None:
    mapping = LogarithmicMapping(0.01)
    chance = random.Random(4)
    for _ in range(2000):
        seconds = 10 ** chance.uniform(-8.9, 5.9)
        place = bin_of(seconds)
        assert place == mapping.key(seconds)
        assert seconds_of(place) == pytest.approx(mapping.value(place), rel=1e-9)


@given(durations)
def test_a_bin_stands_for_its_durations_within_one_percent(seconds: float) -> None:
    place = bin_of(seconds)
    assert place in BINS
    assert abs(seconds_of(place) - seconds) <= seconds * 0.01 * (1 + 1e-9)


@given(st.lists(durations, min_size=1, max_size=200), st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]))
def test_quantiles_are_within_one_percent_of_the_nearest_rank(values: list[float], share: float) -> None:
    found = quantile(Counter(map(bin_of, values)), share)
    true = sorted(values)[max(0, math.ceil(round(share * len(values), 6)) - 1)]
    assert found == pytest.approx(true, rel=0.0100001)


@pytest.mark.parametrize(("count", "rank"), [(1, 1), (2, 2), (19, 19), (20, 19), (21, 20), (100, 95), (101, 96)])
def test_of_few_values_the_right_one_is_taken(count: int, rank: int) -> None:
    bins = Counter(bin_of(float(number)) for number in range(1, count + 1))
    assert quantile(bins, 0.95) == pytest.approx(rank, rel=0.0100001)


def test_many_values_agree_with_ddsketch() -> None:
    chance = random.Random(5)
    values = [chance.lognormvariate(-4, 1) for _ in range(2001)]
    sketch = DDSketch(0.01)
    for value in values:
        sketch.add(value)
    bins = Counter(map(bin_of, values))
    for share in (0.05, 0.5, 0.95, 0.99):
        assert quantile(bins, share) == pytest.approx(sketch.get_quantile_value(share), rel=0.021)  # a bin apart


@pytest.mark.parametrize("seconds", [0, -1, SHORTEST, math.nan, -math.inf])
def test_what_is_no_positive_duration_counts_as_zero(seconds: float) -> None:
    assert bin_of(seconds) is None
    assert quantile({bin_of(seconds): 3}, 0.95) == 0


@pytest.mark.parametrize("seconds", [LONGEST, 1e12, math.inf])
def test_what_is_too_long_counts_as_the_longest(seconds: float) -> None:
    assert bin_of(seconds) == BINS[-1]


def test_nothing_has_no_quantile() -> None:
    assert quantile({}, 0.95) is None
