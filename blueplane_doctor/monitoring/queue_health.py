"""The queue: what waits, who holds it, who reads it, and what was given up."""

from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.custody.states import WAITING
from blueplane_doctor.errors import SourceError
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.monitoring.backlog import BacklogNow, backlog_now, consumer_lag_ms, minutes_to_loss, one_look
from blueplane_doctor.monitoring.group_health import GroupHealth, groups_of
from blueplane_doctor.pipeline import kept_messages
from blueplane_doctor.privacy.public_fields import MessageId, StreamName
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.dead_letters import DeadLetterIndex
from blueplane_doctor.sources.entry_ids import id_text
from blueplane_doctor.sources.letter_errors import SET_ASIDE
from blueplane_doctor.sources.streams import StreamState
from blueplane_doctor.text.times import iso_of_milliseconds, milliseconds_since

_NEARLY_FULL = 0.9
"""Of max_length: the settings may have named a slightly smaller one before."""


class ArrivingError(Record):
    """Dead letters of the last hour that name the same error."""

    reason: str
    """Its type, and its text where that is a library's own phrase."""
    count: int
    messages: int
    """Messages that they name, each once."""
    not_lost: int = 0
    """Of these messages, the ones that are written by now, or that their writer still has to write."""
    first_timestamp: str
    """When the first of them was given up."""
    newest_id: MessageId
    """The newest one's own ID."""
    is_set_aside: bool = False
    """Whether repair put them there, and no writer did."""


class QueueHealth(Record):
    """The queue stream and its groups at one moment."""

    queue: StreamName
    layout: str
    measured_at: str
    """The Redis server's time; ages are measured against it."""
    stream_length: int
    """XLEN. Not the backlog: acknowledged messages stay in the stream until they are trimmed."""
    max_length: int
    """Messages that the stream keeps: of the settings' `max_length` and the writers' own 10,000 the smaller."""
    queue_depth: int | None
    """Messages that their own writer has not finished with: not delivered, or delivered, unacknowledged and without a
    row. Null when time was up."""
    first_unfinished_ids: list[MessageId] = []
    """The first three of them."""
    waiting_messages: int | None = None
    """Of these, the ones that their writer was not given yet; null when time was up."""
    oldest_waiting_age_ms: int | None = None
    """Since the oldest of those was enqueued; null when there is none, or that is not known."""
    ids_ahead: int = 0
    """Messages whose stream ID is later than the server's clock."""
    ids_ahead_ms: int = 0
    """How much later, at most."""
    pending_messages: int
    """Delivered to a writer and not acknowledged, by whichever writer group: each message counts once."""
    first_pending_ids: list[MessageId] = []
    """The first three of them."""
    oldest_pending_age_ms: int | None
    consumer_count: int
    """Consumers of the writer groups."""
    consumer_lag_ms: int | None
    """Age of the oldest message that its writer has not finished with; 0 when there is none, null when not known.

    By its stream ID; where that is ahead of the clock, by its `enqueued_at`."""
    consumer_lag_is_at_least: bool = False
    """Whether an older message is unfinished of which nothing tells when it was enqueued."""
    enqueue_rate_events_per_sec: float
    """Mean of the last 60 seconds, by stream IDs."""
    processing_rate_events_per_sec: float | None
    """Rows written a second, mean of the last 60 seconds; null without the database."""
    backlog_per_minute: float | None = None
    """Change of the backlog from this one look: what came less what was written, the smaller one of the rates of the
    last minute and of the last five. 0 for a backlog that is small, or younger than a minute; null when not known."""
    minutes_to_loss: float | None = None
    """Until the backlog reaches max_length at that rate; null when it does not grow."""
    trend: BacklogNow | None = None
    """Null when the stream was not read to its end, or the rows cannot be read."""
    dlq_size: int
    """Entries of all dead-letter streams."""
    dlq_recent_entries: int
    """Of these, those of the last hour."""
    dlq_previous_hour: int
    dlq_oldest_age_ms: int | None
    dlq_unwritten_messages: int | None = None
    """Messages that the dead letters name, each once, without those that are written, or that wait for a writer."""
    dlq_newest_ids: list[MessageId] = []
    """Dead letters' own IDs, of the newest three."""
    dlq_errors: list[ArrivingError] = []
    """What the dead letters of the last hour name, most frequent first."""
    dlq_sizes: dict[StreamName, int]
    dlq_dropped: dict[StreamName, int] = {}
    """For each dead-letter stream that lost some, the entries that were ever added and are no longer there."""
    dlq_unreadable: dict[StreamName, str] = {}
    """Dead-letter streams that cannot be read because their key holds something else, and what Redis said."""
    groups: list[GroupHealth]
    entries_added: int | None = None
    """Messages ever added to the stream; null before Redis 7.0."""
    other_queues: list[StreamName] = []
    """Queue streams of another layout that exist beside this one."""

    @property
    def removed_by_others(self) -> int:
        """Messages that were removed by somebody else than writers and producers, who leave `max_length`; at least.

        Without XTRIM or XDEL of another program the stream never holds fewer than that, once so many were added.
        """
        if self.entries_added is None:
            return 0
        if self.entries_added > self.max_length and self.stream_length >= _NEARLY_FULL * self.max_length:
            return 0
        return max(0, min(self.entries_added, self.max_length) - self.stream_length)

    @property
    def has_room(self) -> bool:
        """Whether unfinished messages fill less than half of what the stream keeps: none is trimmed unread now."""
        return self.queue_depth is not None and self.queue_depth < self.max_length / 2

    @property
    def writers(self) -> list[GroupHealth]:
        """The groups that carry custody."""
        return [group for group in self.groups if group.role == "writer"]

    @property
    def pending_by_writer(self) -> dict[str, dict[str, int | None]]:
        """What is told of each writer's pending entries list where a check judges it, by names for people."""
        told: dict[str, dict[str, int | None]] = {}
        for group in self.writers:
            told[group.name] = {
                "pending": group.pending,
                "stuck": group.stuck,
                "written, not acknowledged": group.written_not_acknowledged,
                "longest unacknowledged ms": group.longest_unacknowledged_ms,
                "most deliveries": group.most_deliveries,
            }
        return told


