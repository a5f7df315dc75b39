"""A small simulated pipeline: real commands to a real server, a real database, only the time may be faked."""

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo import messages, writers
from blueplane_doctor.demo.foundation import NO_TIME, Foundation
from blueplane_doctor.demo.messages import Fields, Shape
from blueplane_doctor.demo.writers import Entry
from blueplane_hook.events import CURSOR_EVENT_TYPES

_BATCH = 100


class Pipeline(Foundation):
    """A simulated Blueplane over a server and a home folder (what ~/.blueplane is).

    Every `enqueue` returns the IDs that it added. It takes `at`, the time of the first message (explicit IDs, never
    before the stream's newest), without which it is now and the server makes the IDs, and `spread`, over which
    messages come evenly. Other `fields` replace the message's own; one that is None is left out.
    """

    def enqueue_cursor(
        self,
        count: int,
        *,
        at: datetime | None = None,
        spread: timedelta = NO_TIME,
        hook_type: str | None = None,
        source: str | None = None,
        event_ids: Sequence[str] | None = None,
        payload: object = None,
        payload_bytes: int = 0,
        **fields: str | None,
    ) -> list[str]:
        """Add messages of Cursor: of all its hooks in turn, of one, or of its database monitor (`source`)."""
        hooks: Iterator[str] = itertools.cycle(names.CURSOR_HOOKS)
        if hook_type:
            hooks = itertools.repeat(hook_type)
        elif source:
            hooks = itertools.repeat("DatabaseTrace")

        def make(when: datetime, index: int) -> Fields:
            hook = next(hooks)
            return self.messages.from_hook(
                when,
                "cursor",
                hook,
                CURSOR_EVENT_TYPES.get(hook, "database_trace"),
                event_id=event_ids[index] if event_ids else None,
                source=source,
                payload=payload,
                size=payload_bytes,
            )

        return self._enqueue(make, count, at, spread, fields)

    def enqueue_claude(
        self,
        count: int,
        *,
        at: datetime | None = None,
        spread: timedelta = NO_TIME,
        session: str | None = None,
        uuids: Sequence[str | None] | None = None,
        payload: object = None,
        payload_bytes: int = 0,
        **fields: str | None,
    ) -> list[str]:
        """Add lines of a Claude transcript; a uuid that is None leaves the line without one."""

        def make(when: datetime, index: int) -> Fields:
            uuid = uuids[index] if uuids else self.messages.uuid()
            return self.messages.from_transcript(
                when, session=session, entry_uuid=uuid, payload=payload, size=payload_bytes
            )

        return self._enqueue(make, count, at, spread, fields)

    def enqueue_claude_hook(
        self,
        count: int,
        *,
        at: datetime | None = None,
        spread: timedelta = NO_TIME,
        hook_type: str = "SessionStart",
        event_type: str = "session_start",
        **fields: str | None,
    ) -> list[str]:
        """Add messages of a Claude Code hook, by default one that its writer writes."""

        def make(when: datetime, index: int) -> Fields:
            return self.messages.from_hook(when, "claude_code", hook_type, event_type)

        return self._enqueue(make, count, at, spread, fields)

    def enqueue_skipped(self, count: int, *, at: datetime | None = None, spread: timedelta = NO_TIME) -> list[str]:
        """Add messages that by design nobody writes: Claude's PostToolUse."""
        return self.enqueue_claude_hook(count, at=at, spread=spread, hook_type="PostToolUse", event_type="tool_use")

    def _enqueue(
        self,
        make: Callable[[datetime, int], Fields],
        count: int,
        at: datetime | None,
        spread: timedelta,
        changes: Mapping[str, str | None],
    ) -> list[str]:
        made = []
        for index, when in enumerate(self._times(count, at, spread)):
            fields = make(when, index)
            for name, value in changes.items():
                if value is None:
                    fields.pop(name, None)
                else:
                    fields[name] = value
            made.append((when, fields))
        return self.add(made, faked=at is not None)

    # Writers and readers, as the real ones were observed: also in how they fail

    def deliver(self, group: str, *, count: int | None = None, consumer: str | None = None) -> list[Entry]:
        """One batch of new entries for the group: delivered, not acknowledged."""
        return self._read(group, consumer or self.consumers[group], ">", count)

    def _read(self, group: str, consumer: str, start: str, count: int | None) -> list[Entry]:
        reply = self.client.xreadgroup(group, consumer, {self.queue: start}, count=count)
        if not reply:
            return []
        streams = list(reply.items()) if isinstance(reply, dict) else reply  # a dictionary under RESP3
        entries = cast("list[tuple[str, Fields | None]]", streams[0][1])
        return [(entry_id, fields or {}) for entry_id, fields in entries]

    def acknowledge(self, group: str, ids: Iterable[str]) -> None:
        """Acknowledge these entries."""
        ids = list(ids)
        if ids:
            self.client.xack(self.queue, group, *ids)

    def owner(self, fields: Fields) -> str | None:
        """Name of the route whose writer writes this message; None: by design no one."""
        return writers.owner(fields)

    def write(self, entries: Iterable[Entry], *, at: datetime | None = None) -> None:
        """Write the rows of these entries in one transaction, at their own time unless another is given."""
        writers.write(self.database, entries, at, self.lock_seconds)

    def step(self, group: str, *, batch: int = _BATCH) -> int:
        """Do what the real consumer of that group does with its next batch; how many new entries it read."""
        if group == "claude_processors":  # Claude's writer tries its pending entries again, Cursor's never does
            pending = self._read(group, self.consumers[group], "0", batch)
            there = []
            for entry in pending:
                if entry[1]:
                    there.append(entry)
            self._finish(group, there)
        entries = self.deliver(group, count=batch)
        self._finish(group, entries)
        return len(entries)

    def _finish(self, group: str, entries: Sequence[Entry]) -> None:
        platforms = set()
        for route in self.layout.routes:
            if route.group == group:
                platforms.add(route.name)
        own = [entry for entry in entries if self.owner(entry[1]) in platforms]
        own_ids = {entry_id for entry_id, _ in own}
        others = []
        for entry_id, _ in entries:
            if entry_id not in own_ids:
                others.append(entry_id)
        self.acknowledge(group, others)
        if not own:
            return
        try:
            self.write(own)
        except sqlite3.Error as error:
            text = f"batch of {len(own)} not written: {type(error).__name__}: {error}"
            self.log("ERROR", text, at=writers.moment(own[-1][0]), logger=group)
        else:
            self.acknowledge(group, own_ids)

    def drain(self, *groups: str, batch: int = _BATCH) -> None:
        """Let these groups, by default all, work until nothing is undelivered."""
        for group in groups or self.groups:
            while self.step(group, batch=batch):
                pass

    def age_pending(self, group: str, *, milliseconds: int, deliveries: int = 1, consumer: str | None = None) -> int:
        """Make a consumer's pending entries that long unacknowledged; how many.

        XCLAIM drops pending entries that were trimmed from the stream: age first, trim afterwards.
        """
        consumer = consumer or self.consumers[group]
        waiting = self.client.xpending(self.queue, group)["pending"]
        pending = self.client.xpending_range(self.queue, group, "-", "+", waiting or 1, consumername=consumer)
        ids: list[Any] = [entry["message_id"] for entry in pending]
        if ids:
            self.client.xclaim(
                self.queue, group, consumer, 0, ids, idle=milliseconds, retrycount=deliveries, justid=True
            )
        return len(ids)

    def dead_letter(
        self,
        entry_id: str,
        shape: Shape = "claude",
        *,
        at: datetime | None = None,
        error: Exception | None = None,
        acknowledge: bool = True,
    ) -> str:
        """Give a message up: add it to its dead-letter stream, then acknowledge it; the dead letter's own ID."""
        ((_, message),) = cast("list[tuple[str, Fields]]", self.client.xrange(self.queue, entry_id, entry_id))
        when = at or self.clock()
        error = error or sqlite3.OperationalError("database is locked")
        stream, fields = messages.dead_letter(shape, entry_id, message, self.layout, when, error)
        (added,) = self.add([(when, fields)], faked=at is not None, dead_letters=stream)
        if acknowledge:
            for group in self.writer_groups:
                self.acknowledge(group, [entry_id])
        return added
