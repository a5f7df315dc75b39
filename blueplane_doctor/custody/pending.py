"""A writer group's pending entries list, read along with the messages, both in order of their IDs."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import EntryId, Group, entry_id, id_text
from blueplane_doctor.sources.wire import Command

PAGE = 1000
"""Rows of the pending entries list a reply; a row has about 60 bytes."""
STUCK_MS = 30_000
"""A message unacknowledged for this long is stuck: a batch of the pipeline takes milliseconds."""
STUCK_DELIVERIES = 3
"""A message delivered this often is stuck: twice may be a restart."""
SILENT_MS = 30_000
"""A consumer silent for this long longer than another of its group is taken to be gone."""


class Pending(NamedTuple):
    """One delivered, unacknowledged message. `idle_ms`: since its last delivery."""

    id: EntryId
    consumer: bytes
    idle_ms: int
    deliveries: int

    @classmethod
    def of(cls, raw_id: bytes, consumer: bytes, idle: int, deliveries: int) -> "Pending":
        """A row of XPENDING's reply; a message that was given back has idle -1 and may have endless deliveries."""
        return cls(entry_id(raw_id), consumer, max(0, idle), min(deliveries, 1_000_000_000))

    @property
    def stuck(self) -> bool:
        """Whether it is past the time or the tries of a healthy writer. What a consumer that is gone holds is
        stuck as well, and covered: who is silent for so long was given nothing for as long."""
        return self.idle_ms >= STUCK_MS or self.deliveries >= STUCK_DELIVERIES


@dataclass
class Holder:
    """What one consumer holds."""

    messages: int = 0
    shortest_idle_ms: int = 1 << 62
    longest_idle_ms: int = 0

    def add(self, row: Pending) -> None:
        """Count one message."""
        self.messages += 1
        self.shortest_idle_ms = min(self.shortest_idle_ms, row.idle_ms)
        self.longest_idle_ms = max(self.longest_idle_ms, row.idle_ms)


@dataclass
class PendingReader:
    """Rows of one group's pending entries list, up to what was delivered at the moment of the examination."""

    group: Group
    holders: dict[bytes, Holder] = field(default_factory=dict)
    most_deliveries: int = 0
    longest_idle_ms: int = 0
    first: EntryId | None = None
    stuck: int = 0
    """Rows that are stuck by their own idle time or deliveries."""
    _rows: deque[Pending] = field(default_factory=deque)
    _next: EntryId = (0, 0)
    _complete: bool = False

    def command(self, until: EntryId) -> Command | None:
        """The read that is needed before rows up to `until` can be taken; None when they are here."""
        if self._complete or self._next > until:
            return None
        return ("XPENDING", "", self.group.name, id_text(self._next), "+", PAGE)

    def receive(self, reply: list[tuple[bytes, bytes, int, int]]) -> None:
        """Take the reply to `command`."""
        for found in reply:
            row = Pending.of(*found)
            self._next = (row.id[0], row.id[1] + 1)
            if row.id > self.group.last_delivered:
                self._complete = True  # delivered since: for this examination it still waits
                return
            self._rows.append(row)
            self._count(row)
        self._complete = self._complete or len(reply) < PAGE

    def take(self, until: EntryId) -> dict[EntryId, Pending]:
        """Rows up to and with `until` that were not taken before."""
        taken = {}
        while self._rows and self._rows[0].id <= until:
            row = self._rows.popleft()
            taken[row.id] = row
        return taken

    def gone(self) -> set[bytes]:
        """Consumers that hold messages and are not there any more."""
        return {name for name, holder in self.holders.items() if self._is_gone(name, holder)}

    def _is_gone(self, name: bytes, holder: Holder) -> bool:
        """Silent while another of the group works: alone, a slow consumer and a dead one look the same.

        Its own clock may be young although it is dead (claiming for it moves that clock), but what it holds
        was delivered long ago; so the older of the two counts.
        """
        idle = {c.name: c.idle_ms for c in self.group.consumers}
        silent = max(idle.get(name, 0), holder.shortest_idle_ms)
        others = [ms for other, ms in idle.items() if other != name]
        return silent >= SILENT_MS and any(ms + SILENT_MS <= silent for ms in others)

    def _count(self, row: Pending) -> None:
        self.holders.setdefault(row.consumer, Holder()).add(row)
        self.most_deliveries = max(self.most_deliveries, row.deliveries)
        self.longest_idle_ms = max(self.longest_idle_ms, row.idle_ms)
        self.first = self.first or row.id
        self.stuck += row.stuck


def read_more(redis: RedisSource, queue: str, readers: list[PendingReader], until: EntryId) -> bool:
    """Read on in every list that does not reach `until` yet; whether anything was read. Raises SourceError."""
    any_read = False
    while True:
        needed = [(r, c) for r in readers if (c := r.command(min(until, r.group.last_delivered)))]
        if not needed:
            return any_read
        any_read = True
        commands: list[Command] = [(c[0], queue, *c[2:]) for _, c in needed]
        for (reader, _), command, reply in zip(needed, commands, redis.ask(*commands), strict=True):
            if isinstance(reply, Exception):
                redis.fail(reply, command)
            reader.receive(reply)
