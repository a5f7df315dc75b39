"""The rules on trends, one row for each case."""

from dataclasses import replace

import pytest

from blueplane_doctor.history.samples import Sample
from blueplane_doctor.history.trend import (
    CAUGHT_UP,
    DRAINING,
    FALLING_BEHIND,
    STALLED,
    STEADY,
    STOPPED,
    UNKNOWN,
    BacklogTrend,
    GroupSample,
    OneLook,
    group_metrics,
    group_samples,
    increase,
    is_fresh,
    judge_backlog,
    judge_one_look,
    loss_between,
    minutes_until,
    rate_per_minute,
)

START = 1_795_360_020


def test_what_is_written_and_lies_behind_a_rewound_group_is_no_backlog() -> None:
    samples = [GroupSample(START + 60 * minute, 1000, 21, 979, 0, 21_000, 979) for minute in range(10)]
    assert judge_backlog(samples, START + 540).state == CAUGHT_UP
    some_wait = [replace(sample, undelivered=986) for sample in samples]
    assert (judge_backlog(some_wait, START + 540).state, judge_backlog(some_wait, START + 540).backlog) == (STOPPED, 7)


def window(undelivered: list[int | None], delivered: list[int], pending: list[int] | None = None) -> list[GroupSample]:
    """One sample a minute. What was added never falls; what neither waits nor was read was trimmed."""
    pending = pending or [0] * len(undelivered)
    samples, added = [], 0
    for index, (waits, read, held) in enumerate(zip(undelivered, delivered, pending, strict=True)):
        added = max(added, read + (waits or 0))
        samples.append(GroupSample(START + 60 * index, added, read, waits, held, read * 1000))
    return samples


TEN = list(range(100, 1100, 100))
SAME = [500] * 10


@pytest.mark.parametrize(
    ("undelivered", "delivered", "pending", "state"),
    [
        pytest.param([9] * 9 + [0], [*([100] * 9), 109], None, CAUGHT_UP, id="zero now, whatever was before"),
        pytest.param([0] * 10, SAME, None, CAUGHT_UP, id="idle is no illness"),
        pytest.param([5] * 10, SAME, None, STOPPED, id="something waits, nothing is delivered"),
        pytest.param([0, *[5] * 9], SAME, None, STOPPED, id="one zero in the window hides no stop"),
        pytest.param([5, 5, 5, 5, 0, 5, 5, 5, 5, 5], SAME, None, STOPPED, id="nor one amid the stop (all was trimmed)"),
        pytest.param([0] * 9 + [7], SAME, None, STEADY, id="quiet stream, a message came just now"),
        pytest.param([0] * 6 + [1, 2, 3, 4], SAME, None, STEADY, id="still for less than half of the window"),
        pytest.param([0] * 4 + [1, 2, 3, 4, 5, 6], SAME, None, STOPPED, id="still for half of it"),
        pytest.param([0] * 10, SAME, [40] * 10, STALLED, id="held and never finished"),
        pytest.param([9] * 10, TEN, [n - 50 for n in TEN], STALLED, id="given ever more, finishes nothing"),
        pytest.param(list(range(10, 110, 10)), TEN, None, FALLING_BEHIND, id="moves, and the backlog only grows"),
        pytest.param([0, *range(10, 100, 10)], TEN, None, STEADY, id="a zero in the window: keeping up"),
        pytest.param([5] * 10, TEN, None, STEADY, id="a small steady backlog is no alarm"),
        pytest.param([10, 20, 15, 30, 25, 40, 35, 30, 28, 29], TEN, None, STEADY, id="up and down"),
        pytest.param(list(range(100, 0, -10)), TEN, None, DRAINING, id="shrinks"),
        pytest.param(
            [10, None, 30, None, 50, None, 70, 80, None, 100], TEN, None, FALLING_BEHIND, id="gaps are no zero"
        ),
        pytest.param([5, 5], [1, 1], None, UNKNOWN, id="two samples are too few"),
        pytest.param([None] * 10, SAME, None, UNKNOWN, id="never counted"),
        pytest.param([5] * 10, [*TEN[:9], 3], None, UNKNOWN, id="counters went back"),
    ],
)
def test_the_state_of_a_backlog(
    undelivered: list[int | None], delivered: list[int], pending: list[int] | None, state: str
) -> None:
    samples = window(undelivered, delivered, pending)
    assert judge_backlog(samples, samples[-1].time + 30).state == state


