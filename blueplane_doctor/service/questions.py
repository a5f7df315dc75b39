"""What is read for one asker: a metric's history, and one message followed hop by hop."""

import time
from typing import Any, NamedTuple

from blueplane_doctor.errors import UsageError
from blueplane_doctor.examination import Examination
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import MINUTE, RETENTION
from blueplane_doctor.http_server.lookups import WAIT_SECONDS, Unanswered
from blueplane_doctor.lookup.search import NOT_FOUND
from blueplane_doctor.lookup.trace import Tracer
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources.redis_room import NOT_READ, refuse_where_full
from blueplane_doctor.text.times import seconds_in

_MOST_POINTS = 2_000


class HistoryQuestion(NamedTuple):
    """A metric, how far back and in steps of what width (both in seconds)."""

    metric: str
    since: int
    step: int

    @classmethod
    def of(cls, metric: str, since: str, step: str) -> "HistoryQuestion":
        """From the query's words. Raises Unanswered."""
        try:
            back = int(seconds_in(since, "since"))
            width = int(seconds_in(step, "step"))
        except UsageError as error:
            raise Unanswered(422, error.message, error.hint) from None
        if width < MINUTE or width % MINUTE:
            raise Unanswered(422, f"step {step}: the history keeps whole minutes", "for example 1m, 5m, 1h")
        if not MINUTE <= back <= RETENTION:
            raise Unanswered(
                422, f"since {since}: the history keeps one sample a minute, for seven days", "a time from 1m to 7d"
            )
        if back // width > _MOST_POINTS:
            message = f"{back // width:,} steps are more than {_MOST_POINTS:,}"
            raise Unanswered(422, message, "a wider step, or less far back")
        return cls(metric, back, width)


def read_history(settings: Settings, question: HistoryQuestion) -> dict[str, Any]:
    """The steps of one metric. Raises Unanswered and SourceError."""
    storage = HealthMetricsStorage(settings.history_redis_url, min(settings.timeout, WAIT_SECONDS))
    try:
        refuse_where_full(storage.connection, NOT_READ)
        known = storage.metrics()
        if not known:
            message = f"there is no history in Redis at {storage.connection.address}"
            raise Unanswered(404, message, "start it with: blueplane-doctor record")
        if question.metric not in known:
            raise Unanswered(404, "this metric is not recorded", "see: blueplane-doctor history --list")
        until = time.time()
        points = storage.read(question.metric, until - question.since, until, question.step)
    finally:
        storage.close()
    return {"metric": question.metric, "step_seconds": question.step, "points": list(map(list, points))}


def read_trace(settings: Settings, wanted: str) -> dict[str, Any]:
    """One message, hop by hop. Raises Unanswered and SourceError."""
    timeout = min(settings.timeout, WAIT_SECONDS)
    examination = Examination(settings.model_copy(update={"timeout": timeout}))
    try:
        (trace,) = Tracer(examination).trace([wanted])
    finally:
        examination.close()
    if trace.state == NOT_FOUND:
        raise Unanswered(404, "no such message", trace.advice)
    return trace.model_dump()
