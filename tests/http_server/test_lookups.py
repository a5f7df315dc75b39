"""What is read for one asker: once for all who ask alike, kept for a short time, never waited for long."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from blueplane_doctor.connection.failures import Endpoint
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.errors import SourceError
from blueplane_doctor.http_server import lookups as module
from blueplane_doctor.http_server.lookups import Lookups, Unanswered
from tests.waiting import PATIENCE_SECONDS

LONG = 60.0
SHORT = 0.05


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
    async def with_lookups() -> None:
        lookups = Lookups()
        try:
            await story(lookups)
        finally:
            lookups.close()

    asyncio.run(with_lookups())


async def answer(lookups: Lookups, key: str, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The answer, however long it takes."""
    while True:
        try:
            return (await lookups.get(key, read, LONG)).value
        except Unanswered as error:
            assert error.code == 503


def test_an_answer_is_read_once_for_all_who_ask_alike() -> None:
    source = Source()

    async def story(lookups: Lookups) -> None:
        together = await asyncio.gather(*(lookups.get("a", source, LONG) for _ in range(20)))
        assert {result.value["read"] for result in together} == {1}
        assert together[0].stale_after == together[0].read_at + LONG
        assert (await lookups.get("a", source, LONG)).value == {"read": 1}
        assert (await lookups.get("b", source, LONG)).value == {"read": 2}

    run(story)


def test_an_answer_is_kept_no_longer_than_it_holds() -> None:
    source = Source()

    async def story(lookups: Lookups) -> None:
        for reads in (1, 2):
            assert (await lookups.get("a", source, SHORT)).value == {"read": reads}
            await asyncio.sleep(2 * SHORT)

    run(story)


@pytest.mark.parametrize("error", [SourceError("away"), Unanswered(404, "gone")], ids=["source", "question"])
def test_an_answer_is_read_anew_before_it_ends_and_not_kept_once_that_fails(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1000.0]
    monkeypatch.setattr("blueplane_doctor.http_server.lookups.time.time", lambda: moment[0])
    source = Source()

    async def read_anew(lookups: Lookups, reads: int) -> None:
        moment[0] += LONG / 2
        assert (await lookups.get("a", source, LONG)).value == {"read": reads}
        while lookups._running:
            await asyncio.sleep(0.01)

    async def story(lookups: Lookups) -> None:
        await lookups.get("a", source, LONG)
        await read_anew(lookups, 1)
        assert (await lookups.get("a", source, LONG)).value == {"read": 2}
        source.error = error
        await read_anew(lookups, 2)
        with pytest.raises(type(error)):
            await lookups.get("a", source, LONG)

    run(story)


@pytest.mark.parametrize("error", [SourceError("away"), Unanswered(404, "gone")], ids=["source", "question"])
def test_a_failure_is_told_and_tried_again(error: Exception) -> None:
    source = Source()
    source.error = error

    async def story(lookups: Lookups) -> None:
        with pytest.raises(type(error)):
            await lookups.get("a", source, LONG)
        source.error = None
        assert (await lookups.get("a", source, LONG)).value == {"read": 2}

    run(story)


def test_an_old_good_answer_does_not_outlive_its_time_while_its_source_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", SHORT)
    gate = threading.Event()

    def hang() -> dict[str, Any]:
        return {"opened": gate.wait(PATIENCE_SECONDS)}

    async def story(lookups: Lookups) -> None:
        await lookups.get("a", Source(), SHORT)
        await asyncio.sleep(2 * SHORT)
        try:
            with pytest.raises(Unanswered) as caught:
                await lookups.get("a", hang, SHORT)
            assert caught.value.code == 503
        finally:
            gate.set()

    run(story)


