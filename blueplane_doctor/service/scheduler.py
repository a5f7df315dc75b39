"""A scheduler: runs named jobs again and again, each in a thread of its own, until it is stopped."""

import sys
import threading
from collections.abc import Callable, Iterable
from threading import Condition, Event, Thread
from typing import NamedTuple

_STOP_SECONDS = 5.0
"""For each job at the end; one that hangs is left behind."""

AFTER_ERROR_SECONDS = 1.0
"""From a run that broke to the next one."""


class Job(NamedTuple):
    """Work that is done again and again, and never twice at the same time."""

    name: str
    wait_seconds: Callable[[], float]
    """Seconds until it is due, as far as is known now; 0: it is due. Must not block."""
    run: Callable[[], None]


class Scheduler:
    """Runs its jobs while it is started. It can be started again after it was stopped."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = list(jobs)
        self._threads: list[Thread] = []
        self._condition = Condition()
        self._stopping = Event()

    @property
    def running(self) -> bool:
        """Whether the thread of every job is alive."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def start(self) -> bool:
        """Begin; False when it has begun already."""
        with self._condition:
            if self._threads:
                return False
            # A new event for each start: a thread that was left behind by stop() must not go on.
            self._stopping = Event()
            for job in self._jobs:
                name = f"blueplane-{job.name}"
                thread = Thread(target=self._repeat, args=(job, self._stopping), name=name, daemon=True)
                thread.start()
                self._threads.append(thread)
        return True

    def stop(self) -> None:
        """End every job, at the latest when what it does now has ended."""
        with self._condition:
            self._stopping.set()
            threads = self._threads
            self._threads = []
            self._condition.notify_all()
        for thread in threads:
            thread.join(_STOP_SECONDS)

    def wake(self) -> None:
        """Let every job that waits find out anew whether it is due."""
        with self._condition:
            self._condition.notify_all()

    def _repeat(self, job: Job, stopping: Event) -> None:
        while True:
            with self._condition:
                if stopping.is_set():
                    return
                # Asked while the condition is held: a wake() between the question and the wait would be lost.
                seconds = job.wait_seconds()
                if seconds > 0:
                    self._condition.wait(seconds)
                    continue
            try:
                job.run()
            except Exception:  # as where the machine has no memory or threads for now: the next turn may go well
                _tell_of_error()
                stopping.wait(AFTER_ERROR_SECONDS)


def _tell_of_error() -> None:
    """As of a thread that ends by an error: in a service it becomes one line a minute."""
    kind, error, trace = sys.exc_info()
    threading.excepthook(threading.ExceptHookArgs((kind, error, trace, threading.current_thread())))
