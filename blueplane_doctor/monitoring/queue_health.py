"""The queue: what waits, who holds it, who reads it, and what was given up."""

from collections.abc import Container
from typing import Any

from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.custody.pending_entries import PendingEntriesReader
from blueplane_doctor.custody.states import WAITING
from blueplane_doctor.errors import SourceError
from blueplane_doctor.history.trend import OneLook, judge_one_look
from blueplane_doctor.model import Record
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.pipeline import kept_messages
from blueplane_doctor.public_fields import ConsumerName, GroupName, MessageId, StreamName
from blueplane_doctor.sources.dead_letters import DeadLetterIndex
from blueplane_doctor.sources.entry_ids import EntryId, id_text
from blueplane_doctor.sources.letter_errors import SET_ASIDE
from blueplane_doctor.sources.server_process import RUNNING, process_state, read_pid
from blueplane_doctor.sources.streams import Group, StreamState
from blueplane_doctor.text import consumer
from blueplane_doctor.text import group as shown_group
from blueplane_doctor.times import iso_of_milliseconds, to_milliseconds


class ConsumerHealth(Record):
    """One consumer of a group."""

    name: ConsumerName
    pending: int
    idle_ms: int
    """Since it last asked for messages; before Redis 7.2: since it last got some."""
    gone: bool = False
    """Whether it holds messages and has been silent while another of its group works."""
    shares_group: bool = False
    """Whether it is one of several servers' that read for this group, or did since the examined one started."""


class GroupHealth(Record):
    """One consumer group of the queue stream."""

    name: GroupName
    role: str
    """`writer` (carries custody) or `reader`."""
    exists: bool = True
    pending: int = 0
    """Length of its pending entries list."""
    undelivered: int | None = 0
    """Messages it was not given yet, counted; null when the time was up before."""
    waiting: int | None = None
    """Of those, messages that it has to write and that have no row; null when the time was up before (writers only)."""
    written_not_delivered: int | None = None
    """Messages that it has to write and was not given, by its position, and whose row is there (writers only)."""
    written_not_delivered_ids: list[MessageId] = []
    """The first three of them."""
    written_up_to: MessageId | None = None
    """The last of them before the first message that waits: the group can be moved on to it (writers only)."""
    written_later: int | None = None
    """Of them, the ones behind a message that waits (writers only)."""
    lag: int | None = None
    """The server's own figure; never judged, for it is wrong after trimming."""
    entries_read: int | None = None
    last_delivered_id: MessageId | None = None
    """Stream ID of the newest message that it was given."""
    oldest_pending_age_ms: int | None = None
    """Since the oldest pending message was enqueued."""
    longest_unacknowledged_ms: int | None = None
    """Since the last delivery of the message that has waited longest for its acknowledgement (writers only).

    What has its row, or is another writer's to write, is left out.
    """
    stuck: int | None = None
    """Messages that it has to write, unacknowledged for 30 s or delivered three times, without a row (writers only)."""
    stuck_ids: list[MessageId] = []
    """The first three of them."""
    blockers: int | None = None
    """Of the stuck messages and those written already, the ones that cannot be written (writers only)."""
    written_not_acknowledged: int | None = None
    """Messages that it has to write, held as long or as often as stuck ones, whose row is there (writers only)."""
    to_acknowledge: list[MessageId] = []
    """Entries held as long or as often as stuck ones whose message has its row, whoever wrote it; at most 1,000."""
    most_deliveries: int | None = None
    """Deliveries of the message that was delivered most often (writers only)."""
    orphaned: int | None = None
    """Messages without a row held by consumers that are gone, of those that it has to write (writers only)."""
    orphaned_gone: int | None = None
    """Of these, the ones whose entry has left the stream (writers only)."""
    orphaned_ids: list[MessageId] = []
    """The first three of those orphaned of each consumer."""
    consumers: list[ConsumerHealth] = []


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


