"""The consumer groups of the queue: what each holds, what it was not given, and who reads for it."""

from typing import Any

from blueplane_doctor.custody.gone_consumers import gone_consumers
from blueplane_doctor.custody.held import Held
from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.custody.pending_entries import PendingEntriesReader
from blueplane_doctor.custody.shared_groups import SharedGroup, is_named_as_a_server
from blueplane_doctor.examination import Examination
from blueplane_doctor.privacy.public_fields import ConsumerName, GroupName, MessageId
from blueplane_doctor.privacy.public_text import consumer
from blueplane_doctor.privacy.public_text import group as shown_group
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.entry_ids import id_text
from blueplane_doctor.sources.streams import Group
from blueplane_doctor.text.times import milliseconds_since


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
    is_perhaps_a_server: bool = False
    """Of one that shares its group: whether nothing but its name tells that it, or the other one, is a server's."""
    reads_no_more: bool = False
    """Of one that shares its group: whether nobody reads with that name any more."""
    is_other_program: bool = False
    """Whether it is named as no server names itself, beside one that is: somebody's own program reads with it."""
    stuck: int = 0
    """Messages that the group has to write and that are stuck with it (writers only)."""
    stuck_ids: list[MessageId] = []
    """The first three that it holds without a row, where some are stuck with it."""


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
    were_enqueued_again: bool = False
    """Whether an earlier message of the same key has the row of each of them: the group was not moved back."""
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
    written_by_others: int | None = None
    """Of these, the ones whose row another message of the same key wrote: their content is written nowhere."""
    others_ids: list[MessageId] = []
    """The first three of them."""
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

    @property
    def other_programs(self) -> list[ConsumerHealth]:
        """Consumers of somebody's own programs that are there, and with which messages are stuck."""
        others = []
        for one in self.consumers:
            if one.is_other_program and one.stuck and not one.gone:
                others.append(one)
        return others


def groups_of(examination: Examination) -> list[GroupHealth]:
    """Writers first, each kind by name; writer groups that do not exist are among them. Raises SourceError."""
    stream = examination.stream()
    ledger = examination.ledger()
    groups = [_group(examination, group) for group in stream.groups]
    for name in examination.writer_groups():
        if stream.group(name) is None:
            groups.append(GroupHealth(name=name, role="writer", exists=False, **_not_given(name, ledger)))
    return sorted(groups, key=lambda group: (group.role != "writer", group.name))


def _group(examination: Examination, group: Group) -> GroupHealth:
    ledger = examination.ledger()
    oldest_ms = group.first_pending[0] if group.first_pending else None
    health = GroupHealth(
        name=shown_group(group.name),
        role="reader",
        pending=group.pending,
        undelivered=ledger.undelivered.get(group.text),
        lag=group.lag,
        entries_read=group.entries_read,
        last_delivered_id=id_text(group.last_delivered),
        oldest_pending_age_ms=milliseconds_since(oldest_ms, examination.server_info().now_ms),
        consumers=_consumers(group, gone=set()),
    )
    reader = ledger.pending.get(group.text)
    if reader is None:
        return health
    gone = gone_consumers(reader, examination.settings.home)
    shared = examination.shared_groups().get(group.text)
    return health.model_copy(update={"role": "writer", **_of_writer(group, reader, ledger, gone, shared)})


def _of_writer(
    group: Group, reader: PendingEntriesReader, ledger: Ledger, gone: set[bytes], shared: SharedGroup | None
) -> dict[str, Any]:
    """What is known of writer groups alone, from their pending entries lists."""
    held = ledger.held.of(group.text)
    orphaned_ids: list[str] = []
    orphaned = 0
    orphaned_gone = 0
    for name in sorted(gone):
        orphaned += held.owed_by_consumer[name]
        orphaned_gone += held.gone_by_consumer[name]
        orphaned_ids += held.ids_by_consumer.get(name, [])
    return {
        "longest_unacknowledged_ms": held.longest_owed_ms,
        "stuck": held.stuck,
        "stuck_ids": held.stuck_ids,
        "blockers": ledger.blocker_counts[group.text],
        "written_not_acknowledged": held.written,
        "written_by_others": held.written_by_others,
        "others_ids": held.others_ids,
        "to_acknowledge": held.to_acknowledge,
        "most_deliveries": reader.most_deliveries,
        "orphaned": orphaned,
        "orphaned_gone": orphaned_gone,
        "orphaned_ids": orphaned_ids,
        "consumers": _consumers(group, gone, shared, held),
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
        "were_enqueued_again": 0 < not_given.written == not_given.repeats,
    }


def _consumers(
    group: Group, gone: set[bytes], shared: SharedGroup | None = None, held: Held | None = None
) -> list[ConsumerHealth]:
    consumers = []
    sharing = shared.consumers if shared else ()
    has_a_server = any(is_named_as_a_server(one.name) for one in group.consumers)
    for one in group.consumers:
        stuck = held.stuck_by_consumer[one.name] if held else 0
        health = ConsumerHealth(
            name=consumer(one.name),
            pending=one.pending,
            idle_ms=one.idle_ms,
            gone=one.name in gone,
            shares_group=one.name in sharing,
            is_perhaps_a_server=shared is not None and one.name in sharing and not shared.is_certain,
            reads_no_more=shared is not None and one.name in shared.ended,
            is_other_program=has_a_server and not is_named_as_a_server(one.name),
            stuck=stuck,
            stuck_ids=held.ids_by_consumer.get(one.name, []) if held and stuck else [],
        )
        consumers.append(health)
    return sorted(consumers, key=lambda health: health.name)
