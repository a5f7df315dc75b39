"""One sample: the numbers of a report by stable dotted names, its verdicts as 0 (green) to 3 (red) or -1."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blueplane_doctor.history.series import MINUTE

if TYPE_CHECKING:
    from blueplane_doctor.model import Report

_STATES: dict[str, dict[str, int]] = {
    "chain_status": {"healthy": 0, "degraded": 2, "broken": 3, "unknown": -1},
    "pid_state": {"running": 0, "another program": 3, "not running": 3, "no pid file": 3},
}
"""Words that are kept as numbers; all other text stays out of the history."""
_LISTS = {"groups": ("name", "groups"), "losses": ("group", "groups"), "hooks": ("name", "hooks")}
"""Lists whose members have a name that is stable; all other lists stay out."""
_LEFT_OUT = {"pid", "by_route", "hooks_active", "lag", "installed", "configured", "expected", "exists"}
"""What is no measure (pid), is told elsewhere in the same sample, or is never judged (the server's lag)."""
HISTORY = "history"
"""The record of the samples themselves, which is never sampled."""
_UNFIT = re.compile(r"[^A-Za-z0-9_:.-]+")
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Sample:
    """Numbers of one minute; what could not be known is not in `values`."""

    time: int
    """Seconds since 1970, a whole minute."""
    values: Mapping[str, float]


def minute_of(moment: float) -> int:
    """The minute in which a moment lies, in seconds since 1970."""
    return int(moment // MINUTE * MINUTE)


def sample_of(report: "Report", moment: float) -> Sample:
    """What the history keeps of a report."""
    values: dict[str, float] = {"status.report": report.status.severity}
    for area in {finding.area for finding in report.findings}:
        values[f"status.{_fit(area)}"] = max(f.status.severity for f in report.findings if f.area == area)
    for name, record in report.metrics.items():
        if name == HISTORY:
            continue
        values |= dict(_numbers(name, record or {}))
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
                    yield from _numbers(f"{path}.{plural}.{_fit(member[key])}", _member(member))


def _member(member: Mapping[str, Any]) -> dict[str, Any]:
    """A group, loss or hook; the ID that was delivered last as its time."""
    kept = dict(member)
    delivered = kept.pop("last_delivered_id", None)
    if delivered:
        kept["last_delivered"] = int(str(delivered).partition("-")[0])
    return kept


def _fit(name: str) -> str:
    return _UNFIT.sub("_", name)[:_LONGEST_NAME]
