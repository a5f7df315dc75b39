"""What is new for one target: its least colour, worse, reminders, quiet hours, and messages that did not arrive."""

import time
from collections.abc import Iterator

import pytest

from blueplane_doctor.model import Status
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.news import TargetState
from blueplane_doctor.notifying.observation import DELIVERY_CHECK
from tests.notifying.replay import DAY, GREEN, MINUTE, Replay, observation, problem

ORANGE = observation(problem(status=Status.ORANGE))
YELLOW = observation(problem(status=Status.YELLOW))
RED = observation(problem())
LOSS = observation(problem("trimmed", Status.RED, "lost-before-delivery", is_loss=True))


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("least", "sample", "told"),
    [
        ("yellow", YELLOW, True),
        ("orange", YELLOW, False),
        ("orange", ORANGE, True),
        ("red", ORANGE, False),
        ("red", RED, True),
    ],
)
def test_the_least_colour(least: str, sample: object, told: bool) -> None:
    replay = Replay({"from": least})
    replay.samples(sample, 5)  # type: ignore[arg-type]
    replay.samples(GREEN, 5)
    assert replay.kinds == ([Kind.OPENED, Kind.OVER] if told else [])


def test_worse_is_told_once() -> None:
    replay = Replay()
    replay.samples(ORANGE, 5)
    replay.samples(RED, 5)
    replay.samples(ORANGE, 5)
    replay.samples(RED, 5)
    replay.samples(GREEN, 5)
    assert replay.kinds == [Kind.OPENED, Kind.WORSE, Kind.OVER]
    assert replay.titles[0].startswith("Blueplane ORANGE since ")
    assert replay.titles[1].startswith("Blueplane RED since ")


def test_who_hears_of_red_alone_is_told_when_it_is_red() -> None:
    replay = Replay({"from": "red"})
    replay.samples(ORANGE, 5)
    replay.samples(RED, 5)
    replay.samples(ORANGE, 5)
    replay.samples(GREEN, 5)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]


def test_a_loss_within_an_incident_is_worse() -> None:
    replay = Replay()
    replay.samples(RED, 5)
    replay.samples(observation(problem(is_loss=True)), 5)
    assert replay.kinds == [Kind.OPENED, Kind.WORSE]


def test_reminders() -> None:
    replay = Replay({"remind": "6h"})
    replay.samples(RED, int(DAY / MINUTE) + 3)
    assert replay.kinds == [Kind.OPENED, *[Kind.REMINDER] * 4]
    times = [moment for moment, _ in replay.told]
    assert {later - earlier for earlier, later in zip(times, times[1:], strict=False)} == {6 * 3600}


def test_no_reminders() -> None:
    replay = Replay({"remind": "never"})
    replay.samples(RED, int(3 * DAY / MINUTE))
    assert replay.kinds == [Kind.OPENED]


def test_one_reminder_for_all() -> None:
    replay = Replay()
    replay.samples(RED, 100)
    both = observation(problem(), problem("server-down", Status.RED, "server-alive"))
    replay.samples(both, int(DAY / MINUTE) + 10)
    assert replay.kinds == [Kind.OPENED, Kind.OPENED, Kind.REMINDER]
    assert set(replay.told[-1][1].causes) == {"poison-message", "server-down"}


def test_quiet_hours_hold_back_all_but_a_loss() -> None:
    replay = Replay({"quiet": "11:00-14:00"})  # the replay begins at noon
    replay.samples(RED, 30)
    assert replay.told == []
    replay.samples(LOSS, 1)
    assert replay.kinds == [Kind.OPENED]
    assert replay.told[0][1].causes == ("trimmed",)


def test_what_is_still_there_is_told_when_quiet_hours_end() -> None:
    replay = Replay({"quiet": "11:00-14:00"})
    replay.samples(RED, 125)
    ((moment, message),) = replay.told
    assert replay.kinds == [Kind.OPENED]
    assert time.gmtime(moment)[3:5] == (14, 0)
    assert message.title == "Blueplane RED since 12:01"


def test_what_began_and_ended_in_quiet_hours_is_not_told() -> None:
    replay = Replay({"quiet": "11:00-14:00"})
    replay.samples(RED, 30)
    replay.samples(GREEN, 200)
    assert replay.told == []


def test_an_end_in_quiet_hours_is_told_later_with_its_true_time() -> None:
    replay = Replay({"quiet": "12:30-22:00"})
    replay.samples(RED, 40)
    replay.samples(GREEN, 700)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]
    assert replay.titles[1] == "Blueplane GREEN again after 42 min"


def test_what_did_not_arrive_is_still_new() -> None:
    replay = Replay()
    replay.reachable = False
    replay.samples(RED, 30)
    replay.reachable = True
    replay.samples(RED, 30)
    assert replay.kinds == [Kind.OPENED]
    replay.reachable = False
    replay.samples(GREEN, 30)
    replay.reachable = True
    replay.samples(GREEN, 30)
    assert replay.kinds == [Kind.OPENED, Kind.OVER]


@pytest.mark.parametrize(("failures", "told"), [(0, True), (2, False)])
def test_a_target_that_fails_is_not_told_so(failures: int, told: bool) -> None:
    replay = Replay()
    if failures:
        replay.target = TargetState(failures=failures, failed_at=replay.now)
    replay.samples(observation(problem(DELIVERY_CHECK, Status.ORANGE, DELIVERY_CHECK)), 5)
    assert bool(replay.told) is told
