"""What the service knows at one moment: two looks at the pipeline, and the report on both."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from blueplane_doctor.findings import counted
from blueplane_doctor.judging.evidence import Evidence
from blueplane_doctor.model import Finding, Report, Status
from blueplane_doctor.monitoring.connections import Connections
from blueplane_doctor.reports import cause_phrases
from blueplane_doctor.reports.phrases import headline, line
from blueplane_doctor.service.fingerprint import Fingerprint
from blueplane_doctor.verdict import status_of, unjudged

QUICK_RECORDS = (
    *("connections", "redis", "redis_writes", "disk_space"),
    *("server", "server_uses", "spool", "database", "database_access", "locations", "notifications"),
)
"""Health records of the quick look."""
CUSTODY_RECORDS = ("queue", "capture", "chain")
"""Those that take a walk through the stream."""
AREAS = ("queue", "database", "capture", "chain")
"""Those with an endpoint, which shows the health record of the same name."""

_Value = TypeVar("_Value")


class Freshness(NamedTuple):
    """When one half of the evidence was read, and from when on it does not hold (both in seconds since 1970)."""

    taken_at: float
    stale_after: float

    def age_ms(self, now: float) -> int:
        """Milliseconds since it was read."""
        return max(0, int((now - self.taken_at) * 1000))


class Reachable(NamedTuple):
    """Whether each source answered a quick look."""

    redis: bool
    database: bool


class Look(NamedTuple):
    """What one look has read."""

    evidence: Evidence
    freshness: Freshness
    began: float
    """By the monotonic clock."""
    took: float = 0.0
    """Seconds."""
    reachable: Reachable | None = None
    """As the quick look read it; of a custody look: as it was when it began; None: there was no look yet."""
    fingerprint: Fingerprint | None = None
    """Read after a quick look; of a custody look: the last one that was read before it began."""


@dataclass(frozen=True)
class Snapshot:
    """What every endpoint shows; frozen, and replaced as a whole."""

    version: int
    report: Report
    quick: Freshness
    custody: Freshness
    complete: bool = False
    """Whether both looks have ended at least once."""
    redis_reachable: bool = True
    """Whether it answered the quick look."""
    quick_began: float = 0.0
    """When the quick look began, by the monotonic clock."""
    _made: dict[Hashable, Any] = field(default_factory=dict, compare=False)

    def has_made(self, key: Hashable) -> bool:
        """Whether `once` has a value for this key already."""
        return key in self._made

    def once(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """What `make` returned for this key first: however many ask, a snapshot is rendered once."""
        # Without a lock: two threads that come at once make the same thing twice, and either is right.
        if not self.has_made(key):
            self._made[key] = make()
        value: _Value = self._made[key]
        return value

    @property
    def status(self) -> Status:
        """The worst of all, or `unknown` while a record is missing and nothing is red."""
        return self.report.status

    @property
    def summary(self) -> str:
        """The headline, and the first cause where there is a fault, or else the worst finding.

        What was never set up or could not be judged is no fault.
        """
        words = headline(self.report)
        if self.report.causes:
            cause = self.report.causes[0]
            return f"{words}: {line(cause.title)}: {cause_phrases.summary(cause)}"
        faults = []
        for finding in counted(self.report.findings):
            if finding.status.severity > 0:
                faults.append(finding)
        if faults and self.report.status.severity > 0:
            words += f": {max(faults, key=lambda one: one.status.severity).summary}"
        return words

    def area_status(self, name: str) -> Status:
        """An area's status, as vital as the whole report's: `unknown` also where its record is missing, or lacks Redis.

        Where something is red it is red all the same. An optional part that was never set up says so.
        """
        findings = self._findings(name)
        status = status_of(findings)
        missing = name in AREAS and self.report.metrics.get(name) is None
        if name in CUSTODY_RECORDS and not self.redis_reachable:
            missing = True
        if missing and status is not Status.RED:
            return Status.UNKNOWN
        if findings and all(finding.status is Status.NOT_SET_UP for finding in findings):
            return Status.NOT_SET_UP
        return status

    def cause(self, name: str) -> str:
        """Why the area is not green: what its worst finding says, or why nothing was judged; empty when it is green."""
        status = self.area_status(name)
        if status is Status.GREEN:
            return ""
        if status is not Status.UNKNOWN:
            return next(one.summary for one in counted(self._findings(name)) if one.status is status)
        findings = self._findings(name)
        causes = []
        for finding in (*unjudged(findings), *findings):
            if finding.cause:
                causes.append(finding.cause)
        return causes[0] if causes else "no check of it was run"

    def _findings(self, area: str) -> list[Finding]:
        areas = ("queue", "dead-letters") if area == "queue" else (area,)
        return [finding for finding in self.report.findings if finding.area in areas]


def reachable_in(evidence: Evidence) -> Reachable:
    """Which sources answered; without a record of the connections: none."""
    connections = evidence.records.get("connections")
    if not isinstance(connections, Connections):
        return Reachable(redis=False, database=False)
    return Reachable(connections.redis.reachable, connections.database.reachable)


def merged(custody: Evidence, quick: Evidence) -> Evidence:
    """Both looks' evidence as one; its time is that of the quick look."""
    evidence = Evidence(quick.taken_at, quick.duration_ms)
    for part in (custody, quick):
        evidence.records.update(part.records)
        evidence.missing.update(part.missing)
        evidence.durations.update(part.durations)
    for name in evidence.records:
        evidence.missing.pop(name, None)  # one look tells nothing of what the other has read
    return evidence