class QueueHealthMonitor(Monitor):
    """Reads streams, groups, pending entries lists and dead letters."""

    name = "queue"
    record = QueueHealth

    def collect(self) -> QueueHealth:
        """Raises SourceError."""
        examination = self.examination
        stream = examination.stream()
        ledger = examination.ledger()
        now_ms = examination.server_info().now_ms
        max_length = kept_messages(examination.settings.streams.max_length)
        dead_letters = examination.dead_letters().index
        groups = groups_of(examination)
        writers = [group for group in groups if group.role == "writer"]
        depth = None if ledger.partial else ledger.unfinished
        processed = self._processed_last_minute()
        look = one_look(examination)
        growth = look.growth if look else None
        consumers = 0
        for group in writers:
            consumers += len(group.consumers)
        return QueueHealth(
            queue=stream.queue,
            layout=stream.layout.name,
            measured_at=iso_of_milliseconds(now_ms),
            stream_length=stream.length,
            max_length=max_length,
            queue_depth=depth,
            first_unfinished_ids=ledger.first_unfinished,
            pending_messages=_pending_messages(ledger, writers),
            first_pending_ids=ledger.held.first_ids,
            oldest_pending_age_ms=milliseconds_since(_first_pending_ms(stream, examination.writer_groups()), now_ms),
            consumer_count=consumers,
            waiting_messages=None if ledger.partial else ledger.total(WAITING),
            oldest_waiting_age_ms=milliseconds_since(ledger.oldest_waiting_ms, now_ms),
            ids_ahead=ledger.ids_ahead,
            ids_ahead_ms=ledger.ids_ahead_ms,
            consumer_lag_ms=consumer_lag_ms(ledger, now_ms),
            consumer_lag_is_at_least=ledger.is_older_unfinished,
            enqueue_rate_events_per_sec=_per_second(ledger.last_minute),
            processing_rate_events_per_sec=None if processed is None else _per_second(processed),
            backlog_per_minute=growth,
            minutes_to_loss=minutes_to_loss(depth, max_length, growth),
            trend=backlog_now(look) if look else None,
            dlq_size=dead_letters.total,
            dlq_recent_entries=dead_letters.last_hour,
            dlq_previous_hour=dead_letters.hour_before,
            dlq_oldest_age_ms=milliseconds_since(dead_letters.oldest_ms, now_ms),
            dlq_unwritten_messages=len(dead_letters.messages - dead_letters.not_lost),
            dlq_newest_ids=dead_letters.newest_ids,
            dlq_errors=_arriving(dead_letters),
            dlq_sizes=dict(sorted(dead_letters.sizes.items())),
            dlq_dropped=dict(sorted(dead_letters.dropped.items())),
            dlq_unreadable=dict(sorted(dead_letters.unreadable.items())),
            groups=groups,
            entries_added=stream.entries_added,
            other_queues=list(stream.other_queues),
        )

    def _processed_last_minute(self) -> int | None:
        """Rows written; None when the database cannot be read."""
        try:
            return self.examination.written().last_minute
        except SourceError:
            return None


def _arriving(index: DeadLetterIndex) -> list[ArrivingError]:
    errors = []
    for error in sorted(index.arriving.values(), key=lambda one: (-one.count, one.newest)):
        errors.append(
            ArrivingError(
                reason=error.shown,
                count=error.count,
                messages=len(error.messages),
                not_lost=len(error.messages & index.not_lost),
                first_timestamp=iso_of_milliseconds(error.first_ms),
                newest_id=id_text(error.newest),
                is_set_aside=error.shown == SET_ASIDE,
            )
        )
    return errors


def _pending_messages(ledger: Ledger, writers: list[GroupHealth]) -> int:
    """Each once, though several groups hold it; when the time was up, at least as many as one group holds."""
    if ledger.partial:
        counts = [ledger.held.messages]
        for group in writers:
            counts.append(group.pending)
        return max(counts)
    return ledger.held.messages


def _first_pending_ms(stream: StreamState, writers: tuple[str, ...]) -> int | None:
    """When the oldest message that some writer group has not acknowledged was enqueued."""
    times = []
    for name in writers:
        group = stream.group(name)
        if group and group.first_pending:
            times.append(group.first_pending[0])
    return min(times, default=None)


def _per_second(per_minute: int) -> float:
    return round(per_minute / 60, 3)


MONITOR = QueueHealthMonitor
