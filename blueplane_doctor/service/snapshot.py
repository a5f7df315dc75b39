"""A snapshot: one report as the service serves it, with how old each part is and until when it holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from blueplane_doctor.model import Finding, Report, Status, count_statuses, counted, exit_code_for, in_order, worst
from blueplane_doctor.settings import Settings
from blueplane_doctor.times import from_milliseconds, iso

QUICK_RECORDS = ("connections", "redis", "server", "spool", "database")
CUSTODY_RECORDS = ("queue", "capture", "chain")
"""Those that take a walk through the stream."""
AREAS = ("queue", "database", "capture", "chain")
"""Those with an endpoint, which shows the health record of the same name."""


@dataclass(frozen=True)
class Part:
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
    quick: Part
    custody: Part
    rendered: dict[Any, Any] = field(default_factory=dict, compare=False)
    """What whoever shows it made of it already."""

    @property
    def status(self) -> Status:
        """The worst of all, or `unknown` while a part is missing and nothing is red."""
        return self.report.status

    def area_status(self, name: str) -> Status:
        """An area's status: `unknown` where the record of its endpoint is missing and nothing is red."""
        found = worst(finding.status for finding in counted(self._findings(name)))
        missing = name in AREAS and self.report.metrics.get(name) is None
        return Status.UNKNOWN if missing and found is not Status.RED else found

    def cause(self, name: str) -> str:
        """Why the area is unknown; empty when it is not."""
        if self.area_status(name) is not Status.UNKNOWN:
            return ""
        return next((f.cause for f in self._findings(name) if f.cause), "no check of it was run")

    def _findings(self, area: str) -> list[Finding]:
        areas = (area, "dead-letters") if area == "queue" else (area,)
        return [finding for finding in self.report.findings if finding.area in areas]


def honest(report: Report, needed: Iterable[str], records: Mapping[str, object]) -> Report:
    """The report, but `unknown` for a colour better than red where evidence is missing that its checks need."""
    if report.status is Status.RED or all(name in records for name in needed):
        return report
    return report.model_copy(update={"status": Status.UNKNOWN})


def joined(first: Report, second: Report, settings: Settings) -> Report:
    """Two reports on different checks as one; the first tells when and how long."""
    findings = in_order([*first.findings, *second.findings])
    return first.model_copy(
        update={
            "findings": findings,
            "status": worst(finding.status for finding in counted(findings)),
            "counts": count_statuses(findings),
            "exit_code": exit_code_for(findings, settings.fail_on, settings.strict),
        }
    )


def moment(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 with milliseconds, UTC."""
    return iso(from_milliseconds(int(seconds * 1000))) or ""
