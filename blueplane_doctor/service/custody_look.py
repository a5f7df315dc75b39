"""When the look at custody is due, which walks through the stream, and for how long it holds."""

from blueplane_doctor.monitoring.connections import Connections
from blueplane_doctor.monitoring.queue_health import QueueHealth
from blueplane_doctor.service.snapshot import Look

_SHORTEST_SECONDS = 1.0
_REST = 9.0
"""Nine parts of rest to one of work: a tenth of one thread."""
_IDLE_SECONDS = 180.0
_IDLE_REST = 199.0
"""Half a percent of a thread: with the quick looks an idle service is to stay under 2 % of a core."""


def is_due(quick: Look, custody: Look, now: float) -> bool:
    """Whether the next one is due: as often as its cost allows, and at rest where nothing changes.

    `now`: by the monotonic clock.
    """
    if quick.reachable is None:
        return False
    if quick.reachable != custody.reachable:
        return True  # also where Redis has gone: what lies outside it is judged all the same
    rested = now - custody.began - custody.took
    if rested < least_rest(custody.took):
        return False
    if rested >= longest_rest(custody.took):
        return True
    if not quick.reachable.redis:
        return False
    queue = custody.evidence.records.get("queue")
    if not isinstance(queue, QueueHealth) or queue.queue_depth or queue.pending_messages:
        return True  # what waits grows older, though nothing else changes
    return quick.fingerprint != custody.fingerprint


def least_rest(took: float) -> float:
    """Seconds after a look that took so long, from which on the next begins if anything has changed."""
    return max(_SHORTEST_SECONDS, _REST * took)


def longest_rest(took: float) -> float:
    """Seconds after it at which the next begins although nothing has changed: counts of the last hour grow old."""
    return max(_IDLE_SECONDS, _IDLE_REST * took)


def why_it_does_not_hold(quick: Look, custody: Look, now: float) -> str:
    """Why it must not be shown, for it never outlives an outage; empty where it holds.

    `now`: by the monotonic clock, for the other one may be set meanwhile.
    """
    connections = quick.evidence.records.get("connections")
    if not isinstance(connections, Connections):
        causes = list(quick.evidence.missing.values())
        return causes[0] if causes else "the quick look has not ended"
    if not connections.redis.reachable:
        # A look that began in the outage holds what lies outside Redis. One that read the queue is of another time.
        began_in_outage = custody.reachable is not None and not custody.reachable.redis
        if not began_in_outage or "queue" in custody.evidence.records:
            return connections.redis.cause
    if custody.reachable is None:
        return ""  # its evidence says itself that there was no look yet
    if custody.reachable != quick.reachable:
        return "Redis or the database has gone or come back, and the stream is being examined again"
    freshness = custody.freshness
    if now - custody.began > freshness.stale_after - freshness.taken_at:
        return "the examination of the stream has not ended in time"
    return ""
