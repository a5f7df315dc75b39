"""What is read for one asker: once for all who ask alike, kept for a short time, never waited for long."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from blueplane_doctor.errors import SourceError
from blueplane_doctor.service import lookups as module
from blueplane_doctor.service.lookups import Busy, CannotAsk, HistoryQuestion, KeepFor, Lookups, NotThere, Result, Slow

KEEP = KeepFor(fresh=10, stale=60)


class Clock:
    """The time that the look-ups see."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("blueplane_doctor.service.lookups.time.time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Source:
    """Counts how often it is read; answers, or fails."""

    def __init__(self) -> None:
        self.reads = 0
        self.error: Exception | None = None

    def __call__(self) -> dict[str, Any]:
        self.reads += 1
        if self.error:
            raise self.error
        return {"read": self.reads}


def run(story: Callable[[Lookups], Coroutine[Any, Any, None]]) -> None:
    async def told() -> None:
        lookups = Lookups(limit=3)
        try:
            await story(lookups)
        finally:
            lookups.close()

    asyncio.run(told())


async def settled(lookups: Lookups) -> None:
    """Until nothing is being read."""
    while lookups.busy:
        await asyncio.sleep(0.01)


def test_an_answer_is_read_once_for_all_and_served_while_it_is_read_again(clock: Clock) -> None:
    source = Source()

    async def story(lookups: Lookups) -> None:
        together = await asyncio.gather(*(lookups.get("a", source, KEEP) for _ in range(20)))
        assert {result.value["read"] for result in together} == {1}
        assert together[0] == Result({"read": 1}, 1000.0, 1010.0, 1060.0)
        clock.now += 9
        assert (await lookups.get("a", source, KEEP)).value == {"read": 1}
        assert source.reads == 1
        clock.now += 2
        assert (await lookups.get("a", source, KEEP)).value == {"read": 1}
        await settled(lookups)
        assert (await lookups.get("a", source, KEEP)).value == {"read": 2}
        clock.now += 61
        assert (await lookups.get("a", source, KEEP)).value == {"read": 3}
        assert (await lookups.get("b", source, KEEP)).value == {"read": 4}

    run(story)


@pytest.mark.parametrize("error", [SourceError("away"), NotThere("gone")], ids=["source", "question"])
def test_a_failure_is_told_and_tried_again(clock: Clock, error: Exception) -> None:
    source = Source()
    source.error = error

    async def story(lookups: Lookups) -> None:
        with pytest.raises(type(error)):
            await lookups.get("a", source, KEEP)
        source.error = None
        assert (await lookups.get("a", source, KEEP)).value == {"read": 2}

    run(story)


@pytest.mark.parametrize("error", [SourceError("away"), NotThere("gone")], ids=["source", "question"])
def test_an_old_good_answer_is_not_served_once_it_could_not_be_read_again(clock: Clock, error: Exception) -> None:
    source = Source()

    async def story(lookups: Lookups) -> None:
        await lookups.get("a", source, KEEP)
        source.error = error
        clock.now += KEEP.fresh
        assert (await lookups.get("a", source, KEEP)).value == {"read": 1}
        await settled(lookups)
        with pytest.raises(type(error)):
            await lookups.get("a", source, KEEP)

    run(story)


def test_an_old_good_answer_does_not_outlive_its_time_while_its_source_hangs(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    gate = threading.Event()
    source = Source()

    def hang() -> dict[str, Any]:
        return {"opened": gate.wait(30)}

    async def story(lookups: Lookups) -> None:
        await lookups.get("a", source, KEEP)
        try:
            clock.now += KEEP.fresh
            assert (await lookups.get("a", hang, KEEP)).value == {"read": 1}
            clock.now += KEEP.stale
            with pytest.raises(Slow):
                await lookups.get("a", hang, KEEP)
        finally:
            gate.set()
        await settled(lookups)

    run(story)


def test_nobody_waits_for_long_and_not_too_many_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    gate = threading.Event()

    def slow() -> dict[str, Any]:
        return {"opened": gate.wait(30)}

    async def story(lookups: Lookups) -> None:
        try:
            for name in "abc":
                with pytest.raises(Slow):
                    await lookups.get(name, slow, KEEP)
            with pytest.raises(Busy):
                await lookups.get("d", slow, KEEP)
        finally:
            gate.set()
        answer: Result | None = None
        while answer is None:
            try:
                answer = await lookups.get("a", slow, KEEP)
            except Slow:
                continue
        assert answer.value == {"opened": True}

    run(story)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    source = Source()

    async def story(lookups: Lookups) -> None:
        for name in "abc":
            await lookups.get(name, source, KEEP)
        assert (await lookups.get("c", source, KEEP)).value == {"read": 3}
        assert (await lookups.get("a", source, KEEP)).value == {"read": 4}

    run(story)


def test_an_error_that_nobody_waits_for_is_no_complaint(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    gate = threading.Event()

    def fail() -> dict[str, Any]:
        gate.wait(30)
        raise SourceError("away")

    async def story(lookups: Lookups) -> None:
        with pytest.raises(Slow):
            await lookups.get("a", fail, KEEP)
        gate.set()
        await settled(lookups)

    run(story)
    assert capfd.readouterr().err == ""


def test_a_question_of_the_history_is_in_whole_minutes() -> None:
    assert HistoryQuestion.of("queue.queue_depth", "1h", "5m") == ("queue.queue_depth", 3600, 300)
    for since, step in (("1h", "7s"), ("30d", "1h"), ("7d", "1m"), ("0s", "1m")):
        with pytest.raises(CannotAsk):
            HistoryQuestion.of("queue.queue_depth", since, step)
