"""The chain of custody in numbers: every message's state, and what is broken."""

from collections import Counter

from blueplane_doctor.custody.groups import Loss, trimmed_unread
from blueplane_doctor.custody.ledger import (
    DEAD_LETTERED,
    DUPLICATE,
    IN_FLIGHT,
    LATER,
    LOST,
    OLDER,
    SKIPPED,
    STATES,
    STUCK,
    UNEXAMINED,
    UNTRACEABLE,
    WAITING,
    WITHOUT,
    WRITTEN,
    Ledger,
)
from blueplane_doctor.errors import SourceError
from blueplane_doctor.model import Record
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.sources.streams import StreamState, id_text
from blueplane_doctor.times import from_milliseconds, iso

SHOWN_BREAKS = 200
"""Breaks listed one by one in a report; all are counted."""


class ChainBreak(Record):
    """One message whose custody is broken."""

    kind: str
    """`lost` (acknowledged, no row, no dead letter) or `payload_gone` (pending, its entry trimmed)."""
    id: str
    """Stream ID."""
    event_id: str | None
    enqueued_at: str | None
    route: str | None
    group: str
    event_type: str
    reason: str


class GroupLoss(Record):
    """What one writer group lost before delivery."""

    group: str
    trimmed_unread: int | None
    """Messages trimmed before the group was given them; null when that cannot be known."""
    cause: str = ""
    """Why it cannot."""
    after_id: str | None = None
    """Last message the group was given: what was lost came after it. Null once the group has read on."""
    before_id: str | None = None
    """First message that is still there: what was lost came before it."""


class ChainBlocker(Record):
    """A stuck message that its writer cannot write, and that holds up what was read with it."""

    id: str
    group: str
    reason: str


class TimeBucket(Record):
    """Messages of ten minutes of event time, at every stage: `enqueued` is the sum of all but `delivered`."""

    start: str
    """ISO 8601, or `older` (than a day), `later` (than now), `without_timestamp`."""
    enqueued: int
    delivered: int
    """Given to their writer, or by design unwritten."""
    written: int
    """Duplicates included."""
    skipped: int
    waiting: int
    held: int
    """In flight or stuck."""
    dead_lettered: int
    untraceable: int
    broken: int
    """Lost."""
    unexamined: int


class ChainHealth(Record):
    """Every message of the stream accounted for: `examined` is the sum of `states` but for the two losses."""

    chain_status: str
    """`broken` (a break), `degraded` (dead letters or stuck messages), `healthy`, or `unknown`."""
    messages_enqueued_last_hour: int
    messages_written_last_hour: int
    """Of those, the ones whose row is there."""
    messages_in_dlq: int
    chain_break_count: int
    """lost + trimmed_unread + payload_gone, as far as they are known."""
    last_chain_break_timestamp: str | None
    """When the newest broken message was enqueued; trimmed ones have no time."""
    success_rate: float | None
    """Percent of the last hour's messages that were owed a row, given to their writer, and have it."""
    examined: int
    """Messages read."""
    partial: bool
    """Whether the time was up before the last one."""
    states: dict[str, int | None]
    """Messages in each state, `trimmed_unread` and `payload_gone`; null for what cannot be known."""
    by_route: dict[str, dict[str, int]]
    losses: list[GroupLoss]
    breaks: list[ChainBreak]
    """The oldest, at most 200."""
    blockers: list[ChainBlocker] = []
    """At most 100."""
    buckets: list[TimeBucket] = []
    """By event time, the last day."""
    other_buckets: list[TimeBucket] = []
    """Older than a day, later than now, without a timestamp."""
    equation: str = ""
    """Conservation: the messages examined and their states, as a sum."""
    database_cause: str = ""
    """Why rows could not be looked up; then acknowledged messages are `unexamined`."""


