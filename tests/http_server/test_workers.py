"""Threads that end with their work."""

import asyncio
import threading
import time

import pytest

from blueplane_doctor.errors import DoctorError
from blueplane_doctor.http_server.workers import Workers
from tests.waiting import PATIENCE_SECONDS


def test_results_and_errors_come_back_and_no_thread_stays() -> None:
    before = threading.active_count()

    def breaks() -> None:
        raise ValueError("broken")

    async def story() -> None:
        workers = Workers(2, "test-worker")
        assert await asyncio.gather(*(workers.run(lambda n=n: n * n) for n in range(20))) == [n * n for n in range(20)]  # type: ignore[misc]
        with pytest.raises(ValueError, match="broken"):
            await workers.run(breaks)
        while threading.active_count() > before:
            await asyncio.sleep(0.01)

    asyncio.run(story())


def test_at_most_so_many_work_at_once_even_when_the_asker_has_gone() -> None:
    go_on = threading.Event()
    running: list[int] = []

    def work() -> None:
        running.append(1)
        go_on.wait(PATIENCE_SECONDS)

    async def story() -> None:
        workers = Workers(2, "test-worker")
        tasks = [asyncio.create_task(workers.run(work)) for _ in range(4)]
        while len(running) < 2:
            await asyncio.sleep(0.01)
        for task in tasks[:2]:
            task.cancel()
        for _ in range(10):
            await asyncio.sleep(0.01)
        assert len(running) == 2, "the threads of those who have gone still work"
        go_on.set()
        await asyncio.gather(*tasks[2:])
        assert len(running) == 4

    asyncio.run(story())


def test_a_thread_that_the_system_does_not_give_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def story() -> None:
        workers = Workers(1, "test-worker")
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            for _ in range(2):
                with pytest.raises(DoctorError, match="no more threads"):
                    await workers.run(lambda: 1)
        assert await workers.run(lambda: 1) == 1

    asyncio.run(story())


def test_work_that_hangs_keeps_no_loop_from_ending() -> None:
    go_on = threading.Event()

    async def story() -> None:
        task = asyncio.create_task(Workers(1, "test-worker").run(lambda: go_on.wait(PATIENCE_SECONDS)))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(story())
    names = [thread.name for thread in threading.enumerate()]
    assert "test-worker" in names, "it still works, and the loop has ended"
    go_on.set()
    while "test-worker" in [thread.name for thread in threading.enumerate()]:
        time.sleep(0.01)
