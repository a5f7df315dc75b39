"""When a cause begins and ends: blips, flapping, sleep, restarts, unknown; whole weeks of the demo's faults."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blueplane_doctor.demo.faults import FAULTS, demo_pipeline
from blueplane_doctor.model import Status
from blueplane_doctor.notifying.incidents import STABLE_SAMPLES, UNKNOWN_SAMPLES, open_incidents
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.message import Message
from blueplane_doctor.notifying.observation import Observation, observed
from tests.helpers import examined
from tests.notifying.replay import DAY, GREEN, MINUTE, START, UNKNOWN, Replay, observation, problem

BAD = observation(problem())
LOSS = observation(problem("trimmed", Status.RED, "lost-before-delivery", is_loss=True))


@pytest.fixture
def replay() -> Replay:
    replay = Replay()
    replay.samples(GREEN, 5)
    return replay


def test_two_bad_samples_open_and_three_good_ones_close(replay: Replay) -> None:
    replay.samples(BAD, 1)
    assert replay.told == []
    replay.samples(BAD, 1)
    assert replay.kinds == [Kind.OPENED]
    replay.samples(GREEN, 2)
    assert replay.kinds == [Kind.OPENED]
    replay.samples(GREEN, 1)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]
    replay.samples(GREEN, 100)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]


def test_a_blip_is_not_told(replay: Replay) -> None:
    for _ in range(3):
        replay.samples(BAD, 1)
        replay.samples(GREEN, 30)
    assert replay.told == []


def test_a_loss_is_told_at_once(replay: Replay) -> None:
    replay.samples(LOSS, 1)
    assert replay.kinds == [Kind.OPENED]


def test_two_good_samples_do_not_close(replay: Replay) -> None:
    replay.samples(BAD, 5)
    replay.samples(GREEN, 2)
    replay.samples(BAD, 5)
    replay.samples(GREEN, 10)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]


@pytest.mark.parametrize(("bad", "good"), [(2, 3), (5, 5), (1, 1), (1, 4), (10, 8)])
def test_flapping_is_told_once(replay: Replay, bad: int, good: int) -> None:
    for _ in range(60):
        replay.samples(BAD, bad)
        replay.samples(GREEN, good)
    assert replay.kinds.count(Kind.FLAPPING) == 1
    assert replay.kinds.count(Kind.OPENED) <= 2
    assert len(replay.told) <= 5
    replay.samples(GREEN, STABLE_SAMPLES)
    assert replay.kinds[-1] is Kind.OVER
    assert not open_incidents(replay.watch)


def test_what_flapped_and_stays_is_open(replay: Replay) -> None:
    for _ in range(10):
        replay.samples(BAD, 2)
        replay.samples(GREEN, 3)
    replay.samples(BAD, 60)
    count = len(replay.told)
    replay.samples(GREEN, 3)
    assert replay.kinds[count:] == [Kind.OVER]


def test_several_causes_of_one_minute_are_one_message(replay: Replay) -> None:
    both = observation(problem(), problem("server-down", Status.RED, "server-alive"))
    replay.samples(both, 10)
    replay.samples(GREEN, 10)
    assert len(replay.told) == 2
    assert set(replay.told[0][1].causes) == {"poison-message", "server-down"}


def test_another_cause_of_the_same_findings_is_the_same_incident(replay: Replay) -> None:
    replay.samples(observation(problem("stuck-consumers", Status.RED, "stuck-consumers")), 3)
    replay.samples(observation(problem("poison-message", Status.RED, "stuck-consumers", "queue-depth")), 3)
    replay.samples(GREEN, 5)
    assert replay.kinds == [Kind.OPENED, Kind.CHANGED, Kind.OVER]
    assert [message.causes for _, message in replay.told[1:]] == [("poison-message",), ("poison-message",)]


def test_a_cause_that_is_not_sure_of_itself_is_told_twice_at_most(replay: Replay) -> None:
    for _ in range(30):
        for name in ("stuck-consumers", "poison-message", "retry-storm"):
            replay.samples(observation(problem(name, Status.RED, "stuck-consumers")), 2)
    replay.samples(GREEN, 5)
    assert replay.kinds == [Kind.OPENED, Kind.CHANGED, Kind.OVER]


def test_a_fault_whose_cause_is_another_one_each_minute_is_told_in_time(replay: Replay) -> None:
    began = replay.now + 60
    for _ in range(5):
        for name in ("server-down", "orphans"):
            replay.samples(observation(problem(name, Status.RED, "consumer-lag", name)), 1)
    replay.samples(GREEN, 5)
    assert replay.kinds == [Kind.OPENED, Kind.CHANGED, Kind.OVER]
    assert replay.told[0][0] - began <= 90


def test_a_clock_that_is_set_back_makes_no_incident_shorter_than_it_was_seen(replay: Replay) -> None:
    replay.samples(BAD, 5)
    replay.sleep(-3 * 3600)
    replay.samples(BAD, 5)
    replay.samples(GREEN, 5)
    assert replay.titles[-1].startswith("Blueplane GREEN again after 7 min")


def test_a_clock_that_was_a_year_ahead_keeps_no_reminder_back(replay: Replay) -> None:
    replay.samples(BAD, 5)
    replay.sleep(365 * DAY)
    replay.samples(BAD, 5)
    replay.sleep(-365 * DAY)
    replay.samples(BAD, 5)
    assert replay.kinds == [Kind.OPENED, Kind.REMINDER, Kind.REMINDER]


def test_an_end_that_could_not_be_told_for_days_is_not_forgotten(replay: Replay) -> None:
    replay.samples(BAD, 5)
    replay.reachable = False
    replay.samples(GREEN, 60)
    replay.sleep(3 * DAY)
    replay.samples(GREEN, 5)
    replay.reachable = True
    replay.samples(GREEN, 5)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]
    replay.sleep(DAY)
    replay.samples(GREEN, 2)
    assert replay.watch.incidents == {}


def test_a_cause_that_hides_another_is_told_for_itself(replay: Replay) -> None:
    """Without Redis nobody can judge what was stuck: that is neither over nor the same."""
    replay.samples(BAD, 5)
    redis_down = observation(problem("redis-unreachable", Status.RED, "redis-reachable"))
    replay.samples(replace(redis_down, judged=redis_down.judged - {"stuck-consumers"}), 5)
    replay.samples(BAD, 5)
    replay.samples(GREEN, 5)
    assert replay.kinds == [Kind.OPENED, Kind.OPENED, Kind.OVER, Kind.OVER]
    assert [message.causes for _, message in replay.told] == [
        ("poison-message",),
        ("redis-unreachable",),
        ("redis-unreachable",),
        ("poison-message",),
    ]


def test_waived_is_over_in_silence(replay: Replay) -> None:
    replay.samples(BAD, 3)
    waived = replace(GREEN, waived=frozenset({"stuck-consumers"}), judged=GREEN.judged - {"stuck-consumers"})
    replay.samples(waived, 20)
    assert replay.kinds == [Kind.OPENED]
    assert not open_incidents(replay.watch)


def test_a_finding_that_was_not_judged_is_not_over(replay: Replay) -> None:
    replay.samples(BAD, 3)
    replay.samples(replace(GREEN, judged=GREEN.judged - {"stuck-consumers"}), 60)
    assert replay.kinds == [Kind.OPENED]
    replay.samples(GREEN, 3)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]


def test_a_check_that_does_not_run_any_more_keeps_nothing_open(replay: Replay) -> None:
    replay.samples(BAD, 3)
    left = GREEN.present - {"stuck-consumers"}
    replay.samples(replace(GREEN, present=left, judged=left), 3)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]


def test_unknown_is_told_once_and_never_resolved(replay: Replay) -> None:
    replay.samples(UNKNOWN, UNKNOWN_SAMPLES - 1)
    assert replay.told == []
    replay.samples(UNKNOWN, 3 * 24 * 60)
    assert replay.kinds == [Kind.UNKNOWN]
    replay.samples(GREEN, 60)
    assert replay.kinds == [Kind.UNKNOWN]
    replay.samples(UNKNOWN, UNKNOWN_SAMPLES)
    assert replay.kinds == [Kind.UNKNOWN, Kind.UNKNOWN]


def test_unknown_resolves_nothing(replay: Replay) -> None:
    replay.samples(BAD, 3)
    replay.samples(UNKNOWN, 10)
    assert replay.kinds == [Kind.OPENED]
    replay.samples(GREEN, 3)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]


def test_a_sleep_is_no_outage(replay: Replay) -> None:
    """One bad sample before it and one after it are not two in a row; nor is it time without a judgement."""
    for _ in range(10):
        replay.samples(BAD, 1)
        replay.sleep(8 * 3600)
        replay.samples(GREEN, 60)
    for _ in range(4):
        replay.samples(UNKNOWN, UNKNOWN_SAMPLES - 1)
        replay.sleep(3600)
    replay.samples(BAD, 1)
    replay.sleep(3600)
    replay.samples(BAD, 1)
    assert replay.told == []


def test_an_incident_outlasts_a_sleep(replay: Replay) -> None:
    replay.samples(BAD, 3)
    for _ in range(8):
        replay.sleep(600)
        replay.samples(BAD, 2)
    assert replay.kinds == [Kind.OPENED]
    replay.samples(GREEN, 3)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]


def test_a_restart_repeats_nothing_and_forgets_nothing(replay: Replay) -> None:
    replay.samples(BAD, 1)
    replay.restart()
    replay.samples(BAD, 1)
    assert replay.kinds == [Kind.OPENED]
    replay.restart()
    replay.samples(BAD, 5)
    assert replay.kinds == [Kind.OPENED]
    replay.restart()
    replay.sleep(600)
    replay.samples(GREEN, 3)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]
    replay.restart()
    replay.samples(GREEN, 3)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]


def test_what_is_remembered_has_a_bound(replay: Replay) -> None:
    for number in range(60):
        replay.samples(observation(problem(f"own-{number}", Status.RED, f"own-{number}")), 2)
        replay.samples(GREEN, 60)
    assert len(replay.watch.incidents) < 30


@pytest.fixture(scope="module")
def demo() -> Iterator[dict[str, Observation]]:
    """What the doctor says of each fault of the demo, and of a healthy pipeline."""
    seen = {}
    for name in (*FAULTS, ""):
        with demo_pipeline([name] if name else []) as pipeline:
            seen[name] = observed(examined(pipeline), START)
    yield seen


def joined(one: Observation, other: Observation) -> Observation:
    """Both faults at once."""
    worst = max(one.status, other.status, key=lambda status: status.severity)
    return replace(one, status=worst, problems={**one.problems, **other.problems})


def told_at_orange(sample: Observation) -> set[str]:
    return {name for name, one in sample.problems.items() if one.status.severity >= Status.ORANGE.severity}


@pytest.mark.slow
def test_a_week_of_each_fault(demo: dict[str, Observation]) -> None:
    """A blip, the fault for a while, a sleep, a restart in the middle of it, and its end; then the week to its end."""
    healthy = demo[""]
    assert not told_at_orange(healthy)
    for name in FAULTS:
        bad = demo[name]
        replay = Replay()
        replay.samples(healthy, 600)
        if not told_at_orange(bad):
            replay.samples(bad, 600)
            assert replay.told == [], name
            continue
        assert_a_week(replay, healthy, bad, name)


def assert_a_week(replay: Replay, healthy: Observation, bad: Observation, name: str) -> None:
    is_loss = any(one.is_loss for one in bad.problems.values())
    if not is_loss:
        replay.samples(bad, 1)
        replay.samples(healthy, 600)
        assert replay.told == [], name
    began = replay.now
    replay.samples(bad, 7)
    replay.restart()
    replay.sleep(6 * 3600)
    replay.samples(bad, 7)
    replay.samples(healthy, 600)
    assert replay.kinds == [Kind.OPENED, Kind.OVER], name
    first, message = replay.told[0]
    assert first - began <= 2.5 * MINUTE
    assert set(message.causes) == told_at_orange(bad)
    replay.told.clear()
    began = replay.now
    replay.samples(bad, int(5.5 * DAY / MINUTE))
    replay.samples(healthy, 600)
    assert replay.kinds == [Kind.OPENED, *[Kind.REMINDER] * 5, Kind.OVER], name


@pytest.mark.slow
def test_a_day_of_every_two_faults(demo: dict[str, Observation]) -> None:
    healthy = demo[""]
    bad = [name for name in FAULTS if told_at_orange(demo[name])]
    for one, other in itertools.combinations(bad, 2):
        both = joined(demo[one], demo[other])
        replay = Replay()
        replay.samples(healthy, 60)
        replay.samples(demo[one], 10)
        replay.samples(both, 10)
        replay.samples(demo[other], 10)
        replay.samples(healthy, 600)
        expected = told_at_orange(both)
        opened = [set(message.causes) for _, message in replay.told if Kind.OPENED in message.kinds]
        assert set().union(*opened) == expected, (one, other)
        assert len(replay.told) <= 4, (one, other)
        assert replay.kinds.count(Kind.OVER) <= 2
        assert not open_incidents(replay.watch)


STEPS = st.lists(
    st.tuples(st.sampled_from(["good", "bad", "loss", "unknown", "sleep"]), st.integers(1, 40), st.booleans()),
    max_size=40,
)
SAMPLES = {"good": GREEN, "bad": BAD, "loss": LOSS, "unknown": UNKNOWN}


def replayed(steps: list[tuple[str, int, bool]], *, with_restarts: bool) -> Replay:
    replay = Replay({"remind": "never"})
    for kind, count, restarts in steps:
        if kind == "sleep":
            replay.sleep(600 * count)
        else:
            replay.samples(SAMPLES[kind], count)
        if restarts and with_restarts:
            replay.restart()
    return replay


def over_part(message: Message) -> str:
    """The lines of a message that tell what is over: it may also tell of what is not."""
    return "\n".join(line for line in message.body.splitlines() if line.startswith("Over after "))


@settings(max_examples=60, deadline=None)
@given(STEPS)
@example([("bad", 2, False), ("good", 2, False), ("loss", 1, False), ("bad", 2, False)])
def test_whatever_comes_messages_are_about_what_was_there(steps: list[tuple[str, int, bool]]) -> None:
    replay = replayed(steps, with_restarts=True)
    assert replay.told == replayed(steps, with_restarts=False).told, "a restart changes nothing"
    told: dict[str, bool] = {}
    for _, message in replay.told:
        for kind in message.kinds:
            assert kind is not Kind.REMINDER
        for cause in message.causes:
            is_over = f": {cause}." in over_part(message)
            if is_over:
                assert told.get(cause), "over is told of what was told"
            elif message.kinds == (Kind.OPENED,):
                assert not told.get(cause), "and nothing is told twice"
            told[cause] = not is_over
    replay.samples(GREEN, STABLE_SAMPLES)
    assert not open_incidents(replay.watch), "whatever was, it ends"
    assert not replay.target.told
