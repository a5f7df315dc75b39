"""A snapshot: one report as the service serves it, with how old each part is and until when it holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from blueplane_doctor.model import Report, Status, count_statuses, counted, exit_code_for, in_order, worst
from blueplane_doctor.settings import Settings

QUICK_RECORDS = ("connections", "redis", "server", "spool", "database")
CUSTODY_RECORDS = ("queue", "capture", "chain")
AREAS: dict[str, tuple[str, ...]] = {
    "queue": ("queue", "dead-letters"),
    "database": ("database",),
    "capture": ("capture",),
    "chain": ("chain",),
}
"""For each endpoint, the areas of the checks that judge what it shows; its health record has the endpoint's name."""


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
    """Connections, Redis, the server, the database."""
    custody: Part
    """The queue, capture and the chain, which take a walk through the stream."""
    rendered: dict[Any, Any] = field(default_factory=dict, compare=False)
    """What was made of it already, by whoever shows it; goes away with it."""

    @property
    def status(self) -> Status:
        """The worst of all, or `unknown` while a part is missing and nothing is red."""
        return self.report.status

    def area_status(self, name: str) -> Status:
        """The status of one endpoint's area: `unknown` where its record is missing and nothing is red."""
        areas = AREAS.get(name, (name,))
        found = worst(f.status for f in counted(self.report.findings) if f.area in areas)
        missing = name in AREAS and self.report.metrics.get(name) is None
        return Status.UNKNOWN if missing and found is not Status.RED else found

    def cause(self, name: str) -> str:
        """Why the area is unknown; empty when it is not."""
        if self.area_status(name) is not Status.UNKNOWN:
            return ""
        areas = AREAS.get(name, (name,))
        return next((f.cause for f in self.report.findings if f.area in areas and f.cause), "no check of it was run")


def honest(report: Report, needed: Iterable[str], records: Mapping[str, object]) -> Report:
    """The report, `unknown` instead of a colour better than red where evidence is missing that its checks need."""
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
    """ISO 8601 with milliseconds, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