class ChainOfCustodyMonitor(Monitor):
    """Follows every message of the stream to its row, its dead letter, or its loss."""

    name = "chain"
    record = ChainHealth

    def collect(self) -> ChainHealth:
        """Raises SourceError when the stream cannot be read."""
        ledger, stream = self.examination.ledger(), self.examination.stream()
        groups = self.examination.writer_groups()
        losses = [trimmed_unread(stream, name, ledger.undelivered.get(name)) for name in groups]
        known = [loss.count for loss in losses if loss.count is not None]
        # Trimming cuts the same beginning of the stream for every group: the largest loss contains the others.
        trimmed = max(known, default=0)
        broken = ledger.total(LOST) + ledger.payload_gone + trimmed
        states: dict[str, int | None] = {state: ledger.total(state) for state in STATES}
        states["trimmed_unread"] = trimmed if known and len(known) == len(losses) else None
        states["payload_gone"] = ledger.payload_gone
        dead, owed = self.examination.dead_letters().found.total, ledger.owed_last_hour
        counts = ledger.buckets
        return ChainHealth(
            chain_status=_status(ledger, broken, dead),
            messages_enqueued_last_hour=ledger.last_hour,
            messages_written_last_hour=ledger.written_last_hour,
            messages_in_dlq=dead,
            chain_break_count=broken,
            last_chain_break_timestamp=None if ledger.last_break_ms is None else _time(ledger.last_break_ms),
            success_rate=round(100 * ledger.written_last_hour / owed, 3) if owed else None,
            examined=ledger.examined,
            partial=ledger.partial,
            states=states,
            by_route={
                route: {state: counted[state] for state in STATES if counted[state]}
                for route, counted in sorted(ledger.states.items())
            },
            losses=[_group_loss(loss, stream) for loss in losses],
            breaks=[
                ChainBreak(
                    kind=b.kind,
                    id=b.id,
                    event_id=b.event_id,
                    enqueued_at=_time(b.enqueued_ms),
                    route=b.route,
                    group=b.group,
                    event_type=b.event_type,
                    reason=b.reason,
                )
                for b in ledger.breaks[:SHOWN_BREAKS]
            ],
            blockers=[ChainBlocker(**blocker._asdict()) for blocker in ledger.blockers],
            buckets=[_bucket(_time(start), counts[start]) for start in sorted(s for s in counts if isinstance(s, int))],
            other_buckets=[_bucket(name, counts[name]) for name in (OLDER, LATER, WITHOUT) if name in counts],
            equation=equation(ledger.examined, states),
            database_cause=self._database_cause(),
        )

    def _database_cause(self) -> str:
        try:
            if not self.examination.trace_tables():
                return "the database holds none of the tables that traces are written to"
        except SourceError as error:
            return error.message
        return self.examination.ledger().rows_cause


def _status(ledger: Ledger, broken: int, dead: int) -> str:
    if broken:
        return "broken"
    if dead or ledger.total(STUCK) or ledger.total(DEAD_LETTERED):
        return "degraded"
    return "unknown" if ledger.total(UNEXAMINED) else "healthy"


def _group_loss(loss: Loss, stream: StreamState) -> GroupLoss:
    group, after, before = stream.group(loss.group), None, None
    if loss.count and group and stream.first and group.last_delivered < stream.first:
        after, before = id_text(group.last_delivered), id_text(stream.first)
    return GroupLoss(group=loss.group, trimmed_unread=loss.count, cause=loss.cause, after_id=after, before_id=before)


def _bucket(start: str, counted: Counter[str]) -> TimeBucket:
    total = sum(counted.values())
    return TimeBucket(
        start=start,
        enqueued=total,
        delivered=total - counted[WAITING],
        written=counted[WRITTEN] + counted[DUPLICATE],
        skipped=counted[SKIPPED],
        waiting=counted[WAITING],
        held=counted[IN_FLIGHT] + counted[STUCK],
        dead_lettered=counted[DEAD_LETTERED],
        untraceable=counted[UNTRACEABLE],
        broken=counted[LOST],
        unexamined=counted[UNEXAMINED],
    )


def equation(examined: int, states: dict[str, int | None]) -> str:
    """`263 messages = 237 written + 14 skipped + 12 lost`; what left the stream before is no part of it."""
    order = (WRITTEN, DUPLICATE, SKIPPED, WAITING, IN_FLIGHT, STUCK, DEAD_LETTERED, UNTRACEABLE, LOST)
    terms = {state.replace("_", " "): states[state] or 0 for state in order}
    terms["unexamined"] = max(0, examined - sum(terms.values()))
    summed = " + ".join(f"{count:,} {state}" for state, count in terms.items() if count)
    unread = (states[UNEXAMINED] or 0) - terms["unexamined"]
    return f"{examined:,} messages = {summed or '0'}" + (f"; {unread:,} not read" if unread > 0 else "")


def _time(milliseconds: int) -> str:
    return iso(from_milliseconds(milliseconds)) or ""


MONITOR = ChainOfCustodyMonitor
