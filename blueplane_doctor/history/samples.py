"""Samples, the numbers of a report by stable dotted names; and one metric's series of them, in steps."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blueplane_doctor.model import Report

MINUTE = 60
RETENTION = 7 * 24 * 3600
"""Seconds that a sample is kept."""
HISTORY = "history"
"""The record of the samples themselves, which is never sampled."""
AVERAGE, LARGEST, LAST = "avg", "max", "last"

_STATES: dict[str, dict[str, int]] = {
    "chain_status": {"healthy": 0, "degraded": 2, "broken": 3, "unknown": -1},
    "pid_state": {"running": 0, "another program": 3, "not running": 3, "no pid file": 3},
}
"""Words that are kept as numbers; all other text stays out of the history."""
_LISTS = {"groups": ("name", "groups"), "losses": ("group", "groups"), "hooks": ("name", "hooks")}
"""Lists whose members have a name that is stable; all other lists stay out."""
_LEFT_OUT = {"pid", "by_route", "hooks_active", "lag", "installed", "configured", "expected", "exists"}
"""What is no measure (pid), is told elsewhere in the same sample, or is never judged (the server's lag)."""
_UNFIT = re.compile(r"[^A-Za-z0-9_:.-]+")
_LONGEST_NAME = 120
_COUNTERS = ("entries_added", "entries_read", "last_delivered")

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
    for area in {finding.area for finding in report.findings}:
        values[f"status.{_fit(area)}"] = max(f.status.severity for f in report.findings if f.area == area)
    for name, record in report.metrics.items():
        if name != HISTORY:
            values |= _numbers(name, record or {})
    return Sample(minute_of(moment), {name: float(v) for name, v in sorted(values.items()) if math.isfinite(v)})


def _numbers(path: str, record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in record.items():
        dotted = f"{path}.{_fit(name)}"
        if name in _LEFT_OUT:
            continue
        if name in _STATES:
            yield dotted, _STATES[name].get(value, -1)
        elif isinstance(value, int | float):
            yield dotted, value
        elif isinstance(value, Mapping):
            yield from _numbers(dotted, value)
        elif isinstance(value, list) and name in _LISTS:
            key, plural = _LISTS[name]
            for member in value:
                # Readers carry no custody; of a group that is not there nothing is known.
                if member.get("role") != "reader" and member.get("exists", True):
                    yield from _numbers(f"{path}.{plural}.{_fit(member[key])}", _with_time(member))


def _with_time(member: Mapping[str, Any]) -> dict[str, Any]:
    """With the time of the ID that was delivered last."""
    delivered = member.get("last_delivered_id")
    return {**member, "last_delivered": int(delivered.partition("-")[0])} if delivered else {**member}


def _fit(name: str) -> str:
    return _UNFIT.sub("_", name)[:_LONGEST_NAME]


def minute_of(moment: float) -> int:
    """The minute in which a moment lies, in seconds since 1970."""
    return int(moment // MINUTE * MINUTE)


def aggregation_of(metric: str) -> str:
    """How several minutes of this metric become one value.

    A mean, but the worst of states (a red minute must not vanish in green ones) and the last of counters.
    """
    if metric.startswith("status.") or metric.endswith("_status"):
        return LARGEST
    return LAST if metric.endswith(_COUNTERS) or metric.startswith("database.tables.") else AVERAGE


def bounds(since: float, until: float, step: int) -> tuple[int, int]:
    """Start of the first step, and the last second that counts. Steps are aligned to 1970, as the server does."""
    return int(since // step * step), int(until)


def in_steps(points: Mapping[int, float], since: float, until: float, step: int, how: str) -> list[Point]:
    """Every step from `since` to `until` with its value; `points` are by minute since 1970."""
    start, end = bounds(since, until, step)
    row = list(map(points.get, range(start // MINUTE, end // MINUTE + 1)))
    steps: list[Point] = []
    for at in range(start, end + 1, step):
        first = (at - start) // MINUTE
        values = [value for value in row[first : first + step // MINUTE] if value is not None]
        steps.append((at, tidy(_one_of(values, how)) if values else None))
    return steps


def _one_of(values: list[float], how: str) -> float:
    if how == LARGEST:
        return max(values)
    return values[-1] if how == LAST or len(values) == 1 else sum(values) / len(values)


def tidy(value: float) -> float:
    """Without the noise of binary fractions: integers as they are, the rest to 7 significant digits."""
    return value if value.is_integer() else float(f"{value:.7g}")
