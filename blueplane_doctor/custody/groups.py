"""One consumer group: what it holds, what waits for it, and what it lost before delivery."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from blueplane_doctor.connection.base import Command
from blueplane_doctor.sources.entries import pages
from blueplane_doctor.sources.redis_source import RedisSource, pairs
from blueplane_doctor.sources.streams import BEGINNING, EntryId, Group, StreamState, entry_id, id_text

PAGE = 1000
"""Rows of a reply, of about 60 bytes each."""
STUCK_MS = 30_000
"""Unacknowledged for this long: a batch of the pipeline takes milliseconds."""
STUCK_DELIVERIES = 3
"""Delivered this often: twice may be a restart."""
SILENT_MS = 30_000
"""Silent for so much longer than another of its group, a consumer is taken to be gone."""
COUNTED_AT_ONCE = 100
"""Messages, by the server's own lag. The walk may come to them late, when they have been trimmed."""


class Pending(NamedTuple):
    """One delivered, unacknowledged message. `idle_ms`: since its last delivery."""

    id: EntryId
    consumer: bytes
    idle_ms: int
    deliveries: int

    @classmethod
    def of(cls, raw_id: bytes, consumer: bytes, idle: int, deliveries: int) -> "Pending":
        """From XPENDING; a message that was given back has idle -1 and may have endless deliveries."""
        return cls(entry_id(raw_id), consumer, max(0, idle), min(deliveries, 1_000_000_000))

    @property
    def stuck(self) -> bool:
        """Whether it is past a healthy writer's time or tries. What a consumer that is gone holds is stuck as well,
        and covered: who is silent for so long was given nothing for as long."""
        return self.idle_ms >= STUCK_MS or self.deliveries >= STUCK_DELIVERIES


@dataclass
class Holder:
    """What one consumer holds."""

    messages: int = 0
    shortest_idle_ms: int = 1 << 62


@dataclass
class PendingReader:
    """Reads a writer group's pending entries list along with the messages, up to what was delivered at the moment of
    the examination."""

    queue: str
    group: Group
    holders: dict[bytes, Holder] = field(default_factory=dict)
    most_deliveries: int = 0
    longest_idle_ms: int = 0
    stuck: int = 0
    """Rows that are stuck."""
    _rows: deque[Pending] = field(default_factory=deque)
    _next: EntryId = (0, 0)
    _complete: bool = False

    def command(self, until: EntryId) -> Command | None:
        """The read that is needed before `take`; None when the rows are here."""
        if self._complete or self._next > min(until, self.group.last_delivered):
            return None
        return ("XPENDING", self.queue, self.group.name, id_text(self._next), "+", PAGE)

    def receive(self, reply: list[tuple[bytes, bytes, int, int]]) -> None:
        """Take the reply to `command`."""
        for found in reply:
            row = Pending.of(*found)
            self._next = (row.id[0], row.id[1] + 1)
            if row.id > self.group.last_delivered:
                self._complete = True  # delivered since: for this examination it still waits
                return
            self._rows.append(row)
            holder = self.holders.setdefault(row.consumer, Holder())
            holder.messages += 1
            holder.shortest_idle_ms = min(holder.shortest_idle_ms, row.idle_ms)
            self.most_deliveries = max(self.most_deliveries, row.deliveries)
            self.longest_idle_ms = max(self.longest_idle_ms, row.idle_ms)
            self.stuck += row.stuck
        self._complete = self._complete or len(reply) < PAGE

    def take(self, until: EntryId) -> dict[EntryId, Pending]:
        """Rows up to and with `until` that were not taken before."""
        taken = {}
        while self._rows and self._rows[0].id <= until:
            row = self._rows.popleft()
            taken[row.id] = row
        return taken

    def gone(self) -> set[bytes]:
        """Consumers that hold messages and are silent while another works: alone, slow and dead ones look the same.

        A dead one's clock may be young (claiming for it moves it), but what it holds was delivered long ago: the older
        of the two counts.
        """
        idle = {consumer.name: consumer.idle_ms for consumer in self.group.consumers}
        found = set()
        for name, holder in self.holders.items():
            silent = max(idle.get(name, 0), holder.shortest_idle_ms)
            busiest = min((ms for other, ms in idle.items() if other != name), default=silent)
            if silent >= SILENT_MS and busiest + SILENT_MS <= silent:
                found.add(name)
        return found


