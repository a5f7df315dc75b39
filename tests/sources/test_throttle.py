"""A reader that steps aside for a busy server, and only for a busy one."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from blueplane_doctor.sources.throttle import Throttle


class Busy:
    """A server on which others send so many commands a second, and a clock that moves with sleep and work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, others: float) -> None:
        self.now, self.sent, self.slept = 100.0, 0, list[float]()
        self._others, self._began = others, 100.0
        clock = SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep)
        monkeypatch.setattr("blueplane_doctor.sources.throttle.time", clock)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def info(self, section: str) -> dict[str, str]:
        assert section == "stats"
        self.sent += 1
        total = 1_000_000 + self.sent + int(self._others * (self.now - self._began))
        return {"total_commands_processed": str(total)}

    def reads(self, mean: float, pages: int, remaining: float = 30.0) -> float:
        """Seconds slept by a reader that works 20 ms on each page, having been told of that mean."""
        throttle = Throttle(cast(Any, self), mean)
        for _ in range(pages):
            self.sent += 100
            self.now += 0.02
            throttle.pause(0.02, remaining)
        return sum(self.slept)


def test_a_reader_makes_room_on_a_busy_server(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = Busy(monkeypatch, others=5_000).reads(mean=5_000, pages=50)
    assert 0.9 * 49 * 19 * 0.02 < slept < 50 * 19 * 0.02


@pytest.mark.parametrize("others", [0, 200])
def test_who_has_just_left_a_server_is_waited_for_once(monkeypatch: pytest.MonkeyPatch, others: float) -> None:
    slept = Busy(monkeypatch, others).reads(mean=20_000, pages=500)
    assert 0 < slept <= 0.2


def test_who_comes_later_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Busy(monkeypatch, others=5_000).reads(mean=0, pages=100) > 5


def test_on_a_quiet_server_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Busy(monkeypatch, others=200).reads(mean=100, pages=500) == 0


def test_a_run_that_is_about_to_end_hardly_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Busy(monkeypatch, others=5_000)
    assert server.reads(mean=5_000, pages=10, remaining=0.5) > 0
    assert max(server.slept) <= 0.05
