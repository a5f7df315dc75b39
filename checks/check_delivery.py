"""Delivery: how long does a message take from the stream to its row."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, Status, check, unknown
from blueplane_doctor.checkapi import many, not_graded
from blueplane_doctor.text.times import span

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.delivery_delay import DeliveryDelay, RouteDelay
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import ServerHealth

_FEWEST = 20
"""Messages on which a colour other than green rests: of fewer, P95 is the slowest one."""
_GREEN_BELOW_SECONDS = 5
"""Where this check and consumer-lag leave green by default."""
_TEN_SECONDS_MS = 10_000
"""From here on the second that is not known is a small part of the delay."""
_NOT_KNOWN = "How long messages take to their row is not known"


# A batch of the pipeline takes milliseconds, so that 5 s are consumer-lag's yellow too: the writers did not keep up.
# Above five minutes they stood still. Never red: these messages are written, and what still waits has its own checks.
@check(area="chain", scale=Scale.rising(yellow=_GREEN_BELOW_SECONDS, orange=300, unit="s"))
def check_delivery_delay(
    delivery: "DeliveryDelay",
    locations: "Locations",
    scale: Scale,
    queue: "QueueHealth | None" = None,
    server: "ServerHealth | None" = None,
) -> Finding:
    """How long 95 of 100 messages took from the stream to their row.

    Of the messages of the last hour that are written and still in the stream, of each route a sample; the slowest route
    counts. From the time in the stream ID to the row's ingested_at, which holds whole seconds: a true delay is up to
    one second longer than what is graded. With 20 or more messages in the last ten minutes these alone are graded, so
    that what is over does not count for an hour. What is not written yet is graded by consumer-lag. Where nothing waits
    as long now, the delay is over, and no worse than yellow.

    Causes:
    - the server was stopped for a while, and wrote what had waited when it was started again
    - the writers are slower than the producers for a time (see write-throughput, write-p95)
    - another process locked the database for a time (see server-errors)
    """
    evidence = delivery.model_dump()
    measured = [route for route in delivery.routes if route.sampled]
    if not measured and delivery.cause:
        return unknown(_NOT_KNOWN, delivery.cause, evidence=evidence)
    if not measured:
        summary = "No message of the last hour is both written and still in the stream"
        return not_graded(None, summary, unit=scale.unit, evidence=evidence)
    slowest = max(measured, key=_graded_ms)
    seconds = round(_graded_ms(slowest) / 1000, 3)
    summary = _sentence(slowest)
    text = "Look at consumer-lag: it says how long messages wait now."
    at_worst = Status.RED
    if seconds >= _GREEN_BELOW_SECONDS and queue is not None and _is_over(queue):
        summary += f". These came late; that is over, and {_waiting_now(queue)}"
        text = "The delay is over, and nothing needs to be done."
        at_worst = Status.YELLOW
    remedy = Remedy(text=text)
    if server is not None and server.errors:
        text += " The errors in the log may say what held up the writers."
        remedy = Remedy(text=text, commands=[f"grep -E 'ERROR|CRITICAL' {locations.log} | tail"])
    finding = scale.grade(seconds, summary, remedy=remedy, evidence=evidence, at_worst=at_worst)
    if finding.status.severity > 0 and slowest.sampled < _FEWEST:
        few = many(slowest.sampled, "message", "messages")
        return unknown(summary, f"{few} of {slowest.route} in the last hour, of at least {_FEWEST}", evidence=evidence)
    return finding


def _is_over(queue: "QueueHealth") -> bool:
    """Whether no message waits for as long as the late ones did."""
    return queue.consumer_lag_ms is not None and queue.consumer_lag_ms < _GREEN_BELOW_SECONDS * 1000


def _waiting_now(queue: "QueueHealth") -> str:
    if not queue.queue_depth:
        return "nothing waits now"
    return f"no message waits for {_GREEN_BELOW_SECONDS} s now"


def _graded_ms(route: "RouteDelay") -> int:
    if route.recent_p95_ms is not None:
        return route.recent_p95_ms
    return route.p95_ms or 0


def _sentence(route: "RouteDelay") -> str:
    if route.sampled < _FEWEST:
        number = many(route.sampled, "message", "messages")
        return (
            f"Time from enqueuing to the row: {_took(route.p95_ms or 0)} for the slowest of {number} of {route.route}"
        )
    half = _took(route.p50_ms or 0)
    if route.recent_p95_ms is None:
        return f"Time from enqueuing to the row ({route.route}, last hour): P95 {_took(route.p95_ms or 0)}, P50 {half}"
    slow = _took(route.recent_p95_ms)
    recent = f"Time from enqueuing to the row ({route.route}): P95 {slow} in the last ten minutes"
    return f"{recent}; P50 {half} in the last hour"


def _took(at_least_ms: int) -> str:
    """The delay in words that hold for the whole second that it lies in."""
    if not at_least_ms:
        return "under a second"
    if at_least_ms < _TEN_SECONDS_MS:
        return f"{span(at_least_ms)} to {span(at_least_ms + 1000)}"
    return f"about {span(at_least_ms + 500)}"
