"""Answers that must be read for the asker (history, one message's way): once for all who ask alike, never for long."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from blueplane_doctor.errors import DoctorError, SourceError, UsageError
from blueplane_doctor.examination import Examination
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import MINUTE, RETENTION
from blueplane_doctor.lookup.trace import NOT_FOUND, Tracer
from blueplane_doctor.service.answers import Rendered
from blueplane_doctor.settings import Settings
from blueplane_doctor.times import seconds_in

KEPT = 256
"""Answers of one kind."""
FAILED = 1.0
"""Seconds after which what could not be read is tried again."""
FAILED_SERVED = 10.0
"""Seconds for which that is told while it is tried again: nobody is to wait for a server that hangs."""
WAITED = 2.0
"""Seconds that an asker waits at most; what is read then answers the next."""
TRACE_SECONDS = 5.0
"""The longest that one message is looked for."""
MOST_POINTS = 2_000
THREADS = 2
RECALLED = 1.0
"""Seconds for which the same URL gets the same answer; its age tells how old it is."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


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
    """More is being looked up than is allowed at a time."""

    code = 429


class Slow(Unanswered):
    """What was asked for is still being read."""


class Terms(NamedTuple):
    """Seconds for which an answer is not read again, and for which it is served while it is."""

    fresh: float
    served: float


class Looked(NamedTuple):
    """A value or an error, and when it was read (times in seconds since 1970)."""

    value: Any
    error: Exception | None
    at: float
    fresh_until: float
    """Until then it is not read again."""
    served_until: float
    """Until then it is good enough while it is read again."""

    def unwrap(self) -> Any:
        """The value; raises the error."""
        if self.error:
            raise self.error
        return self.value

    @property
    def failed(self) -> bool:
        """Whether the source was to blame, not the question."""
        return isinstance(self.error, SourceError)


class Lookups:
    """Look-ups in threads, at most so many `waiting` at a time; an answer is served while the next is read."""

    def __init__(self, *, waiting: int = 32) -> None:
        self._waiting = waiting
        self._pool: ThreadPoolExecutor | None = None
        self._kept: OrderedDict[Hashable, Looked] = OrderedDict()
        self._flights: dict[Hashable, asyncio.Future[Looked]] = {}

    async def get(
        self, key: Hashable, read: Callable[[], Any], terms: Terms, *, away: Exception | None = None
    ) -> Looked:
        """What `read` returned lately enough. Raises Busy and Slow.

        With `away`, the source is known not to answer: what is kept is served, or `away` raised, and nothing is read.
        """
        kept, now = self._kept.get(key), time.time()
        if kept and now < kept.fresh_until:
            self._kept.move_to_end(key)
            return kept
        served = kept if kept and now < kept.served_until else None
        if away:
            if served and served.error is None:
                return served
            raise away
        flight = self._flights.get(key)
        if flight is None:
            if len(self._flights) >= self._waiting:
                raise Busy("too many look-ups at the same time", "ask again in a moment")
            flight = self._flights[key] = asyncio.ensure_future(self._fly(key, read, terms))
        if served:
            return served
        try:
            return await asyncio.wait_for(asyncio.shield(flight), WAITED)
        except TimeoutError:
            raise Slow("it is still being looked up", "ask again in a moment") from None

    def close(self) -> None:
        """Begin no more; what is under way ends by its own time limit."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _fly(self, key: Hashable, read: Callable[[], Any], terms: Terms) -> Looked:
        self._pool = self._pool or ThreadPoolExecutor(THREADS, "blueplane-lookup")
        at = time.time()
        try:
            value = await asyncio.get_running_loop().run_in_executor(self._pool, read)
            looked = Looked(value, None, at, at + terms.fresh, at + terms.served)
        except Exception as error:
            served = FAILED_SERVED if isinstance(error, SourceError) else 0.0
            looked = Looked(None, error, at, at + FAILED, at + served)
        finally:
            self._flights.pop(key, None)
        before = self._kept.get(key)
        if not (looked.failed and before and before.error is None and time.time() < before.served_until):
            _keep(self._kept, key, looked)
        return looked


class Recalled:
    """The newest answers by path and query: asked again at once, they need no framework. For one thread."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, bytes], tuple[float, Rendered]] = OrderedDict()

    def keep(self, path: str, query: bytes, answer: Rendered) -> None:
        _keep(self._answers, (path, query), (time.monotonic() + RECALLED, answer))

    def get(self, path: str, query: bytes) -> Rendered | None:
        until, answer = self._answers.get((path, query), (0.0, None))
        return answer if time.monotonic() < until else None


def _keep(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > KEPT:
        kept.popitem(last=False)


class HistoryQuestion(NamedTuple):
    """A metric, how far back and in steps of what width (both in seconds)."""

    metric: str
    since: int
    step: int

    @classmethod
    def of(cls, metric: str, since: str, step: str) -> "HistoryQuestion":
        """From the query's words. Raises CannotAsk."""
        try:
            back, width = int(seconds_in(since, "since")), int(seconds_in(step, "step"))
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
                f"there is no history in Redis at {storage.link.address}", "start it with: blueplane-doctor record"
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
    examination = Examination(settings.model_copy(update={"timeout": min(settings.timeout, TRACE_SECONDS)}))
    try:
        (trace,) = Tracer(examination).trace([wanted])
    finally:
        examination.close()
    if trace.state == NOT_FOUND:
        raise NotThere("no such message", trace.advice)
    return trace.model_dump(mode="json")
