"""Answers that are read for the asker: once for all who ask alike, and within a budget of computing and reading."""

import asyncio
import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, NamedTuple

from blueplane_doctor.connection.socket_transport import received_bytes
from blueplane_doctor.errors import DoctorError
from blueplane_doctor.http_server.rates import Rate
from blueplane_doctor.http_server.workers import Workers

# Two, so that one that waits for a Redis that hangs does not hold up the others.
THREADS = 2
MOST_UNDER_WAY = 32
"""Look-ups that run or wait for a thread; one more is refused."""
MOST_KEPT = 256
"""Look-ups that are under way or whose answer is still kept; one more is refused."""
SHARE = 0.1
"""Seconds of computing that look-ups may use in a second: what is read from Redis costs that, and waiting does not."""
SAVED_SECONDS = 1.0
"""Of computing, that may be used at once after a quiet time."""
BYTES_PER_SECOND = 3_000_000
"""That look-ups may read from Redis: it sends hundreds of times as much, and others wait for it meanwhile."""
SAVED_BYTES = 12_000_000
"""That may be read at once after a quiet time: to follow one message takes a page or two of a stream."""
WAIT_SECONDS = 2.0
"""The longest that an asker waits; what is read should take no longer."""


class Unanswered(DoctorError):
    """A question that gets no answer."""

    def __init__(self, code: int, message: str, hint: str = "") -> None:
        """`code` is HTTP's."""
        super().__init__(message, hint)
        self.code = code


class Result(NamedTuple):
    """What was read, when that began, and until when it is kept (in seconds since 1970)."""

    value: dict[str, Any]
    read_at: float
    stale_after: float


class Lookups:
    """Look-ups in threads: one for all who ask alike within a short time. For one event loop."""

    def __init__(self) -> None:
        self._workers = Workers(THREADS, "blueplane-lookup")
        self._budget = Rate(SHARE, SAVED_SECONDS)
        self._bytes = Rate(BYTES_PER_SECOND, SAVED_BYTES)
        self._budget_lock = Lock()  # it is asked for and charged in threads
        self._closed = False
        self._kept: dict[Hashable, Result] = {}
        self._running: dict[Hashable, asyncio.Task[Result]] = {}

    async def get(self, key: Hashable, read: Callable[[], dict[str, Any]], keep_seconds: float) -> Result:
        """What `read` returned for this key, at most so long ago. Raises Unanswered, and what `read` raises."""
        kept = self._kept.get(key)
        if kept and time.time() - kept.read_at < keep_seconds / 2:
            return kept
        try:
            task = self._running.get(key) or self._start(key, read, keep_seconds)
        except Unanswered:
            if kept:
                return kept
            raise
        if kept:  # it still holds; the next asker gets what is being read
            return kept
        try:
            # Shielded: an asker that goes away or waits too long must not end the look-up of the others.
            return await asyncio.wait_for(asyncio.shield(task), WAIT_SECONDS)
        except TimeoutError:
            raise Unanswered(503, "the look-up is still running", "ask again in a moment") from None

    def close(self) -> None:
        """Begin no more; what is under way ends by its own time limit."""
        self._closed = True
        for task in self._running.values():
            task.cancel()

    def _start(self, key: Hashable, read: Callable[[], dict[str, Any]], keep_seconds: float) -> asyncio.Task[Result]:
        if len(self._running) >= MOST_UNDER_WAY or len(self._running) + len(self._kept) >= MOST_KEPT:
            raise Unanswered(429, "too many look-ups at the same time", "ask again in a moment")
        if self._closed:
            raise Unanswered(503, "the service ends")
        self._refuse_overdrawn()
        task = asyncio.create_task(self._read(key, read, keep_seconds))
        task.add_done_callback(_retrieve_error)
        self._running[key] = task
        return task

    async def _read(self, key: Hashable, read: Callable[[], dict[str, Any]], keep_seconds: float) -> Result:
        loop = asyncio.get_running_loop()
        read_at = time.time()
        keep_until = loop.time() + keep_seconds
        try:
            value = await self._workers.run(lambda: self._measured(read))
        except BaseException:
            self._kept.pop(key, None)  # what cannot be read any more must not be shown any longer
            raise
        finally:
            del self._running[key]
        result = Result(value, read_at, read_at + keep_seconds)
        self._kept[key] = result
        loop.call_at(keep_until, self._forget, key, result)
        return result

    def _measured(self, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What is read; what this thread computes and receives for it is charged, also for what is not found."""
        # Asked once more: those that waited for a thread were let in before anybody knew what the first ones cost.
        self._refuse_overdrawn()
        began = time.thread_time()
        received = received_bytes()
        try:
            return read()
        finally:
            with self._budget_lock:
                self._budget.charge(time.thread_time() - began)
                self._bytes.charge(received_bytes() - received)

    def _refuse_overdrawn(self) -> None:
        with self._budget_lock:
            left = self._budget.has(0) and self._bytes.has(0)
        if not left:
            message = "look-ups have used what they may of this machine and of Redis"
            raise Unanswered(429, message, "ask again in a moment")

    def _forget(self, key: Hashable, result: Result) -> None:
        if self._kept.get(key) is result:  # otherwise it has been read anew
            del self._kept[key]


def _retrieve_error(task: asyncio.Task[Result]) -> None:
    # asyncio complains on stderr of an error that nobody has asked for, as when all askers have gone.
    if not task.cancelled():
        task.exception()
