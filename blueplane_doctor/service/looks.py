"""The two looks at the pipeline, and what of them may be shown together."""

from typing import NamedTuple

from blueplane_doctor.evidence import Evidence
from blueplane_doctor.monitoring.connections import Connections
from blueplane_doctor.service.fingerprint import Fingerprint
from blueplane_doctor.service.snapshot import Freshness


class Reachable(NamedTuple):
    """Whether each source answered a quick look."""

    redis: bool
    database: bool


class Look(NamedTuple):
    """What one look has read."""

    evidence: Evidence
    freshness: Freshness
    reachable: Reachable | None = None
    """As the quick look read it; of a custody look: as it was when it began; None: there was no look yet."""
    fingerprint: Fingerprint | None = None
    """Read after a quick look; of a custody look: the last one that was read before it began."""


def reachable_in(evidence: Evidence) -> Reachable:
    """Which sources answered; without a record of the connections: none."""
    connections = evidence.records.get("connections")
    if not isinstance(connections, Connections):
        return Reachable(redis=False, database=False)
    return Reachable(connections.redis.reachable, connections.database.reachable)


def why_custody_does_not_hold(quick: Look, custody: Look, now: float) -> str:
    """Why the custody look must not be shown, for it never outlives an outage; empty where it holds.

    `now`: seconds since 1970.
    """
    connections = quick.evidence.records.get("connections")
    if not isinstance(connections, Connections):
        causes = list(quick.evidence.missing.values())
        return causes[0] if causes else "the quick look has not ended"
    if not connections.redis.reachable:
        return connections.redis.cause
    if custody.reachable is None:
        return ""  # its evidence says itself that there was no look yet
    if custody.reachable != quick.reachable:
        return "Redis or the database has gone or come back, and the stream is being examined again"
    if now > custody.freshness.stale_after:
        return "the examination of the stream has not ended in time"
    return ""


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
