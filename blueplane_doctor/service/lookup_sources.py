"""What is read for one asker: a metric's history, one message's way."""

import time
from dataclasses import dataclass
from typing import Any

from blueplane_doctor.custody.trace import NOT_FOUND, Tracer
from blueplane_doctor.errors import DoctorError, UsageError
from blueplane_doctor.examination import Examination
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import MINUTE, RETENTION, seconds_in
from blueplane_doctor.settings import Settings

TRACE_SECONDS = 5.0
"""The longest that one message is looked for."""
MOST_POINTS = 2_000
"""Steps of one answer."""


class NotThere(DoctorError):
    """What was asked for does not exist (404)."""


class CannotAsk(DoctorError):
    """The question makes no sense (422)."""


@dataclass(frozen=True)
class HistoryQuestion:
    """A metric, how far back (seconds), and of what width its steps are (seconds)."""

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
        if back > RETENTION:
            raise CannotAsk(f"since {since}: the history goes back seven days", "at most 7d")
        if back // width > MOST_POINTS:
            raise CannotAsk(f"{back // width:,} steps are more than {MOST_POINTS:,}", "a wider step, or less far back")
        return cls(metric, back, width)


def read_history(settings: Settings, question: HistoryQuestion) -> dict[str, Any]:
    """The steps of one metric. Raises NotThere and SourceError."""
    storage = HealthMetricsStorage(settings.history_url or settings.redis_url)
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
    limited = settings.model_copy(update={"timeout": min(settings.timeout, TRACE_SECONDS)})
    examination = Examination(limited)
    try:
        (trace,) = Tracer(examination).trace([wanted])
    finally:
        examination.close()
    if trace.state == NOT_FOUND:
        raise NotThere("no such message", trace.advice)
    return trace.model_dump(mode="json")