def test_a_lag_that_nobody_refreshed_is_not_current() -> None:
    samples = window([0] * 10, SAME)
    assert judge_backlog(samples, samples[-1].time + 180).state == CAUGHT_UP
    stale = judge_backlog(samples, samples[-1].time + 181)
    assert stale.state == UNKNOWN
    assert "3 min old" in stale.cause


def test_no_samples_at_all() -> None:
    assert judge_backlog([], START).state == UNKNOWN


def test_how_long_a_stop_lasts() -> None:
    samples = window([0, 0, *[5] * 8], SAME)
    assert judge_backlog(samples, samples[-1].time).still_for == 7 * 60


def test_how_long_draining_takes() -> None:
    samples = window(list(range(100, 0, -10)), TEN)
    trend = judge_backlog(samples, samples[-1].time)
    assert (trend.backlog, trend.per_minute) == (10, pytest.approx(-10))
    assert trend.minutes_left == pytest.approx(1)


def counted(*moments: tuple[int | None, int | None, int | None]) -> list[GroupSample]:
    """Samples of (added, read, undelivered)."""
    return [GroupSample(START + 60 * i, a, r, u, 0, None) for i, (a, r, u) in enumerate(moments)]


@pytest.mark.parametrize(
    ("moments", "count"),
    [
        pytest.param([(10, 10, 0), (20, 12, 8)], 0, id="what waits is not lost"),
        pytest.param([(10, 3, 7), (20, 3, 2), (20, 20, 0)], 15, id="seen once, then erased by the next read"),
        pytest.param([(10, 3, 2), (20, 13, 2), (20, 15, 0)], 0, id="an old loss that the server keeps showing"),
        pytest.param([(10, 3, 2), (20, 3, 2), (20, 5, 0)], 10, id="more of it beside an old one"),
        pytest.param([(9, 3, 1), (9, 9, 0), (20, 9, 8)], 3, id="erased, then another"),
        pytest.param([(20, 10, 5), (30, 25, 2)], 3, id="another, smaller, after an erased one"),
        pytest.param([(10, 10, 0), (None, None, 4), (20, 10, 5)], 5, id="an unknown sample in between"),
        pytest.param([(10, 10, 0)], None, id="one sample compares with nothing"),
        pytest.param([], None, id="none"),
        pytest.param([(100, 90, 10), (5, 0, 2)], None, id="the server was restarted in between"),
        pytest.param([(100, 90, 10), (5, 0, 5), (9, 0, 7)], 2, id="restarted, then a loss"),
        pytest.param([(10, 10, 0), (10, 20, 0)], None, id="counters that contradict each other"),
    ],
)
def test_loss_between_samples(moments: list[tuple[int | None, int | None, int | None]], count: int | None) -> None:
    assert loss_between(counted(*moments)).count == count


def test_when_a_loss_was_seen_and_what_could_not_be_compared() -> None:
    seen = loss_between(counted((10, 3, 7), (20, 3, 2), (20, 20, 0), (4, 0, 4), (None, 0, 1)))
    assert seen.losses == ((START + 60, 15),)
    assert [moment for moment, _ in seen.not_compared] == [START + 180, START + 240]
    assert "restarted" in seen.not_compared[0][1]


@pytest.mark.parametrize(
    ("values", "rate"),
    [([0, 10, 20], 10), ([5, 5, 5], 0), ([None, 30, None, 10], -10), ([1], None), ([None, None], None), ([], None)],
)
def test_rate_a_minute(values: list[float | None], rate: float | None) -> None:
    assert rate_per_minute([(START + 60 * i, v) for i, v in enumerate(values)]) == (rate and pytest.approx(rate))


