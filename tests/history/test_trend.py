"""The rules on trends, one row for each case."""

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
    judge_backlog,
    judge_one_look,
)

START = 1_795_360_020


def test_what_is_written_and_lies_behind_a_rewound_group_is_no_backlog() -> None:
    samples = [GroupSample(START + 60 * minute, 1000, 21, 979, 0, 21_000, 979) for minute in range(10)]
    assert judge_backlog(samples, START + 540).state == CAUGHT_UP
    some_wait = [sample._replace(undelivered=986) for sample in samples]
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
