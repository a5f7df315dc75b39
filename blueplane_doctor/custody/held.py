"""What writer groups hold: delivered and not acknowledged, told apart by what became of each message."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import CompiledRoute
from blueplane_doctor.custody.states import HAS_ROW, STUCK, PendingEntry
from blueplane_doctor.sources.entry_ids import EntryId, id_text

KEPT_IDS = 1_000
"""IDs that are kept for a command that names each of them."""
SHOWN_IDS = 3
"""IDs that stand for many."""

PendingByGroup = dict[str, dict[EntryId, PendingEntry]]


@dataclass(eq=False, repr=False)
class Held:
    """What one writer group holds.

    A message counts in the group that has to write it. Both writer groups are given every message, so another group
    may hold it as well: that group acknowledges it unwritten.
    """

    stuck: int = 0
    """Messages that it has to write and that are stuck."""
    written: int = 0
    """Messages whose row is there: they need nothing but their acknowledgement, unless it is another's row."""
    written_by_others: int = 0
    """Of these, the ones whose row another message of the same key wrote: their own content is written nowhere."""
    longest_owed_ms: int | None = None
    """Since the last delivery of what has waited longest, of all but what has its row or is another writer's."""
    stuck_ids: list[str] = field(default_factory=list)
    """The first SHOWN_IDS."""
    to_acknowledge: list[str] = field(default_factory=list)
    """The first KEPT_IDS of stuck entries whose message has its row, whichever group had to write it."""
    others_ids: list[str] = field(default_factory=list)
    """The first SHOWN_IDS of those whose row another message wrote."""
    owed_by_consumer: Counter[bytes] = field(default_factory=Counter)
    """For each consumer the messages without a row that its group has to write, and those that left the stream."""
    stuck_by_consumer: Counter[bytes] = field(default_factory=Counter)
    """For each consumer the messages that count as `stuck`."""
    gone_by_consumer: Counter[bytes] = field(default_factory=Counter)
    """Of these, the ones that left the stream."""
    ids_by_consumer: dict[bytes, list[str]] = field(default_factory=dict)
    """The first SHOWN_IDS of each consumer's messages without a row."""

    def owe(self, entry: PendingEntry) -> None:
        """Count an entry whose message has no row."""
        self.owed_by_consumer[entry.consumer] += 1
        ids = self.ids_by_consumer.setdefault(entry.consumer, [])
        if len(ids) < SHOWN_IDS:
            ids.append(id_text(entry.id))
        self.longest_owed_ms = max(self.longest_owed_ms or 0, entry.idle_ms)

    def count_others(self, entry: PendingEntry) -> None:
        """Count an entry whose message has the row of another one: nobody is to acknowledge it as it is."""
        self.written += 1
        self.written_by_others += 1
        if len(self.others_ids) < SHOWN_IDS:
            self.others_ids.append(id_text(entry.id))

    def lose(self, entry: PendingEntry) -> None:
        """Count an entry whose message has left the stream."""
        self.owe(entry)
        self.gone_by_consumer[entry.consumer] += 1


@dataclass(eq=False, repr=False)
class HeldMessages:
    """What all writer groups hold, counted page by page."""

    groups: dict[str, Held] = field(default_factory=dict)
    messages: int = 0
    """Messages that some writer group holds, each counted once."""
    first_ids: list[str] = field(default_factory=list)
    """The oldest SHOWN_IDS of them."""

    def of(self, group: str) -> Held:
        """What one group holds."""
        return self.groups.setdefault(group, Held())

    def count(
        self,
        messages: list[Message],
        routes: list[CompiledRoute | None],
        states: list[str],
        pending: PendingByGroup,
        others: Collection[EntryId] = (),
    ) -> None:
        """Count the pending entries of a page; those that left the stream are counted by `lose`.

        `others`: messages whose row another one wrote.
        """
        distinct: set[EntryId] = set()
        for entries in pending.values():
            distinct.update(entries)
        self.messages += len(distinct)
        if distinct and len(self.first_ids) < SHOWN_IDS:
            self.first_ids += [id_text(one) for one in sorted(distinct)[: SHOWN_IDS - len(self.first_ids)]]
        for message, route, state in zip(messages, routes, states, strict=True):
            if route is None or message.id not in distinct:
                continue
            for group, entries in pending.items():
                entry = entries.get(message.id)
                if entry is not None:
                    is_owner = group == route.group
                    if is_owner and message.id in others:
                        self.of(group).count_others(entry)
                    else:
                        self._count_entry(self.of(group), entry, state, is_owner=is_owner)

    def lose(self, entries: list[tuple[str, PendingEntry]]) -> None:
        """Count messages that left the stream while they were pending, each in one group."""
        for group, entry in entries:
            self.of(group).lose(entry)

    def _count_entry(self, held: Held, entry: PendingEntry, state: str, *, is_owner: bool) -> None:
        has_row = state in HAS_ROW
        if has_row and entry.stuck and len(held.to_acknowledge) < KEPT_IDS:
            held.to_acknowledge.append(id_text(entry.id))
        if not is_owner:
            return
        if has_row:
            held.written += 1
            return
        held.owe(entry)
        if state == STUCK:
            held.stuck += 1
            held.stuck_by_consumer[entry.consumer] += 1
            if len(held.stuck_ids) < SHOWN_IDS:
                held.stuck_ids.append(id_text(entry.id))