def test_nobody_waits_for_long_and_not_too_many_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", SHORT)
    monkeypatch.setattr(module, "MOST_UNDER_WAY", 3)
    gate = threading.Event()

    def slow() -> dict[str, Any]:
        return {"opened": gate.wait(PATIENCE_SECONDS)}

    async def story(lookups: Lookups) -> None:
        try:
            for name in "abc":
                with pytest.raises(Unanswered) as caught:
                    await lookups.get(name, slow, LONG)
                assert caught.value.code == 503
            with pytest.raises(Unanswered) as caught:
                await lookups.get("d", slow, LONG)
            assert caught.value.code == 429
        finally:
            gate.set()
        for name in "abcd":
            assert await answer(lookups, name, slow) == {"opened": True}

    run(story)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    source = Source()

    async def story(lookups: Lookups) -> None:
        await lookups.get("a", source, LONG)
        await lookups.get("b", source, 0.0)
        await asyncio.sleep(SHORT)
        await lookups.get("c", source, LONG)
        with pytest.raises(Unanswered) as caught:
            await lookups.get("d", source, LONG)
        assert caught.value.code == 429
        assert (await lookups.get("a", source, LONG)).value == {"read": 1}

    run(story)


def test_an_error_that_nobody_waits_for_is_no_complaint(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    gate = threading.Event()

    def fail() -> dict[str, Any]:
        gate.wait(PATIENCE_SECONDS)
        raise SourceError("away")

    async def story(lookups: Lookups) -> None:
        with pytest.raises(Unanswered):
            await lookups.get("a", fail, LONG)
        gate.set()
        await answer(lookups, "b", Source())

    run(story)
    assert capfd.readouterr().err == ""


def test_look_ups_that_read_much_from_redis_have_to_wait(
    valkey: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BYTES_PER_SECOND", 1e-3)
    monkeypatch.setattr(module, "SAVED_BYTES", 1_000_000)
    monkeypatch.setattr(module, "WAIT_SECONDS", 60.0)
    monkeypatch.setattr(module, "SAVED_SECONDS", 60.0)  # of computing there is enough
    reads: list[int] = []

    def heavy() -> dict[str, Any]:
        connection = Connection(Endpoint(valkey.url))
        reads.append(len(connection.ask_one("ECHO", b"x" * 600_000)))
        connection.close()
        return {}

    async def story(lookups: Lookups) -> None:
        await lookups.get("first", heavy, LONG)
        await lookups.get("second", heavy, LONG)
        with pytest.raises(Unanswered, match="used what they may") as caught:
            await lookups.get("third", heavy, LONG)
        assert caught.value.code == 429
        assert reads == [600_000, 600_000]

    run(story)


def test_look_ups_that_compute_much_have_to_wait_and_kept_answers_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is found, so that nothing is kept: such look-ups cost as much as others."""
    monkeypatch.setattr(module, "SHARE", 1e-6)
    monkeypatch.setattr(module, "SAVED_SECONDS", 0.1)
    monkeypatch.setattr(module, "WAIT_SECONDS", 60.0)
    costs: list[int] = []

    def costly() -> dict[str, Any]:
        costs.append(1)
        end = time.thread_time() + 0.15
        while time.thread_time() < end:
            sum(range(1_000))
        raise Unanswered(404, "no such message")

    async def story(lookups: Lookups) -> None:
        assert (await lookups.get("cheap", lambda: {"a": 1}, LONG)).value == {"a": 1}
        asked = [lookups.get(f"costly {number}", costly, LONG) for number in range(10)]
        errors = await asyncio.gather(*asked, return_exceptions=True)
        codes = [error.code for error in errors if isinstance(error, Unanswered)]
        assert len(codes) == 10
        assert set(codes) == {404, 429}
        assert codes.count(404) == len(costs) <= module.THREADS, "those that waited for a thread are refused, too"
        with pytest.raises(Unanswered, match="used what they may"):
            await lookups.get("another", costly, LONG)
        assert (await lookups.get("cheap", lambda: {"a": 2}, LONG)).value == {"a": 1}

    run(story)
