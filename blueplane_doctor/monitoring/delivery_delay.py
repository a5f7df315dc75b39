"""The delivery delay: how long the messages of the last hour took from the stream to their row."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from blueplane_doctor.custody.delay_sample import DelaySample, WrittenMessage
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.privacy.public_fields import RouteName
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.trace_tables import read_ingested
from blueplane_doctor.text.times import MINUTE_MS, span, to_milliseconds

_RESOLUTION_MS = 1000
"""SQLite's CURRENT_TIMESTAMP, from which `ingested_at` comes, drops the fraction of the second."""
# Beside the hour: what was slow and is quick by now, or the other way round, shows.
_RECENT_MS = 10 * MINUTE_MS
_FEWEST = 20
"""Messages of which P95 is more than the slowest one."""
_LARGEST_SKEW_MS = 1000
"""Where clock-skew leaves green. Times of two clocks that differ by more say nothing about seconds."""


class RouteDelay(Record):
    """How long the messages of one route took. A true delay is up to `resolution_ms` longer than the number here."""

    route: RouteName
    messages: int
    """Written messages of the last hour that the stream still holds."""
    sampled: int
    """Of these, the ones whose delay was measured."""
    p50_ms: int | None = None
    """Half of them took at least this long; null where none was measured."""
    p95_ms: int | None = None
    """5 of 100 took at least this long; with fewer than 20 messages, the slowest one."""
    recent_p95_ms: int | None = None
    """The same of the last ten minutes; null with fewer than 20 messages."""


class DeliveryDelay(Record):
    """The time from enqueued (by the stream ID) to the row's `ingested_at`, of what is written."""

    routes: list[RouteDelay]
    """Those with written messages in the last hour."""
    resolution_ms: int = _RESOLUTION_MS
    """`ingested_at` holds whole seconds."""
    rows_before_messages: int = 0
    """Of the sample, messages that are not measured because their row is older: they were enqueued once more."""
    cause: str = ""
    """Why nothing could be measured."""


class DeliveryDelayMonitor(Monitor):
    """Reads the time of the rows of messages that the walk through the stream found written."""

    name = "delivery"
    record = DeliveryDelay

    def collect(self) -> DeliveryDelay:
        """Raises SourceError when the stream or the database cannot be read."""
        ledger = self.examination.ledger()
        self.examination.trace_tables()
        info = self.examination.server_info()
        skew_ms = abs(info.now_ms - info.host_ms)
        if skew_ms >= _LARGEST_SKEW_MS:
            return DeliveryDelay(routes=[], cause=f"the clocks of Redis and of this host differ by {span(skew_ms)}")
        routes = []
        older = 0
        ahead = 0
        for name, sample in sorted(ledger.delays.items()):
            measured = []
            delays = self._delays(sample.kept)
            latest_ms = to_milliseconds(datetime.now(UTC)) + _LARGEST_SKEW_MS
            for enqueued_ms, delay in delays:
                # Too early by less than a second: what the row's time lacks. Earlier: another message's row.
                if delay <= -_RESOLUTION_MS:
                    older += 1
                elif enqueued_ms + delay > latest_ms:
                    ahead += 1  # the clock was set back since it was written
                else:
                    measured.append((enqueued_ms, max(0, delay)))
            routes.append(_route(name, sample, measured, info.now_ms))
        cause = ledger.rows_cause
        if ledger.partial and not routes:
            cause = cause or "the time was up before the messages of the last hour were read"
        elif not any(route.sampled for route in routes):
            cause = cause or _why_none_is_measured(older, ahead)
        return DeliveryDelay(routes=routes, rows_before_messages=older, cause=cause)

    def _delays(self, kept: Iterable[WrittenMessage]) -> list[tuple[int, int]]:
        """When each message was enqueued, and how much later its row was written: both in milliseconds."""
        by_table: dict[str, dict[int, int]] = defaultdict(dict)
        for enqueued_ms, table, sequence in kept:
            by_table[table][sequence] = enqueued_ms
        delays = []
        for table, enqueued in by_table.items():
            ingested = read_ingested(self.examination.database, table, list(enqueued))
            for sequence, moment in ingested.items():
                delays.append((enqueued[sequence], to_milliseconds(moment) - enqueued[sequence]))
        return delays


def _why_none_is_measured(older: int, ahead: int) -> str:
    """Empty where no message of the sample was left out."""
    reasons = []
    if older:
        reasons.append("the rows are older than their messages")
    if ahead:
        reasons.append("the rows have times that are still to come: this machine's clock was ahead, or is behind")
    return "; ".join(reasons)


def _route(name: str, sample: DelaySample, measured: list[tuple[int, int]], now_ms: int) -> RouteDelay:
    delays = sorted(delay for _, delay in measured)
    lately = []
    for enqueued_ms, delay in measured:
        if enqueued_ms > now_ms - _RECENT_MS:
            lately.append(delay)
    recent = sorted(lately)
    health = RouteDelay(route=name, messages=sample.messages, sampled=len(delays))
    if not delays:
        return health
    recent_p95_ms = None
    if len(recent) >= _FEWEST:
        recent_p95_ms = _percentile(recent, 95)
    changed = {
        "p50_ms": _percentile(delays, 50),
        "p95_ms": _percentile(delays, 95),
        "recent_p95_ms": recent_p95_ms,
    }
    return health.model_copy(update=changed)


def _percentile(ascending: list[int], percent: int) -> int:
    """The smallest value that so many of a hundred do not exceed (nearest rank)."""
    rank = -(-len(ascending) * percent // 100)  # rounded up
    return ascending[rank - 1]


MONITOR = DeliveryDelayMonitor
