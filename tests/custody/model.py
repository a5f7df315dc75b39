"""A pipeline in plain Python, which says of every message in which state it is: the judge of the property test."""

from collections import Counter
from dataclasses import dataclass, field

Id = tuple[int, int]


@dataclass
class Sent:
    """One enqueued message. `key` is what its row is found by; None for a message that carries nothing."""

    id: Id
    route: str | None
    key: tuple[str, ...] | None
    event_id: str | None
    in_stream: bool = True


@dataclass
class Held:
    """One entry of a pending entries list."""

    consumer: str
    stuck: bool


@dataclass
class Group:
    last_delivered: Id = (0, 0)
    pending: dict[Id, Held] = field(default_factory=dict)
    lost_unread: int = 0
    """Removed from the stream before this group was given them, ever."""
    lost_since_read: int = 0
    """The same, since the group last read something."""
    lost_since_first_read: int = 0
    """The same, since the group first read something: at that moment every server sets entries-read anew."""

    def deliver(self, identity: Id, held: "Held") -> None:
        if self.last_delivered == (0, 0):
            self.lost_since_first_read = 0
        self.pending[identity], self.last_delivered, self.lost_since_read = held, identity, 0


@dataclass
class Model:
    """Everything that happened; states follow from the definitions alone."""

    owners: dict[str, str]
    groups: dict[str, Group]
    sent: list[Sent] = field(default_factory=list)
    rows: Counter[tuple[str, ...]] = field(default_factory=Counter)
    dead_ids: set[Id] = field(default_factory=set)
    dead_event_ids: set[str] = field(default_factory=set)
    deletions: int = 0

    def present(self) -> list[Sent]:
        return [m for m in self.sent if m.in_stream]

    def remove(self, message: Sent) -> None:
        message.in_stream = False
        for group in self.groups.values():
            if message.id > group.last_delivered:
                group.lost_unread += 1
                group.lost_since_read += 1
                group.lost_since_first_read += 1

    def states(self) -> dict[Id, str]:
        """The state of every message in the stream."""
        claimed: Counter[tuple[str, ...]] = Counter()
        found = {}
        for message in self.present():
            found[message.id] = self._state(message, claimed)
        return found

    def _state(self, message: Sent, claimed: Counter[tuple[str, ...]]) -> str:
        if message.route is None:
            return "skipped"
        group = self.groups[self.owners[message.route]]
        if message.id > group.last_delivered:
            if message.key and self.rows[message.key]:
                claimed[message.key] += 1
                return "written_not_delivered"
            return "waiting"
        held = group.pending.get(message.id)
        if held and not held.stuck:
            return "in_flight"
        if message.key and self.rows[message.key]:
            claimed[message.key] += 1
            if held:
                return "written_not_acknowledged"
            return "written" if claimed[message.key] <= self.rows[message.key] else "duplicate"
        if held:
            return "stuck"
        if message.id in self.dead_ids or message.event_id in self.dead_event_ids:
            return "dead_lettered"
        return "lost" if message.key else "untraceable"

    def ghosts(self) -> set[Id]:
        """Pending somewhere, and not in the stream."""
        there = {m.id for m in self.present()}
        return {i for group in self.groups.values() for i in group.pending if i not in there}

    def undelivered(self, name: str) -> int:
        return sum(m.id > self.groups[name].last_delivered for m in self.present())

    def unfinished(self) -> int:
        """Those that their own writer still has to write."""
        return sum(state in ("waiting", "in_flight", "stuck") for state in self.states().values())
