"""What is read for one asker: once for all who ask alike, never waited for long, honest about failures."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from blueplane_doctor.errors import SourceError
from blueplane_doctor.service import lookups as module
from blueplane_doctor.service.answers import Part, given, render
from blueplane_doctor.service.lookups import Busy, Looked, Lookups, NotThere, Recalled, Slow, Terms

TERMS = Terms(fresh=10, served=60)


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

    def __call__(self) -> int:
        self.reads += 1
        if self.error:
            raise self.error
        return self.reads


def run(story: Callable[[Lookups], Coroutine[Any, Any, None]]) -> None:
    async def told() -> None:
        lookups = Lookups(waiting=3)
        try:
            await story(lookups)
        finally:
            lookups.close()

    asyncio.run(told())


async def settled(source: Source, reads: int) -> None:
    """Until it was read so often, and what it said is kept."""
    while source.reads < reads:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


def test_an_answer_is_read_once_kept_and_served_while_it_is_read_again(clock: Clock) -> None:
    source = Source()

    async def story(lookups: Lookups) -> None:
        together = await asyncio.gather(*(lookups.get("a", source, TERMS) for _ in range(20)))
        assert {looked.unwrap() for looked in together} == {1}
        clock.now += 11
        assert (await lookups.get("a", source, TERMS)).unwrap() == 1
        await settled(source, 2)
        assert (await lookups.get("a", source, TERMS)).unwrap() == 2
        clock.now += 61
        assert (await lookups.get("a", source, TERMS)).unwrap() == 3

    run(story)


def test_what_is_there_no_more_is_said_at_once(clock: Clock) -> None:
    source = Source()

    async def story(lookups: Lookups) -> None:
        await lookups.get("a", source, TERMS)
        source.error = NotThere("gone")
        clock.now += 11
        await lookups.get("a", source, TERMS)
        await settled(source, 2)
        with pytest.raises(NotThere):
            (await lookups.get("a", source, TERMS)).unwrap()
        source.error = None
        clock.now += 2
        assert (await lookups.get("a", source, TERMS)).unwrap() == 3

    run(story)


def test_a_good_answer_is_served_while_its_source_fails_but_not_for_ever(clock: Clock) -> None:
    source = Source()

    async def story(lookups: Lookups) -> None:
        await lookups.get("a", source, TERMS)
        source.error = SourceError("away")
        for reads in (2, 3):
            clock.now += 11
            assert (await lookups.get("a", source, TERMS)).unwrap() == 1
            await settled(source, reads)
        clock.now += 61
        with pytest.raises(SourceError):
            (await lookups.get("a", source, TERMS)).unwrap()

    run(story)


def test_a_failure_is_told_while_it_is_tried_again_and_goes_by_itself(clock: Clock) -> None:
    source = Source()
    source.error = SourceError("away")

    async def story(lookups: Lookups) -> None:
        assert (await lookups.get("a", source, TERMS)).failed
        source.error = None
        clock.now += module.FAILED + 0.1
        assert (await lookups.get("a", source, TERMS)).failed
        await settled(source, 2)
        assert (await lookups.get("a", source, TERMS)).unwrap() == 2

    run(story)


def test_nothing_is_read_from_what_is_known_to_be_away(clock: Clock) -> None:
    source, away = Source(), SourceError("away")

    async def story(lookups: Lookups) -> None:
        with pytest.raises(SourceError):
            await lookups.get("a", source, TERMS, away=away)
        assert source.reads == 0
        await lookups.get("a", source, TERMS)
        clock.now += 11
        assert (await lookups.get("a", source, TERMS, away=away)).unwrap() == 1
        clock.now += 61
        with pytest.raises(SourceError):
            await lookups.get("a", source, TERMS, away=away)
        assert source.reads == 1

    run(story)


def test_nobody_waits_for_long_and_not_too_many_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITED", 0.05)
    gate = threading.Event()

    async def story(lookups: Lookups) -> None:
        try:
            for name in "abc":
                with pytest.raises(Slow):
                    await lookups.get(name, lambda: gate.wait(30), TERMS)
            with pytest.raises(Busy):
                await lookups.get("d", lambda: gate.wait(30), TERMS)
        finally:
            gate.set()
        answer: Looked | None = None
        while answer is None:
            try:
                answer = await lookups.get("a", lambda: gate.wait(30), TERMS)
            except Slow:
                continue
        assert answer.unwrap() is True

    run(story)


def test_an_answer_is_recalled_for_a_moment_with_its_age(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [50.0]
    monkeypatch.setattr("blueplane_doctor.service.lookups.time.monotonic", lambda: moment[0])
    recalled, answer = Recalled(), render({"state": "written"}, 200, Part(0.0, 5.0))
    recalled.keep("/a", b"q", answer)
    assert recalled.get("/a", b"q") is answer
    assert recalled.get("/a", b"") is None
    assert b'"state":"written"' in given(answer, None).body
    assert given(answer, answer.etag).code == 304
    moment[0] += module.RECALLED
    assert recalled.get("/a", b"q") is None


def test_what_is_recalled_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    recalled, answer = Recalled(), render({}, 200, Part(0.0, 5.0))
    for name in "abc":
        recalled.keep(name, b"", answer)
    assert [recalled.get(name, b"") is not None for name in "abc"] == [False, True, True]
