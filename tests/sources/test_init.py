"""The time limit of a run."""

import pytest

from blueplane_doctor import sources
from blueplane_doctor.sources import Deadline


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sources, "time", clock)
    return clock


def test_what_remains_grows_less_and_never_less_than_nothing(clock: Clock) -> None:
    deadline = Deadline(30)
    assert (deadline.remaining, deadline.passed) == (30.0, False)
    clock.now += 29.5
    assert (deadline.remaining, deadline.passed) == (0.5, False)
    clock.now += 0.5
    assert (deadline.remaining, deadline.passed) == (0.0, True)
    clock.now += 3600
    assert (deadline.remaining, deadline.passed) == (0.0, True)
    assert deadline.seconds == 30, "messages name the limit that was set"


def test_without_any_time_it_has_passed_at_once(clock: Clock) -> None:
    assert Deadline(0).passed
