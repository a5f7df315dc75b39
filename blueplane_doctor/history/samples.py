"""Samples, the numbers of a report by stable dotted names; and one metric's series of them, in steps."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from blueplane_doctor.metrics import LAST, MAX, MIN
from blueplane_doctor.privacy.known_names import AREAS
from blueplane_doctor.privacy.public_text import known_or_hidden
from blueplane_doctor.readings import fit, readings
from blueplane_doctor.text.patterns import pattern

if TYPE_CHECKING:
    from blueplane_doctor.model import Report

MINUTE = 60
RETENTION = 7 * 24 * 3600
"""Seconds that a sample is kept."""
HISTORY = "history"
"""The record of the samples themselves, which is never sampled."""

REPORT = "report"
CAUSE = "cause"
CHECK = "check"
KINDS = (REPORT, CAUSE, CHECK)
"""What has a status; in the order in which changes of one sample are told."""
STATUS_NAME = pattern(rf"{REPORT}|(?:{CAUSE}|{CHECK}):[A-Za-z0-9_-]{{1,100}}")
"""What a status is kept under; another name was written by no recorder."""
_QUIET = ("green", "not_set_up")
METRIC_NAME = pattern(r"[A-Za-z0-9_:.-]{1,400}")
"""What the name of a metric consists of; another one was written by no recorder."""

Point = tuple[int, float | None]
"""Start of a step (seconds since 1970), and its value; None where nothing was recorded."""


class Sample(NamedTuple):
    """Numbers of one minute; what could not be known is not in `values`."""

    time: int
    """Seconds since 1970, a whole minute."""
    values: Mapping[str, float]
    statuses: Mapping[str, str] | None = None
    """Of all that is not green, by STATUS_NAME; None where they are not to be kept."""


def points_of(samples: Sequence[Sample], metric: str) -> list[tuple[int, float]]:
    """Time and value of a metric in each sample that holds it."""
    points = []
    for sample in samples:
        if metric in sample.values:
            points.append((sample.time, sample.values[metric]))
    return points


def sample_of(report: "Report", moment: float, known_ids: Collection[str] = ()) -> Sample:
    """What the history keeps of a report: its numbers, and verdicts as 0 (green) to 3 (red) or -1.

    `known_ids`: of the built-in checks and causes. Any other id, which its author chose, is kept as its fingerprint.
    """
    values: dict[str, float] = {"status.report": report.status.severity}
    for finding in report.findings:
        name = f"status.{fit(known_or_hidden(finding.area, AREAS))}"
        values[name] = max(values.get(name, -1), finding.status.severity)
    for reading in readings(report.metrics):
        number = reading.number
        if number is not None and reading.metric.recorded:
            values[reading.name] = number
    kept = {name: float(value) for name, value in sorted(values.items()) if is_kept(value)}
    return Sample(minute_of(moment), kept, _statuses_of(report, known_ids))


def _statuses_of(report: "Report", known_ids: Collection[str]) -> dict[str, str]:
    """The status of all that is not green. What is not set up is as quiet as green; waived findings do not count."""
    statuses = {REPORT: report.status.value}
    # Worst first: of several causes of one kind, the worst one's status stands.
    for kind, identity, status in _named(report):
        name = f"{kind}:{kept_id(identity, known_ids)}"
        statuses.setdefault(name, status)
    return statuses


def _named(report: "Report") -> Iterator[tuple[str, str, str]]:
    for cause in report.causes:
        yield CAUSE, cause.id, cause.status.value
    for finding in report.findings:
        if finding.waiver is None and finding.status.value not in _QUIET:
            yield CHECK, finding.id, finding.status.value


def kept_id(identity: str, known_ids: Collection[str]) -> str:
    """The id of a check or cause as the history may hold it."""
    return fit(known_or_hidden(identity, known_ids))


def is_kept(value: float) -> bool:
    """Whether a value can be one of the history: not-a-number and infinities are none."""
    return math.isfinite(value)


def minute_of(moment: float) -> int:
    """The minute in which a moment lies, in seconds since 1970."""
    return int(moment // MINUTE * MINUTE)


def bounds(since: float, until: float, step: int) -> tuple[int, int]:
    """Start of the first step, and the last second that counts. Steps are aligned to 1970, as the server does."""
    return int(since // step * step), int(until)


def in_steps(points: Mapping[int, float], since: float, until: float, step: int, how: str) -> list[Point]:
    """Every step from `since` to `until` with its value; `points` are by minute since 1970."""
    start, end = bounds(since, until, step)
    minutes = range(start // MINUTE, end // MINUTE + 1)
    row = [points.get(minute) for minute in minutes]
    width = step // MINUTE
    steps: list[Point] = []
    for place, moment in enumerate(range(start, end + 1, step)):
        values = [value for value in row[place * width : (place + 1) * width] if value is not None]
        steps.append((moment, _value_of_step(values, how)))
    return steps


def _value_of_step(values: Sequence[float], how: str) -> float | None:
    if not values:
        return None
    if how == MAX:
        value = max(values)
    elif how == MIN:
        value = min(values)
    elif how == LAST or len(values) == 1:
        value = values[-1]
    else:
        value = sum(values) / len(values)
    return tidy(value)


def tidy(value: float) -> float:
    """Without the noise of binary fractions: integers as they are, the rest to 7 significant digits."""
    if value.is_integer():
        return value
    return float(f"{value:.7g}")
