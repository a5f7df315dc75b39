"""The pending entries list of a writer group: what it was given and has not acknowledged, and who holds it."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from blueplane_doctor.connection.base import Command
from blueplane_doctor.custody.states import PendingEntry
from blueplane_doctor.sources.entry_ids import EntryId, id_text
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import Group

PAGE = 1000
"""Entries of a reply, of about 60 bytes each."""
SILENT_MS = 30_000
"""Silent for so much longer than another of its group, a consumer is taken to be gone."""
_PROCESS_ID = re.compile(rb"-([0-9]{1,10})\Z")
"""At the end of a consumer's name."""
_NO_IDLE_YET = 1 << 62
"""More than any idle time, so that the first entry of a consumer always replaces it."""


@dataclass(eq=False, repr=False)
class ConsumerHoldings:
    """What one consumer holds."""

    messages: int = 0
    shortest_idle_ms: int = _NO_IDLE_YET


@dataclass(eq=False, repr=False)
class PendingEntriesReader:
    """Reads a writer group's pending entries list in step with the messages of the stream.

    What was delivered after the group's state was read is left out: for this examination it still waits.
    """

    queue: str
    group: Group
    holdings: dict[bytes, ConsumerHoldings] = field(default_factory=dict)
    """By the consumer's name."""
    most_deliveries: int = 0
    longest_idle_ms: int = 0
    _entries: deque[PendingEntry] = field(default_factory=deque)
    """Those that were read and not taken yet, by ascending ID."""
    _next: EntryId = (0, 0)
    _complete: bool = False

    def command(self, until: EntryId) -> Command | None:
        """The command that has to be sent before `take`; None when all entries up to `until` are here."""
        if self._complete or self._next > min(until, self.group.last_delivered):
            return None
        return ("XPENDING", self.queue, self.group.name, id_text(self._next), "+", PAGE)

    def receive(self, reply: list[tuple[bytes, bytes, int, int]]) -> None:
        """Take the reply to `command`."""
        for row in reply:
            entry = PendingEntry.of(*row)
            # The next page begins behind this entry, for XPENDING gives the ID itself too.
            self._next = (entry.id[0], entry.id[1] + 1)
            if entry.id > self.group.last_delivered:
                self._complete = True
                return
            self._entries.append(entry)
            self._count(entry)
        if len(reply) < PAGE:
            self._complete = True

    def _count(self, entry: PendingEntry) -> None:
        held = self.holdings.setdefault(entry.consumer, ConsumerHoldings())
        held.messages += 1
        held.shortest_idle_ms = min(held.shortest_idle_ms, entry.idle_ms)
        self.most_deliveries = max(self.most_deliveries, entry.deliveries)
        self.longest_idle_ms = max(self.longest_idle_ms, entry.idle_ms)

    def take(self, until: EntryId) -> dict[EntryId, PendingEntry]:
        """Entries up to and including `until` that were not taken before."""
        taken = {}
        while self._entries and self._entries[0].id <= until:
            entry = self._entries.popleft()
            taken[entry.id] = entry
        return taken

    def gone_consumers(self, is_dead: Callable[[int], bool] | None = None) -> set[bytes]:
        """Consumers that hold messages and are silent while another works, or whose process is dead.

        The pipeline names its consumers after their process. `is_dead` tells whether a process that is not the
        server's is dead; None where that cannot be told. Then a consumer that is alone in its group is never among
        them: a slow one and a dead one look the same. (Before Redis 7.2 one that only polls is not listed at all.)
        """
        idle_ms = {consumer.name: consumer.idle_ms for consumer in self.group.consumers}
        gone = set()
        for name, held in self.holdings.items():
            # Claiming a message for a dead consumer resets the consumer's own idle time, but not that of the other
            # messages that it holds. So the longer of the two times counts.
            silent_ms = max(idle_ms.get(name, 0), held.shortest_idle_ms)
            others = [idle for other, idle in idle_ms.items() if other != name]
            if silent_ms < SILENT_MS:
                continue
            another_works = bool(others) and min(others) + SILENT_MS <= silent_ms
            if another_works or _is_of_a_dead_process(name, is_dead):
                gone.add(name)
        return gone


def process_of(consumer: bytes) -> int | None:
    """The id of the process that a consumer is named after; None where its name ends in no number."""
    process = _PROCESS_ID.search(consumer)
    return int(process[1]) if process else None


def _is_of_a_dead_process(consumer: bytes, is_dead: Callable[[int], bool] | None) -> bool:
    process = process_of(consumer)
    if process is None or is_dead is None:
        return False
    return is_dead(process)


def read_pending_entries(redis: RedisSource, readers: list[PendingEntriesReader], until: EntryId) -> bool:
    """Read every list up to `until`, one page of each list in a round trip.

    Returns whether there was anything to read. Raises SourceError.
    """
    any_read = False
    while True:
        asked: list[PendingEntriesReader] = []
        commands: list[Command] = []
        for reader in readers:
            command = reader.command(until)
            if command is not None:
                asked.append(reader)
                commands.append(command)
        if not commands:
            return any_read
        any_read = True
        for reader, reply in zip(asked, redis.ask_all(commands), strict=True):
            reader.receive(reply)
