"""The consumers of the simulated pipeline, as the real ones were observed: also in how they fail."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from blueplane_doctor.demo import dead_letters, writers
from blueplane_doctor.demo.foundation import consumer_name
from blueplane_doctor.demo.messages import Fields
from blueplane_doctor.demo.records import Records
from blueplane_doctor.demo.writers import Entry

BATCH = 100
_CLAIMED_AT_ONCE = 1_000


class Consumers(Records):
    """Reads, writes, acknowledges, gives up."""

    def deliver(self, group: str, *, count: int | None = None, consumer: str | None = None) -> list[Entry]:
        """Read one batch of new entries for the group: delivered, not acknowledged."""
        return self._read(group, consumer or self.consumers[group], ">", count)

    def _read(self, group: str, consumer: str, start: str, count: int | None) -> list[Entry]:
        reply = self.client.xreadgroup(group, consumer, {self.queue: start}, count=count)
        streams = list(reply.items()) if isinstance(reply, dict) else reply
        entries = cast("list[tuple[str, Fields | None]]", streams[0][1] if streams else [])
        return [(entry_id, fields or {}) for entry_id, fields in entries]

    def acknowledge(self, group: str, ids: Iterable[str]) -> int:
        """Acknowledge these entries; how many were pending."""
        ids = list(ids)
        return self.client.xack(self.queue, group, *ids) if ids else 0

    def write(self, entries: Iterable[Entry], *, at: datetime | None = None) -> int:
        """Write the rows of these entries in one transaction, at their own time unless another is given."""
        return writers.write(self.database, self.database_layout, entries, at)

    def step(self, group: str, *, batch: int = BATCH) -> int:
        """Do what the real consumer of that group does with its next batch; how many new entries it read."""
        if group == "claude_processors":
            pending = self._read(group, self.consumers[group], "0", batch)
            self._finish(group, [entry for entry in pending if entry[1]])
        entries = self.deliver(group, count=batch)
        if group in self.writer_groups:
            self._finish(group, entries)
        else:
            self.acknowledge(group, (entry_id for entry_id, _ in entries))
        return len(entries)

    def _finish(self, group: str, entries: Sequence[Entry]) -> None:
        """Write what is the group's own and acknowledge all of it, or leave all of it pending."""
        own_platforms = {route.name for route in self.layout.routes if route.group == group}
        own = [entry for entry in entries if writers.owner(entry[1]) in own_platforms]
        own_ids = {entry_id for entry_id, _ in own}
        self.acknowledge(group, (entry_id for entry_id, _ in entries if entry_id not in own_ids))
        if not own:
            return
        try:
            self.write(own)
        except sqlite3.Error as error:
            text = f"batch of {len(own)} not written: {type(error).__name__}: {error}"
            self.log("ERROR", text, at=writers.moment(own[-1][0]), logger=group)
        else:
            self.acknowledge(group, own_ids)

    def drain(self, *groups: str, batch: int = BATCH) -> None:
        """Let these groups, by default all, work until nothing is undelivered."""
        for group in groups or self.groups:
            while self.step(group, batch=batch):
                pass

    def kill_consumer(self, group: str) -> str:
        """Forget the group's consumer, whose name is returned; the next one has another process id."""
        dead = self.consumers[group]
        pid = int(dead.rsplit("-", 1)[1])
        self.consumers[group] = consumer_name(group, pid + 1)
        return dead

    def age_pending(self, group: str, *, milliseconds: int, deliveries: int = 1, consumer: str | None = None) -> int:
        """Make a consumer's pending entries that long unacknowledged; how many.

        XCLAIM drops pending entries that were trimmed from the stream: age first, trim afterwards.
        """
        consumer = consumer or self.consumers[group]
        waiting = self.client.xpending(self.queue, group)["pending"]
        pending = self.client.xpending_range(self.queue, group, "-", "+", waiting or 1, consumername=consumer)
        ids = [str(entry["message_id"]) for entry in pending]
        for start in range(0, len(ids), _CLAIMED_AT_ONCE):
            chunk = cast("list[Any]", ids[start : start + _CLAIMED_AT_ONCE])
            self.client.xclaim(
                self.queue, group, consumer, 0, chunk, idle=milliseconds, retrycount=deliveries, justid=True
            )
        return len(ids)

    def dead_letter(
        self,
        entry_id: str,
        shape: dead_letters.Shape = "claude",
        *,
        at: datetime | None = None,
        error: Exception | None = None,
        acknowledge: bool = True,
    ) -> str:
        """Give a message up: add it to its dead-letter stream, then acknowledge it; the dead letter's own ID."""
        found = self.client.xrange(self.queue, entry_id, entry_id)
        if not found:
            raise ValueError(f"no entry {entry_id} in {self.queue}")
        message = cast("Fields", found[0][1])
        when = at or self.clock()
        error = error or sqlite3.OperationalError("database is locked")
        fields = dead_letters.entry_of(shape, entry_id, message, self.layout, when, error)
        added = self._add([(when, fields)], at, dead_letters.stream_of(shape, self.layout))
        for group in self.writer_groups if acknowledge else ():
            self.acknowledge(group, [entry_id])
        return added[0]