class BacklogNow(Record):
    """Where the backlog of all writers goes, as one look tells; samples of a history tell more."""

    state: str
    """`caught up`, `draining`, `steady`, `falling behind` or `stalled` (nothing was written for five minutes)."""
    backlog: int | None
    """Messages that their writer has not finished with."""
    per_minute: float | None = None
    """Change of the backlog; only while draining or falling behind."""
    minutes_left: float | None = None
    """Until it is drained; only while draining."""
    still_seconds: int = 0
    """Without a row while something waited; only when stalled."""


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
        stream = examination.stream()
        ledger = examination.ledger()
        now_ms = examination.server_info().now_ms
        max_length = kept_messages(examination.settings.streams.max_length)
        dead_letters = examination.dead_letters().index
        groups = self._groups(stream, now_ms)
        writers = [group for group in groups if group.role == "writer"]
        first_pending = _first_pending(stream, examination.writer_groups())
        depth = None if ledger.partial else ledger.unfinished
        processed = self._processed_last_minute()
        look = self._one_look(depth)
        growth = look.growth if look else None
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
            oldest_pending_age_ms=_age_ms(first_pending, now_ms),
            consumer_count=sum(len(group.consumers) for group in writers),
            waiting_messages=None if ledger.partial else ledger.total(WAITING),
            oldest_waiting_age_ms=_since(ledger.oldest_waiting_ms, now_ms),
            ids_ahead=ledger.ids_ahead,
            ids_ahead_ms=ledger.ids_ahead_ms,
            consumer_lag_ms=_consumer_lag_ms(ledger, now_ms),
            consumer_lag_is_at_least=ledger.is_older_unfinished,
            enqueue_rate_events_per_sec=_per_second(ledger.last_minute),
            processing_rate_events_per_sec=None if processed is None else _per_second(processed),
            backlog_per_minute=growth,
            minutes_to_loss=_minutes_to_loss(depth, max_length, growth),
            trend=_trend(look) if look else None,
            dlq_size=dead_letters.total,
            dlq_recent_entries=dead_letters.last_hour,
            dlq_previous_hour=dead_letters.hour_before,
            dlq_oldest_age_ms=None if dead_letters.oldest_ms is None else max(0, now_ms - dead_letters.oldest_ms),
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

    def _groups(self, stream: StreamState, now_ms: int) -> list[GroupHealth]:
        """Writers first, each kind by name; writer groups that do not exist are among them."""
        groups = [self._group(group, now_ms) for group in stream.groups]
        missing = [name for name in self.examination.writer_groups() if stream.group(name) is None]
        for name in missing:
            not_given = _not_given(name, self.examination.ledger())
            groups.append(GroupHealth(name=name, role="writer", exists=False, **not_given))
        return sorted(groups, key=lambda group: (group.role != "writer", group.name))

    def _group(self, group: Group, now_ms: int) -> GroupHealth:
        ledger = self.examination.ledger()
        health = GroupHealth(
            name=shown_group(group.name),
            role="reader",
            pending=group.pending,
            undelivered=ledger.undelivered.get(group.text),
            lag=group.lag,
            entries_read=group.entries_read,
            last_delivered_id=id_text(group.last_delivered),
            oldest_pending_age_ms=_age_ms(group.first_pending, now_ms),
            consumers=_consumers(group, gone=set()),
        )
        reader = ledger.pending.get(group.text)
        if reader is None:
            return health
        gone = reader.gone_consumers(self._is_dead_process)
        shared = self.examination.shared_groups().get(group.text)
        sharing = shared.consumers if shared else ()
        return health.model_copy(update={"role": "writer", **_of_writer(group, reader, ledger, gone, sharing)})

    def _is_dead_process(self, pid: int) -> bool:
        """Whether a process is certainly not the server: the server lives, is another one, and this one is none.

        The pid file of a server in a container names a process of another machine, so to speak: nothing is told then.
        """
        server = read_pid(self.examination.settings.home / "server.pid").pid
        if server is None or server == pid or process_state(server) != RUNNING:
            return False
        return process_state(pid) != RUNNING

    def _one_look(self, depth: int | None) -> OneLook | None:
        """What tells where the backlog goes; None when the stream was not read to its end, or the rows cannot be."""
        examination = self.examination
        ledger = examination.ledger()
        if depth is None or ledger.rows_cause:
            return None
        now_ms = examination.server_info().now_ms
        oldest_ms = _consumer_lag_ms(ledger, now_ms)
        try:
            written = examination.written()
        except SourceError:
            return None
        if oldest_ms is None:
            return None
        still_ms = oldest_ms
        if written.last is not None:
            still_ms = min(oldest_ms, max(0, now_ms - to_milliseconds(written.last)))
        return OneLook(
            backlog=depth,
            oldest_ms=oldest_ms,
            still_ms=still_ms,
            last_minute=ledger.owed_last_minute - written.last_minute,
            five_minutes=(ledger.owed_last_five_minutes - written.last_five_minutes) / 5,
        )

    def _processed_last_minute(self) -> int | None:
        """Rows written; None when the database cannot be read."""
        try:
            return self.examination.written().last_minute
        except SourceError:
            return None


