"""The scheduler: every job by its own time, never twice at once, woken early, ended in good order."""

import threading
import time

import pytest

from blueplane_doctor.service import scheduler as scheduler_module
from blueplane_doctor.service.scheduler import Job, Scheduler
from tests.waiting import PATIENCE_SECONDS, wait_until


class Counting:
    """A job that is due at once, then every so many seconds, and counts its runs."""

    def __init__(self, every: float = 0.01) -> None:
        self.every = every
        self.due = 0.0
        self.runs = 0
        self.at_once = 0
        self.most_at_once = 0

    def job(self, name: str) -> Job:
        return Job(name, lambda: self.due - time.monotonic(), self.run)

    def run(self) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.runs += 1
        self.due = time.monotonic() + self.every
        self.at_once -= 1


def test_jobs_run_when_they_are_due_in_threads_of_their_names() -> None:
    names: list[str] = []
    rare = Counting(every=3600)
    often = Job("often", lambda: 0.0 if len(names) < 3 else 3600, lambda: names.append(threading.current_thread().name))
    scheduler = Scheduler([often, rare.job("rare")])
    assert not scheduler.running
    assert scheduler.start()
    assert not scheduler.start(), "it has begun already"
    wait_until(lambda: len(names) == 3 and rare.runs == 1, "not run")
    assert scheduler.running
    scheduler.stop()
    assert not scheduler.running
    assert names == ["blueplane-often"] * 3
    assert rare.runs == 1


def test_wake_lets_a_job_find_out_that_it_is_due() -> None:
    due = threading.Event()
    done = threading.Event()

    def run() -> None:
        due.clear()
        done.set()

    scheduler = Scheduler([Job("late", lambda: 0.0 if due.is_set() else 3600, run)])
    scheduler.start()
    due.set()
    scheduler.wake()
    assert done.wait(PATIENCE_SECONDS)
    scheduler.stop()


def test_a_job_that_hangs_keeps_no_other_and_does_not_go_on_after_a_new_start() -> None:
    gate = threading.Event()
    began: list[str] = []
    other = Counting()

    def hang() -> None:
        began.append(threading.current_thread().name)
        gate.wait(60)

    scheduler = Scheduler([Job("hangs", lambda: 0.0, hang), other.job("other")])
    try:
        scheduler.start()
        wait_until(lambda: bool(began) and other.runs > 3, "the other job does not run")
        stopping = threading.Thread(target=scheduler.stop)
        stopping.start()
        wait_until(lambda: not scheduler.running, "still running")
        scheduler.start()
        wait_until(lambda: len(began) == 2, "not begun again")
    finally:
        gate.set()
    stopping.join()
    scheduler.stop()
    time.sleep(0.05)
    runs = other.runs
    time.sleep(0.1)
    assert other.runs == runs
    assert other.most_at_once == 1


def test_a_job_that_breaks_is_told_and_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where there is no memory or no thread for a moment: the service must not stay blind for good."""
    errors: list[str] = []
    runs: list[int] = []

    def breaks_once() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(scheduler_module, "AFTER_ERROR_SECONDS", 0.01)
    monkeypatch.setattr(threading, "excepthook", lambda arguments: errors.append(arguments.exc_type.__name__))
    scheduler = Scheduler([Job("breaks", lambda: 0.0 if len(runs) < 2 else 3600, breaks_once)])
    scheduler.start()
    wait_until(lambda: len(runs) == 2, "not run again")
    assert scheduler.running
    scheduler.stop()
    assert errors == ["RuntimeError"]