def read_more(redis: RedisSource, readers: list[PendingReader], until: EntryId) -> bool:
    """Read every list up to `until`; whether there was anything to read. Raises SourceError."""
    any_read = False
    while needed := [(reader, command) for reader in readers if (command := reader.command(until))]:
        any_read = True
        for (reader, _), reply in zip(needed, redis.ask_all([command for _, command in needed]), strict=True):
            reader.receive(reply)
    return any_read


@dataclass(frozen=True)
class Loss:
    """Messages that were trimmed before a group was given them; None when unknown, and `cause` says why."""

    group: str
    count: int | None
    cause: str = ""


def trimmed_unread(state: StreamState, name: str, waiting: int | None) -> Loss:
    """What one writer group lost. `waiting`: messages it was not given yet; None when they were not counted.

    It is `entries-added − entries-read − what still waits`, all of one moment. The server's own `lag` cannot be used:
    Redis 7.0 to 7.4.1 keep counting what was trimmed, later servers rewrite `entries-read` at the next read and the
    evidence is gone. So the sum also holds losses of long ago on the former, and only those since the last read on
    the latter.
    """
    found = _count_or_cause(state, name, waiting)
    return Loss(name, found) if isinstance(found, int) else Loss(name, None, found)


def _count_or_cause(state: StreamState, name: str, waiting: int | None) -> int | str:
    group = state.group(name)
    if state.entries_added is None:
        return "the server is older than Redis 7.0 and does not count what was added"
    gone = state.entries_added - state.length
    if not gone:
        return 0
    if group is None:
        return f"the group {name} does not exist, so nothing tells what it was given"
    if group.last_delivered == BEGINNING and not group.entries_read:
        if all(other.last_delivered == BEGINNING for other in state.groups):
            return gone  # nobody ever read from this stream, so nobody read what was trimmed
        return (
            f"{gone:,} messages were trimmed and the group {name} has not read anything yet; "
            "whether that happened in its time is not recorded"
        )
    if group.entries_read is None:
        return (
            f"the server does not know how many messages {name} was given (entries-read is not set: the group "
            "was made or moved at an arbitrary ID, or entries were deleted)"
        )
    if waiting is None:
        return "the time was up before all that wait were counted, or some were trimmed while they were counted"
    count = state.entries_added - group.entries_read - waiting
    if count < 0:
        return f"the server's counters for {name} contradict each other (they were set by hand)"
    return count


def count_short_queues(redis: RedisSource, stream: StreamState) -> StreamState:
    """The same with `undelivered` filled in for groups that have little to read. Raises SourceError."""
    short = {group.last_delivered for group in stream.groups if group.lag and group.lag <= COUNTED_AT_ONCE}
    counted = {position: _waiting_after(redis, stream, position) for position in short}
    return stream._replace(groups=tuple(g._replace(undelivered=counted.get(g.last_delivered)) for g in stream.groups))


def _waiting_after(redis: RedisSource, stream: StreamState, position: EntryId) -> int:
    last, length = stream.last_generated, COUNTED_AT_ONCE
    return sum(map(len, pages(redis, stream.queue, last, after=position, length=length, dataset_bytes=None)))


def trimmed_past(redis: RedisSource, stream: StreamState, position: EntryId) -> bool:
    """Whether messages after this position have been trimmed by now. Raises SourceError."""
    first = pairs(redis.ask_one("XINFO", "STREAM", stream.queue))["first-entry"]
    return first is None or entry_id(first[0]) > position
