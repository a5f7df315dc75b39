"""The producers of the simulated pipeline: Cursor's hooks and monitor, Claude's hooks and transcripts."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo.foundation import NO_TIME, Foundation
from blueplane_doctor.demo.messages import CURSOR_EVENT_TYPES, with_fields


class Producers(Foundation):
    """Adds messages to the queue.

    Every method takes `at`, the time of the first message (explicit stream IDs, never before the stream's
    newest), and many take `spread`, over which messages come evenly. Without `at` the time is the pipeline's
    `now`, or, where it has none, the clock, and the server makes the IDs. Each returns the IDs it added.
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
        payload_bytes: int | None = None,
        **fields: str | None,
    ) -> list[str]:
        """Add messages of Cursor: of all its hooks in turn, of one, or of its database monitor (`source`)."""
        messages = []
        hooks = itertools.cycle([hook_type] if hook_type else names.CURSOR_HOOKS)
        for index, (when, hook) in enumerate(zip(self._times(count, at, spread), hooks, strict=False)):
            if source and not hook_type:
                hook = "DatabaseTrace"
            message = self.messages.from_hook(
                when,
                "cursor",
                hook,
                CURSOR_EVENT_TYPES.get(hook, "database_trace"),
                event_id=event_ids[index] if event_ids else None,
                source=source,
                payload=payload,
                payload_bytes=payload_bytes,
            )
            messages.append((when, with_fields(message, fields)))
        return self._add(messages, at)

    def enqueue_claude(
        self,
        count: int,
        *,
        at: datetime | None = None,
        spread: timedelta = NO_TIME,
        session: str | None = None,
        uuids: Sequence[str | None] | None = None,
        payload: object = None,
        payload_bytes: int | None = None,
        **fields: str | None,
    ) -> list[str]:
        """Add lines of a Claude transcript; a uuid that is None leaves the line without one."""
        messages = []
        for index, when in enumerate(self._times(count, at, spread)):
            message = self.messages.from_transcript(
                when,
                session=session,
                entry_uuid=uuids[index] if uuids else self.messages.uuid(),
                payload=payload,
                payload_bytes=payload_bytes,
            )
            messages.append((when, with_fields(message, fields)))
        return self._add(messages, at)

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
        messages = [
            (when, with_fields(self.messages.from_hook(when, "claude_code", hook_type, event_type), fields))
            for when in self._times(count, at, spread)
        ]
        return self._add(messages, at)

    def enqueue_skipped(self, count: int, *, at: datetime | None = None, spread: timedelta = NO_TIME) -> list[str]:
        """Add messages that by design nobody writes: Claude's PostToolUse."""
        return self.enqueue_claude_hook(count, at=at, spread=spread, hook_type="PostToolUse", event_type="tool_use")

    def enqueue_raw(self, fields: Mapping[str | bytes, str | bytes], at: datetime | None = None) -> list[str]:
        """Add one message of exactly these fields."""
        return self._add([(at or self.clock(), fields)], at)
