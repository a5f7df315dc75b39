"""Answers that must be read for the asker (history, one message's way): once for all who ask alike, and bounded."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from blueplane_doctor.errors import DoctorError, UsageError
from blueplane_doctor.examination import Examination
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import MINUTE, RETENTION
from blueplane_doctor.lookup.trace import NOT_FOUND, Tracer
from blueplane_doctor.settings import Settings
from blueplane_doctor.times import seconds_in

MOST_KEPT = 256
"""Answers that are kept at a time."""
WAIT_SECONDS = 2.0
"""An asker waits no longer; what is read then answers the next."""
TRACE_SECONDS = 5.0
"""The time limit for following one message."""
MOST_POINTS = 2_000
THREADS = 2


class Unanswered(DoctorError):
    """A question that gets no answer; `code` is HTTP's."""

    code = 503


class NotThere(Unanswered):
    """What was asked for does not exist."""

    code = 404


class CannotAsk(Unanswered):
    """The question makes no sense."""

    code = 422


class Busy(Unanswered):
    """More look-ups are running than are allowed at a time."""

    code = 429


class Slow(Unanswered):
    """What was asked for is still being read."""


class KeepFor(NamedTuple):
    """How long an answer is kept, in seconds."""

    fresh: float
    """It is not read again."""
    stale: float
    """It is served while it is read again."""


class Result(NamedTuple):
    """What was read, when that began, and until when it is kept as fresh and as stale (in seconds since 1970)."""

    value: dict[str, Any]
    read_at: float
    fresh_until: float
    stale_until: float


class Lookups:
    """Look-ups in threads: one for all who ask alike, at most `limit` at a time. For one event loop."""

    def __init__(self, *, limit: int = 32) -> None:
        self._limit = limit
        self._pool: ThreadPoolExecutor | None = None
        self._kept: OrderedDict[Hashable, Result] = OrderedDict()
        self._running: dict[Hashable, asyncio.Task[Result]] = {}

    async def get(self, key: Hashable, read: Callable[[], dict[str, Any]], keep: KeepFor) -> Result:
        """What `read` returned for this key lately enough. Raises Busy, Slow, and what `read` raises."""
        kept = self._kept.get(key)
        if kept and time.time() < kept.fresh_until:
            return kept
        task = self._running.get(key) or self._start(key, read, keep)
        if kept and time.time() < kept.stale_until:
            return kept
        try:
            # Shielded: an asker that goes away or waits too long must not end the look-up of the others.
            return await asyncio.wait_for(asyncio.shield(task), WAIT_SECONDS)
        except TimeoutError:
            raise Slow("the look-up is still running", "ask again in a moment") from None

    @property
    def busy(self) -> bool:
        """Whether any look-up is running."""
        return bool(self._running)

    def close(self) -> None:
        """Begin no more; what is under way ends by its own time limit."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _start(self, key: Hashable, read: Callable[[], dict[str, Any]], keep: KeepFor) -> asyncio.Task[Result]:
        if len(self._running) >= self._limit:
            raise Busy("too many look-ups at the same time", "ask again in a moment")
        task = asyncio.create_task(self._read(key, read, keep))
        task.add_done_callback(_retrieve_error)
        self._running[key] = task
        return task

    async def _read(self, key: Hashable, read: Callable[[], dict[str, Any]], keep: KeepFor) -> Result:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS, "blueplane-lookup")
        read_at = time.time()
        try:
            value = await asyncio.get_running_loop().run_in_executor(self._pool, read)
        except BaseException:
            self._kept.pop(key, None)  # what cannot be read any more must not be shown any longer
            raise
        finally:
            del self._running[key]
        result = Result(value, read_at, read_at + keep.fresh, read_at + keep.stale)
        self._kept[key] = result
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return result


def _retrieve_error(task: asyncio.Task[Result]) -> None:
    # asyncio complains on stderr of an error that nobody has asked for, as when all askers have gone.
    if not task.cancelled():
        task.exception()


class HistoryQuestion(NamedTuple):
    """A metric, how far back and in steps of what width (both in seconds)."""

    metric: str
    since: int
    step: int

    @classmethod
    def of(cls, metric: str, since: str, step: str) -> "HistoryQuestion":
        """From the query's words. Raises CannotAsk."""
        try:
            back = int(seconds_in(since, "since"))
            width = int(seconds_in(step, "step"))
        except UsageError as error:
            raise CannotAsk(error.message, error.hint) from None
        if width < MINUTE or width % MINUTE:
            raise CannotAsk(f"step {step}: the history keeps whole minutes", "for example 1m, 5m, 1h")
        if not MINUTE <= back <= RETENTION:
            raise CannotAsk(f"since {since}: the history holds minutes, of seven days", "from 1m to 7d")
        if back // width > MOST_POINTS:
            raise CannotAsk(f"{back // width:,} steps are more than {MOST_POINTS:,}", "a wider step, or less far back")
        return cls(metric, back, width)


def read_history(settings: Settings, question: HistoryQuestion) -> dict[str, Any]:
    """The steps of one metric. Raises NotThere and SourceError."""
    storage = HealthMetricsStorage(settings.history_redis_url)
    try:
        known = storage.metrics()
        if not known:
            raise NotThere(
                f"there is no history in Redis at {storage.connection.address}",
                "start it with: blueplane-doctor record",
            )
        if question.metric not in known:
            raise NotThere("this metric is not recorded", "see: blueplane-doctor history --list")
        until = time.time()
        points = storage.read(question.metric, until - question.since, until, question.step)
    finally:
        storage.close()
    return {"metric": question.metric, "step_seconds": question.step, "points": [list(point) for point in points]}


def read_trace(settings: Settings, wanted: str) -> dict[str, Any]:
    """One message's way. Raises NotThere and SourceError."""
    timeout = min(settings.timeout, TRACE_SECONDS)
    examination = Examination(settings.model_copy(update={"timeout": timeout}))
    try:
        (trace,) = Tracer(examination).trace([wanted])
    finally:
        examination.close()
    if trace.state == NOT_FOUND:
        raise NotThere("no such message", trace.advice)
    return trace.model_dump(mode="json")
