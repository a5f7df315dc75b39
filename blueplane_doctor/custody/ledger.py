"""The ledger: every message's state of custody, and what else was counted on the way."""

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from blueplane_doctor.custody.groups import PendingReader
from blueplane_doctor.custody.routing import Message
from blueplane_doctor.sources.streams import EntryId
from blueplane_doctor.text import word
from blueplane_doctor.times import MINUTE_MS

WAITING = "waiting"
"""Not yet delivered to its writer group."""
IN_FLIGHT = "in_flight"
"""Delivered a moment ago and not acknowledged."""
STUCK = "stuck"
"""Delivered and unacknowledged for 30 s, or delivered three times, or held by a consumer that is gone."""
WRITTEN = "written"
"""Its row is there."""
DUPLICATE = "duplicate"
"""Its row is there, and an earlier message of the same key claims it."""
DEAD_LETTERED = "dead_lettered"
"""Acknowledged, no row, and a dead letter names it."""
SKIPPED = "skipped"
"""By design nobody writes it."""
UNTRACEABLE = "untraceable"
"""Acknowledged, and it carries nothing by which a row could be found."""
LOST = "lost"
"""Acknowledged, no row, no dead letter."""
UNEXAMINED = "unexamined"
"""This run could not judge it: the time was up, or the database did not answer."""
STATES = (WAITING, IN_FLIGHT, STUCK, WRITTEN, DUPLICATE, DEAD_LETTERED, SKIPPED, UNTRACEABLE, LOST, UNEXAMINED)
"""Every message examined is in exactly one."""

PAYLOAD_GONE = "payload_gone"
"""Not in the stream any more, and a writer still holds its ID."""

KEPT_BREAKS = 1000
"""Of these the particulars are kept; all are counted."""
KEPT_BLOCKERS = 100

BUCKET_MS = 600_000
KEPT_MS = 86_400_000
"""Older and later messages are counted in one bucket each, which bounds memory."""
_CHUNK_BITS = 1 << 16
OLDER, LATER, WITHOUT = "older", "later", "without_timestamp"


Settled = tuple[str, str, int | str, bool]
"""A message's route, state and bucket, and whether it was enqueued in the last hour."""


def bucket_of(event_ms: int | None, now_ms: int) -> int | str:
    """The bucket that an event belongs to: its start (milliseconds since 1970), or OLDER, LATER, WITHOUT.

    A message counts in the bucket of its own `timestamp` at every stage, however late it is read or written, so that
    stages can be compared; without one it is counted apart: loss must not look like silence.
    (So Uber's Chaperone audits Kafka: https://www.infoq.com/news/2017/01/chaperone-kafka-audit-tool/)
    """
    if event_ms is None:
        return WITHOUT
    if event_ms < now_ms - KEPT_MS:
        return OLDER
    if event_ms > now_ms + BUCKET_MS:
        return LATER
    return event_ms - event_ms % BUCKET_MS


class Break(NamedTuple):
    """A message whose custody is broken. Nothing here is payload text."""

    kind: str
    """`lost` or `payload_gone`."""
    id: str
    event_id: str | None
    enqueued_ms: int
    route: str | None
    group: str
    event_type: str
    reason: str


class Blocker(NamedTuple):
    """A stuck message that cannot be written, and holds up whatever was read with it."""

    id: str
    group: str
    reason: str


class RowBitmap:
    """Which rows have been claimed: one bit a row, in chunks, so that 30 million rows cost 4 MB."""

    def __init__(self) -> None:
        self._chunks: dict[tuple[str, int], bytearray] = {}

    def claim(self, table: str, sequence: int) -> bool:
        """Claim a row; False when an earlier message has it."""
        chunk, bit = divmod(sequence, _CHUNK_BITS)
        bits = self._chunks.get((table, chunk))
        if bits is None:
            bits = self._chunks[table, chunk] = bytearray(_CHUNK_BITS // 8)
        byte, mask = bit >> 3, 1 << (bit & 7)
        if bits[byte] & mask:
            return False
        bits[byte] |= mask
        return True


@dataclass
class Ledger:
    """What the walk through the stream found."""

    states: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Messages by route (None's name is `unrouted`) and state."""
    buckets: dict[int | str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Messages by ten minutes of event time and state; see bucket_of."""
    examined: int = 0
    partial: bool = False
    """Whether the time was up before the end of the stream."""
    rows_cause: str = ""
    """Why rows could not be looked up to the end."""
    breaks: list[Break] = field(default_factory=list)
    """The first KEPT_BREAKS."""
    blockers: list[Blocker] = field(default_factory=list)
    """The first KEPT_BLOCKERS."""
    payload_gone: int = 0
    last_break_ms: int | None = None
    """When the newest broken message was enqueued."""
    undelivered: dict[str, int | None] = field(default_factory=dict)
    """For each group, messages it was not given yet; None where they could not be counted in time."""
    unfinished: int = 0
    """Messages that some writer group has not finished with."""
    oldest_unfinished: EntryId | None = None
    pending: dict[str, PendingReader] = field(default_factory=dict)
    last_by_hook: dict[str, int] = field(default_factory=dict)
    """For each hook type, when its newest message was enqueued."""
    count_by_hook: Counter[str] = field(default_factory=Counter)
    monitor_events: int = 0
    """Messages of Cursor's database monitor."""
    monitor_last_ms: int | None = None
    last_minute: int = 0
    last_five_minutes: int = 0
    last_hour: int = 0
    written_last_hour: int = 0
    """Those whose row is there."""
    owed_last_hour: int = 0
    """Those that a writer has to write and was given."""

    def total(self, state: str) -> int:
        """Messages in a state, over all routes."""
        return sum(counted[state] for counted in self.states.values())

    def add(self, settled: list[Settled]) -> None:
        """Count messages with their states."""
        for (route, state, bucket, recent), messages in Counter(settled).items():  # many of a page are alike
            self.states[route][state] += messages
            self.buckets[bucket][state] += messages
            if recent and state not in (SKIPPED, WAITING, IN_FLIGHT, UNEXAMINED):
                self.owed_last_hour += messages
                self.written_last_hour += messages * (state in (WRITTEN, DUPLICATE))

    def count_hooks(self, messages: list[Message]) -> None:
        """Count messages by hook type."""
        hooks = [message.fields.get(b"hook_type") for message in messages]
        last = {hook: message.id[0] for hook, message in zip(hooks, messages, strict=True)}
        for hook, count in Counter(hooks).items():
            name = word(hook)
            self.count_by_hook[name] += count
            self.last_by_hook[name] = max(last[hook], self.last_by_hook.get(name, 0))

    def count_recent(self, times: list[int], now_ms: int) -> None:
        """Count messages by the ascending times at which they were enqueued (milliseconds)."""
        minute, five_minutes, hour = (
            len(times) - bisect_right(times, now_ms - minutes * MINUTE_MS) for minutes in (1, 5, 60)
        )
        self.last_minute += minute
        self.last_five_minutes += five_minutes
        self.last_hour += hour

    def add_break(self, found: Break) -> None:
        """Count a break; its particulars are kept while there is room."""
        if len(self.breaks) < KEPT_BREAKS:
            self.breaks.append(found)
        self.last_break_ms = max(self.last_break_ms or 0, found.enqueued_ms)
