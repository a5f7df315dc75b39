"""What the service knows at one moment: a report, and how fresh each half of its evidence is."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from blueplane_doctor.model import Finding, Report, Status, counted, worst

QUICK_RECORDS = ("connections", "redis", "server", "spool", "database", "locations")
"""Health records of the quick look."""
CUSTODY_RECORDS = ("queue", "capture", "chain")
"""Those that take a walk through the stream."""
AREAS = ("queue", "database", "capture", "chain")
"""Those with an endpoint, which shows the health record of the same name."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Freshness:
    """When one half of the evidence was read, and from when on it does not hold (both in seconds since 1970)."""

    taken_at: float
    stale_after: float

    def age_ms(self, now: float) -> int:
        """Milliseconds since it was read."""
        return max(0, int((now - self.taken_at) * 1000))


@dataclass(frozen=True)
class Snapshot:
    """What every endpoint shows; frozen, and replaced as a whole."""

    version: int
    report: Report
    quick: Freshness
    custody: Freshness
    _made: dict[Hashable, Any] = field(default_factory=dict, compare=False)

    def once(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` returned for this key first: however many ask, a snapshot is rendered once."""
        if key not in self._made:
            self._made[key] = make()
        value: Value = self._made[key]
        return value

    @property
    def status(self) -> Status:
        """The worst of all, or `unknown` while a record is missing and nothing is red."""
        return self.report.status

    def area_status(self, name: str) -> Status:
        """An area's status: `unknown` where the record of its endpoint is missing and nothing is red."""
        status = worst(finding.status for finding in counted(self._findings(name)))
        missing = name in AREAS and self.report.metrics.get(name) is None
        if missing and status is not Status.RED:
            return Status.UNKNOWN
        return status

    def cause(self, name: str) -> str:
        """Why the area is unknown; empty when it is not."""
        if self.area_status(name) is not Status.UNKNOWN:
            return ""
        for finding in self._findings(name):
            if finding.cause:
                return finding.cause
        return "no check of it was run"

    def _findings(self, area: str) -> list[Finding]:
        areas = ("queue", "dead-letters") if area == "queue" else (area,)
        return [finding for finding in self.report.findings if finding.area in areas]
