"""Samples, the numbers of a report by stable dotted names; and one metric's series of them, in steps."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blueplane_doctor.known_names import AREAS
from blueplane_doctor.metrics import LAST, MAX
from blueplane_doctor.readings import fit, readings
from blueplane_doctor.text import known_or_hidden

if TYPE_CHECKING:
    from blueplane_doctor.model import Report

MINUTE = 60
RETENTION = 7 * 24 * 3600
"""Seconds that a sample is kept."""
HISTORY = "history"
"""The record of the samples themselves, which is never sampled."""

METRIC_NAME = re.compile(r"[A-Za-z0-9_:.-]{1,400}")
"""What the name of a metric consists of; another one was written by no recorder."""

Point = tuple[int, float | None]
"""Start of a step (seconds since 1970), and its value; None where nothing was recorded."""


@dataclass(frozen=True)
class Sample:
    """Numbers of one minute; what could not be known is not in `values`."""

    time: int
    """Seconds since 1970, a whole minute."""
    values: Mapping[str, float]


def sample_of(report: "Report", moment: float) -> Sample:
    """What the history keeps of a report: its numbers, and verdicts as 0 (green) to 3 (red) or -1."""
    values: dict[str, float] = {"status.report": report.status.severity}
    for finding in report.findings:
        name = f"status.{fit(known_or_hidden(finding.area, AREAS))}"
        values[name] = max(values.get(name, -1), finding.status.severity)
    for reading in readings(report.metrics):
        number = reading.number
        if number is not None and reading.metric.recorded:
            values[reading.name] = number
    kept = {name: float(value) for name, value in sorted(values.items()) if is_kept(value)}
    return Sample(minute_of(moment), kept)


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