@pytest.mark.parametrize(
    ("values", "added"), [([1, 4, 2, 5], 6), ([3, 3], 0), ([None, 2, None, 9], 7), ([4], None), ([], None)]
)
def test_increase(values: list[float | None], added: float | None) -> None:
    assert increase([(START + 60 * i, v) for i, v in enumerate(values)]) == added


@pytest.mark.parametrize(
    ("values", "minutes"),
    [
        pytest.param([100, 200, 300], 7, id="at its rate"),
        pytest.param([1, 2, 1000], 0, id="reached"),
        pytest.param([300, 200, 100], None, id="falling"),
        pytest.param([5, 5, 5], None, id="level"),
        pytest.param([1, 900], None, id="two points are a guess"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_minutes_until_a_limit(values: list[float | None], minutes: float | None) -> None:
    found = minutes_until([(START + 60 * i, v) for i, v in enumerate(values)], 1000)
    assert found == (minutes and pytest.approx(minutes))


def test_freshness() -> None:
    assert is_fresh([(START, 1), (START + 60, None)], START + 180)
    assert not is_fresh([(START, 1), (START + 60, None)], START + 181)
    assert not is_fresh([], START)


def test_a_group_is_picked_from_samples() -> None:
    values = dict(zip(group_metrics("processors"), (50.0, 40.0, 6.0, 4.0, 1_795_361_145_966.0, 2.0), strict=True))
    (sample,) = group_samples([Sample(START, values)], "processors")
    assert sample == GroupSample(START, 50, 40, 6, 4, 1_795_361_145_966, 2)
    assert (sample.waiting, sample.backlog, sample.finished, sample.unread_and_gone) == (4, 8, 36, 4)
    assert group_samples([Sample(START, {})], "processors")[0].backlog is None


MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (OneLook(0, 0, 0, 500, 100), BacklogTrend("caught up", 0)),
        (OneLook(20, 9 * MINUTE_MS, 5 * MINUTE_MS, 0, 0), BacklogTrend("stalled", 20, still_for=300)),
        (OneLook(20, 9 * MINUTE_MS, 5 * MINUTE_MS - 1, 0, 0), BacklogTrend("steady", 20)),
        (OneLook(99, 9 * MINUTE_MS, 0, 50, 50), BacklogTrend("steady", 99)),
        (OneLook(100, MINUTE_MS - 1, 0, 50, 50), BacklogTrend("steady", 100)),
        (OneLook(100, MINUTE_MS, 0, 50, 30), BacklogTrend("falling behind", 100, 30.0)),
        (OneLook(152, 9 * MINUTE_MS, 0, 12, 2.4), BacklogTrend("steady", 152)),
        (OneLook(152, 9 * MINUTE_MS, 0, 99, 19.8), BacklogTrend("steady", 152)),
        (OneLook(152, 9 * MINUTE_MS, 0, 100, 20), BacklogTrend("falling behind", 152, 20)),
        (OneLook(700, 2 * MINUTE_MS, 0, 900, -1), BacklogTrend("steady", 700)),
        (OneLook(700, 2 * MINUTE_MS, 0, -70, 130), BacklogTrend("draining", 700, -70, minutes_left=10)),
        (OneLook(700, 2 * MINUTE_MS, 0, 0, 0), BacklogTrend("steady", 700)),
    ],
    ids=[
        "nothing waits, whatever came",
        "nothing was written for five minutes",
        "nearly five minutes",
        "a small backlog",
        "a young backlog",
        "both rates grow: the smaller one",
        "twelve in flight beside stuck ones",
        "99 more than five minutes ago",
        "100 more than five minutes ago",
        "a burst of the last minute",
        "it is worked off in the last minute",
        "it stays as it is",
    ],
)
def test_the_trend_from_one_look(look: OneLook, expected: BacklogTrend) -> None:
    assert judge_one_look(look) == expected
