"""The queue: what waits, who holds it, who reads it, and what was given up."""

from blueplane_doctor.errors import SourceError
from blueplane_doctor.model import Record
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.sources.streams import EntryId, Group, id_text
from blueplane_doctor.text import consumer, identifier
from blueplane_doctor.times import from_milliseconds, iso


class ConsumerHealth(Record):
    """One consumer of a group."""

    name: str
    pending: int
    idle_ms: int
    """Since it last asked for messages; before Redis 7.2: since it last got some."""
    gone: bool = False
    """Whether it holds messages and has been silent while another of its group works."""


class GroupHealth(Record):
    """One consumer group of the queue stream."""

    name: str
    role: str
    """`writer` (carries custody) or `reader`."""
    exists: bool = True
    pending: int = 0
    """Length of its pending entries list."""
    undelivered: int | None = 0
    """Messages it was not given yet, counted; null when the time was up before."""
    lag: int | None = None
    """The server's own figure; never judged, for it is wrong after trimming."""
    entries_read: int | None = None
    last_delivered_id: str | None = None
    """Stream ID of the newest message that it was given."""
    oldest_pending_age_ms: int | None = None
    """Since the oldest pending message was enqueued."""
    longest_unacknowledged_ms: int | None = None
    """Since the last delivery of the message that has waited longest for its acknowledgement (writers only)."""
    stuck: int | None = None
    """Pending messages unacknowledged for 30 s, or delivered three times (writers only)."""
    most_deliveries: int | None = None
    """Deliveries of the message that was delivered most often (writers only)."""
    orphaned: int | None = None
    """Messages held by consumers that are gone (writers only)."""
    consumers: list[ConsumerHealth] = []


class QueueHealth(Record):
    """The queue stream and its groups at one moment."""

    queue: str
    layout: str
    measured_at: str
    """The Redis server's time; ages are measured against it."""
    stream_length: int
    """XLEN. Not the backlog: acknowledged messages stay in the stream until they are trimmed."""
    max_length: int
    queue_depth: int | None
    """Messages that some writer group has not finished with, each counted once; null when time was up."""
    pending_messages: int
    """Delivered to a writer and not acknowledged, all writer groups."""
    oldest_pending_age_ms: int | None
    consumer_count: int
    """Consumers of the writer groups."""
    consumer_lag_ms: int
    """Age of the oldest message that some writer group has not finished with; 0 when there is none."""
    enqueue_rate_events_per_sec: float
    """Mean of the last 60 seconds, by stream IDs."""
    processing_rate_events_per_sec: float | None
    """Rows written a second, mean of the last 60 seconds; null without the database."""
    minutes_to_loss: float | None = None
    """Until the backlog reaches max_length at the rates of the last minute; null when it does not grow."""
    dlq_size: int
    """Entries of all dead-letter streams."""
    dlq_recent_entries: int
    """Of these, those of the last hour."""
    dlq_previous_hour: int
    dlq_oldest_age_ms: int | None
    dlq_sizes: dict[str, int]
    groups: list[GroupHealth]
    entries_added: int | None = None
    """Messages ever added to the stream; null before Redis 7.0."""
    other_queues: list[str] = []
    """Queue streams of another layout that exist beside this one."""

    @property
    def writers(self) -> list[GroupHealth]:
        """The groups that carry custody."""
        return [group for group in self.groups if group.role == "writer"]


class QueueHealthMonitor(Monitor):
    """Reads streams, groups, pending entries lists and dead letters."""

    name = "queue"
    record = QueueHealth

    def collect(self) -> QueueHealth:
        """Raises SourceError."""
        examination = self.examination
        stream, ledger = examination.stream(), examination.ledger()
        now, max_length = examination.server_info().now_ms, examination.settings.streams.max_length
        letters = examination.dead_letters().found
        writers = [(name, stream.group(name)) for name in examination.writer_groups()]
        groups = [self._group(group, now) for group in stream.groups]
        groups += [GroupHealth(name=name, role="writer", exists=False) for name, group in writers if not group]
        held = [group for group in groups if group.role == "writer"]
        first_pending = min((g.first_pending for _, g in writers if g and g.first_pending), default=None)
        oldest = min((i for i in (ledger.oldest_unfinished, first_pending) if i), default=None)
        depth = None if ledger.partial else ledger.unfinished
        processed = self._processed_last_minute()
        growth = ledger.last_minute - (processed or 0)
        return QueueHealth(
            queue=stream.queue,
            layout=stream.layout.name,
            measured_at=iso(from_milliseconds(now)) or "",
            stream_length=stream.length,
            max_length=max_length,
            queue_depth=depth,
            pending_messages=sum(g.pending for g in held),
            oldest_pending_age_ms=_age(first_pending, now),
            consumer_count=sum(len(g.consumers) for g in held),
            consumer_lag_ms=_age(oldest, now) or 0,
            enqueue_rate_events_per_sec=round(ledger.last_minute / 60, 3),
            processing_rate_events_per_sec=None if processed is None else round(processed / 60, 3),
            minutes_to_loss=round(max(0, max_length - depth) / growth, 1) if depth and growth > 0 else None,
            dlq_size=letters.total,
            dlq_recent_entries=letters.last_hour,
            dlq_previous_hour=letters.hour_before,
            dlq_oldest_age_ms=None if letters.oldest_ms is None else max(0, now - letters.oldest_ms),
            dlq_sizes=dict(sorted(letters.sizes.items())),
            groups=sorted(groups, key=lambda g: (g.role != "writer", g.name)),
            entries_added=stream.entries_added,
            other_queues=list(stream.other_queues),
        )

    def _group(self, group: Group, now: int) -> GroupHealth:
        ledger = self.examination.ledger()
        reader = ledger.pending.get(group.text)
        gone = reader.gone() if reader else set()
        return GroupHealth(
            name=identifier(group.name),
            role="writer" if group.text in self.examination.writer_groups() else "reader",
            pending=group.pending,
            undelivered=ledger.undelivered.get(group.text),
            lag=group.lag,
            entries_read=group.entries_read,
            last_delivered_id=id_text(group.last_delivered),
            oldest_pending_age_ms=_age(group.first_pending, now),
            longest_unacknowledged_ms=reader.longest_idle_ms if reader and reader.holders else None,
            stuck=reader.stuck if reader else None,
            most_deliveries=reader.most_deliveries if reader else None,
            orphaned=sum(reader.holders[name].messages for name in gone) if reader else None,
            consumers=sorted(
                (
                    ConsumerHealth(name=consumer(c.name), pending=c.pending, idle_ms=c.idle_ms, gone=c.name in gone)
                    for c in group.consumers
                ),
                key=lambda c: c.name,
            ),
        )

    def _processed_last_minute(self) -> int | None:
        try:
            return self.examination.written().last_minute
        except SourceError:
            return None


def _age(entry: EntryId | None, now: int) -> int | None:
    return None if entry is None else max(0, now - entry[0])


MONITOR = QueueHealthMonitor