def _trend(look: OneLook) -> BacklogNow:
    trend = judge_one_look(look)
    return BacklogNow(
        state=trend.state,
        backlog=trend.backlog,
        per_minute=trend.per_minute,
        minutes_left=None if trend.minutes_left is None else round(trend.minutes_left, 1),
        still_seconds=trend.still_for,
    )


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
        return max([ledger.held.messages, *(group.pending for group in writers)])
    return ledger.held.messages


def _of_writer(
    group: Group, reader: PendingEntriesReader, ledger: Ledger, gone: set[bytes], sharing: Container[bytes]
) -> dict[str, Any]:
    """What is known of writer groups alone, from their pending entries lists."""
    held = ledger.held.of(group.text)
    orphaned_ids: list[str] = []
    for name in sorted(gone):
        orphaned_ids += held.ids_by_consumer.get(name, [])
    return {
        "longest_unacknowledged_ms": held.longest_owed_ms,
        "stuck": held.stuck,
        "stuck_ids": held.stuck_ids,
        "blockers": ledger.blocker_counts[group.text],
        "written_not_acknowledged": held.written,
        "to_acknowledge": held.to_acknowledge,
        "most_deliveries": reader.most_deliveries,
        "orphaned": sum(held.owed_by_consumer[name] for name in gone),
        "orphaned_gone": sum(held.gone_by_consumer[name] for name in gone),
        "orphaned_ids": orphaned_ids,
        "consumers": _consumers(group, gone, sharing),
        **_not_given(group.text, ledger),
    }


def _not_given(name: str, ledger: Ledger) -> dict[str, Any]:
    """What a writer group has still to be given, and what it would be given although it is written."""
    not_given = ledger.not_given.of(name)
    return {
        "waiting": None if ledger.partial else not_given.waiting,
        "written_not_delivered": not_given.written,
        "written_not_delivered_ids": not_given.written_ids,
        "written_up_to": id_text(not_given.written_up_to) if not_given.written_up_to else None,
        "written_later": not_given.written_later,
    }


def _consumers(group: Group, gone: set[bytes], sharing: Container[bytes] = ()) -> list[ConsumerHealth]:
    consumers = []
    for one in group.consumers:
        health = ConsumerHealth(
            name=consumer(one.name),
            pending=one.pending,
            idle_ms=one.idle_ms,
            gone=one.name in gone,
            shares_group=one.name in sharing,
        )
        consumers.append(health)
    return sorted(consumers, key=lambda health: health.name)


def _first_pending(stream: StreamState, writers: tuple[str, ...]) -> EntryId | None:
    """The oldest message that some writer group has not acknowledged."""
    oldest = None
    for name in writers:
        group = stream.group(name)
        if group is not None:
            oldest = _oldest(oldest, group.first_pending)
    return oldest


def _oldest(one: EntryId | None, other: EntryId | None) -> EntryId | None:
    if one is None or other is None:
        return one or other
    return min(one, other)


def _minutes_to_loss(depth: int | None, max_length: int, growth_per_minute: float | None) -> float | None:
    """Until the backlog reaches `max_length`; None when there is none, or it does not grow."""
    if not depth or growth_per_minute is None:
        return None
    if depth >= max_length:
        return 0.0
    if growth_per_minute <= 0:
        return None
    return round((max_length - depth) / growth_per_minute, 1)


def _consumer_lag_ms(ledger: Ledger, now_ms: int) -> int | None:
    if not ledger.unfinished and not ledger.partial:
        return 0
    return _since(ledger.oldest_unfinished_ms, now_ms)


def _since(moment_ms: int | None, now_ms: int) -> int | None:
    if moment_ms is None:
        return None
    return max(0, now_ms - moment_ms)


def _per_second(per_minute: int) -> float:
    return round(per_minute / 60, 3)


def _age_ms(entry: EntryId | None, now_ms: int) -> int | None:
    if entry is None:
        return None
    return max(0, now_ms - entry[0])


MONITOR = QueueHealthMonitor
