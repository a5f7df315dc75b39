"""The ledger: every message of the stream in exactly one state, read once, page by page.

The order of reading makes a false break impossible. First the groups' positions; what was delivered after that
moment still counts as waiting. Then, for each page, the pending entries lists: a message that was delivered by then and
is not pending has been acknowledged, and whoever acknowledged it had written its row (or its dead letter) before. Only
then the dead letters and the database, which can therefore not be too old. Read the other way round, a message
written and acknowledged in between would look lost.
"""

import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from blueplane_doctor.custody.buckets import Buckets, bucket_of
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.pending import Pending, PendingReader, read_more
from blueplane_doctor.custody.routing import CompiledRoute, Lookup, Router
from blueplane_doctor.custody.rows import Claims, RowFinder
from blueplane_doctor.custody.states import (
    DEAD_LETTERED,
    DUPLICATE,
    IN_FLIGHT,
    LOST,
    SKIPPED,
    STUCK,
    UNEXAMINED,
    UNTRACEABLE,
    WAITING,
    WRITTEN,
)
from blueplane_doctor.custody.waiting import trimmed_past
from blueplane_doctor.errors import SourceError
from blueplane_doctor.pipeline import CURSOR_MONITOR_SOURCES
from blueplane_doctor.sources.courtesy import Courtesy
from blueplane_doctor.sources.dead_letters import DeadLetterReader
from blueplane_doctor.sources.deadline import Deadline
from blueplane_doctor.sources.entries import pages
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import EntryId, StreamState, id_text
from blueplane_doctor.sources.wire import Command
from blueplane_doctor.text import identifier, word

KEPT_BREAKS = 1000
"""Breaks of which the particulars are kept; all are counted."""
KEPT_BLOCKERS = 100
_STUCK_KEYS = 50_000
_WORDS = 1000
_ASKED_AT_ONCE = 200
_RESERVE_SECONDS = 0.3
HOUR_MS = 3_600_000
MINUTE_MS = 60_000


_Sought = tuple[Message, CompiledRoute, list[Lookup]]
_Settled = tuple[str, str, int | str, bool]
"""Route, state, bucket, and whether the message was enqueued in the last hour."""


class Break(NamedTuple):
    """One message whose custody is broken, with what is known of it. Nothing here is payload text."""

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
    """A stuck message that the writer cannot write, and that holds up whatever was read with it."""

    id: str
    group: str
    reason: str


@dataclass
class Ledger:
    """What the walk through the stream found."""

    states: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Messages by route (None's name is `unrouted`) and state."""
    examined: int = 0
    partial: bool = False
    """Whether the time was up before the end of the stream."""
    rows_cause: str = ""
    """Why rows could not be looked up to the end."""
    breaks: list[Break] = field(default_factory=list)
    """The first KEPT_BREAKS."""
    blockers: list[Blocker] = field(default_factory=list)
    """The first KEPT_BLOCKERS."""
    buckets: Buckets = field(default_factory=Buckets)
    payload_gone: int = 0
    last_break_ms: int | None = None
    """When the newest broken message was enqueued."""
    undelivered: dict[str, int | None] = field(default_factory=dict)
    """For each group, messages it was not given yet; None where the time was up, or they were trimmed, before."""
    unfinished: int = 0
    """Messages that some writer group has not finished with, each counted once."""
    oldest_unfinished: EntryId | None = None
    pending: dict[str, PendingReader] = field(default_factory=dict)
    last_by_hook: dict[str, int] = field(default_factory=dict)
    """For each hook type, when its newest message was enqueued (milliseconds)."""
    count_by_hook: Counter[str] = field(default_factory=Counter)
    monitor_events: int = 0
    """Messages of Cursor's database monitor."""
    monitor_last_ms: int | None = None
    last_minute: int = 0
    last_five_minutes: int = 0
    last_hour: int = 0
    written_last_hour: int = 0
    """Messages enqueued in the last hour whose row is there."""
    owed_last_hour: int = 0
    """Messages enqueued in the last hour that a writer has to write and was given."""

    def total(self, state: str) -> int:
        """Messages in a state, over all routes."""
        return sum(counted[state] for counted in self.states.values())


class Walk:
    """One pass through the stream. `rows` is None when the database cannot be read."""

    def __init__(
        self,
        redis: RedisSource,
        stream: StreamState,
        router: Router,
        rows: RowFinder | None,
        dead_letters: DeadLetterReader,
        *,
        now_ms: int,
        dataset_bytes: int | None,
        deadline: Deadline,
        courtesy: Courtesy,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._redis, self._stream, self._router, self._rows = redis, stream, router, rows
        self._dead_letters = dead_letters
        self._now, self._dataset, self._deadline = now_ms, dataset_bytes, deadline
        self._claims = Claims()
        self._stuck_keys: dict[Lookup, str] = {}
        self._settled: list[_Settled] = []
        self._progress, self._courtesy = progress, courtesy
        self.ledger = Ledger()
        writer_names = list(dict.fromkeys(route.group for route in router.routes))
        self._words: dict[bytes | None, str] = {}
        self._writers = {name: group for name in writer_names if (group := stream.group(name))}
        self._pending = {name: PendingReader(group) for name, group in self._writers.items()}
        self._some_writer_missing = len(self._writers) < len(writer_names)
        self._all_delivered = min((g.last_delivered for g in self._writers.values()), default=(1 << 64, 0))

    def run(self) -> Ledger:
        """Read everything, once. Raises SourceError."""
        ledger, stream = self.ledger, self._stream
        ledger.pending = self._pending
        ledger.undelivered = dict.fromkeys((g.text for g in stream.groups), 0)
        self._read_pending(stream.first or stream.last_generated)
        began = time.monotonic()
        for page in pages(
            self._redis,
            stream.queue,
            stream.last_generated,
            length=stream.length,
            dataset_bytes=self._dataset,
        ):
            self._page([Message(entry) for entry in page])
            if self._progress:
                self._progress(ledger.examined, stream.length)
            self._courtesy.pause(time.monotonic() - began, self._deadline.remaining)
            began = time.monotonic()
            if self._deadline.remaining < _RESERVE_SECONDS:
                ledger.partial = True
                break
        else:
            self._read_pending(stream.last_generated)
            self._ghosts({name: r.take(stream.last_generated) for name, r in self._pending.items()})
        self._finish()
        return ledger

    def _page(self, messages: list[Message]) -> None:
        until = messages[-1].id
        self._read_pending(until)
        pending = {name: reader.take(until) for name, reader in self._pending.items()}
        self._count(messages, pending)
        acknowledged: list[_Sought] = []
        stuck: list[_Sought] = []
        for message in messages:
            route = self._router.route(message)
            state = self._state_in_stream(message, route, pending)
            if state:
                self._settle(message, route, state)
            if route and state in (None, STUCK):
                (stuck if state else acknowledged).append((message, route, route.lookups(message)))
        self._judge(acknowledged)
        self._find_blockers(stuck)
        self._add_up()
        if any(pending.values()):
            here = {message.id for message in messages}
            self._ghosts({name: {i: row for i, row in rows.items() if i not in here} for name, rows in pending.items()})

    def _read_pending(self, until: EntryId) -> None:
        if read_more(self._redis, self._stream.queue, list(self._pending.values()), until):
            self._dead_letters.catch_up()

    def _state_in_stream(
        self, message: Message, route: CompiledRoute | None, pending: dict[str, dict[EntryId, Pending]]
    ) -> str | None:
        """The state that Redis alone tells; None for a message that its writer acknowledged."""
        if route is None:
            return SKIPPED
        group = self._writers.get(route.group)
        if group is None or message.id > group.last_delivered:
            return WAITING
        row = pending[route.group].get(message.id)
        if row is None:
            return None
        return STUCK if row.stuck else IN_FLIGHT

    def _judge(self, acknowledged: list[_Sought]) -> None:
        """States of acknowledged messages, by their rows and the dead letters."""
        found = self._find(lookup for _, _, lookups in acknowledged for lookup in lookups)
        if found is None:
            for message, route, _ in acknowledged:
                self._settle(message, route, UNEXAMINED)
            return
        for message, route, lookups in acknowledged:
            state = self._by_rows(lookups, found)
            if state:
                self._settle(message, route, state)
            elif self._dead_letters.found.names(message.raw_id, message.fields.get(b"event_id")):
                self._settle(message, route, DEAD_LETTERED)
            elif not lookups:
                self._settle(message, route, UNTRACEABLE)
            else:
                self._settle(message, route, LOST)
                self._lost(message, route)

    def _by_rows(self, lookups: list[Lookup], found: dict[Lookup, list[int]]) -> str | None:
        """WRITTEN for the first message of a row, DUPLICATE for every other; None when there is no row."""
        state = None
        for lookup in lookups:
            for sequence in found.get(lookup, ()):
                if self._claims.claim(lookup.table, sequence):
                    return WRITTEN
                state = DUPLICATE
        return state

    def _find(self, lookups: Iterable[Lookup]) -> dict[Lookup, list[int]] | None:
        """Rows of these keys; None once the database cannot be read: Redis alone still tells the rest."""
        if self._rows is None:
            return None
        try:
            return self._rows.find(lookups)
        except SourceError as error:
            self._rows, self.ledger.rows_cause = None, error.message
            return None

    def _find_blockers(self, stuck: list[_Sought]) -> None:
        """Which of the stuck messages cannot be written: the others only wait with them."""
        if not stuck or len(self.ledger.blockers) >= KEPT_BLOCKERS:
            return
        lookups = [lookup for _, _, found in stuck for lookup in found]
        rows = self._find(lookups) or {}
        for message, route, keys in stuck:
            identity, reason = id_text(message.id), ""
            for key in keys:
                if rows.get(key):
                    reason = f"a row with the same {_column(key)} is there already"
                elif key in self._stuck_keys and _must_be_unique(key):
                    reason = f"same {_column(key)} as {self._stuck_keys[key]}"
                elif len(self._stuck_keys) < _STUCK_KEYS:
                    self._stuck_keys[key] = identity
            reason = reason or message.malformed()
            if reason and len(self.ledger.blockers) < KEPT_BLOCKERS:
                self.ledger.blockers.append(Blocker(identity, route.group, reason))

    def _settle(self, message: Message, route: CompiledRoute | None, state: str) -> None:
        bucket = bucket_of(message.event_ms(), self._now)
        self._settled.append((route.name if route else "unrouted", state, bucket, message.id[0] > self._now - HOUR_MS))

    def _add_up(self) -> None:
        """Count what was settled; many messages of a page are alike."""
        ledger = self.ledger
        for (route, state, bucket, recent), messages in Counter(self._settled).items():
            ledger.states[route][state] += messages
            ledger.buckets.add(bucket, state, messages)
            if recent and state not in (SKIPPED, WAITING, IN_FLIGHT, UNEXAMINED):
                ledger.owed_last_hour += messages
                ledger.written_last_hour += messages * (state in (WRITTEN, DUPLICATE))
        self._settled.clear()

    def _count(self, messages: list[Message], pending: dict[str, dict[EntryId, Pending]]) -> None:
        """What queue and capture want to know of each message, whatever its state."""
        ledger, last = self.ledger, messages[-1].id
        ledger.examined += len(messages)
        for group in self._stream.groups:
            if last > group.last_delivered:
                count = sum(message.id > group.last_delivered for message in messages)
                ledger.undelivered[group.text] = (ledger.undelivered[group.text] or 0) + count
        self._count_hooks(messages)
        self._count_monitor_events(messages)
        if last[0] > self._now - HOUR_MS:
            self._count_recent(messages)
        if last > self._all_delivered or any(pending.values()) or self._some_writer_missing:
            self._count_unfinished(messages, pending)

    def _count_hooks(self, messages: list[Message]) -> None:
        ledger = self.ledger
        hooks = [message.fields.get(b"hook_type") for message in messages]
        last = {hook: message.id[0] for hook, message in zip(hooks, messages, strict=True)}
        for hook, count in Counter(hooks).items():
            name = self._word(hook)
            ledger.count_by_hook[name] += count
            ledger.last_by_hook[name] = max(last[hook], ledger.last_by_hook.get(name, 0))

    def _count_monitor_events(self, messages: list[Message]) -> None:
        ledger = self.ledger
        alike = {message.fields.get(b"metadata"): message for message in messages}
        sources = {raw: self._router.source(message) for raw, message in alike.items()}
        for raw, count in Counter(message.fields.get(b"metadata") for message in messages).items():
            if sources[raw] in CURSOR_MONITOR_SOURCES:
                ledger.monitor_events += count
                ledger.monitor_last_ms = max(alike[raw].id[0], ledger.monitor_last_ms or 0)

    def _word(self, raw: bytes | None) -> str:
        found = self._words.get(raw)
        if found is None:
            if len(self._words) > _WORDS:
                self._words.clear()
            found = self._words[raw] = word(raw)
        return found

    def _count_recent(self, messages: list[Message]) -> None:
        ledger, times = self.ledger, [message.id[0] for message in messages]
        ledger.last_hour += _later(times, self._now - HOUR_MS)
        ledger.last_five_minutes += _later(times, self._now - 5 * MINUTE_MS)
        ledger.last_minute += _later(times, self._now - MINUTE_MS)

    def _count_unfinished(self, messages: list[Message], pending: dict[str, dict[EntryId, Pending]]) -> None:
        for message in messages:
            if self._is_unfinished(message, pending):
                self.ledger.unfinished += 1
                self.ledger.oldest_unfinished = self.ledger.oldest_unfinished or message.id

    def _is_unfinished(self, message: Message, pending: dict[str, dict[EntryId, Pending]]) -> bool:
        if message.id > self._all_delivered or any(message.id in rows for rows in pending.values()):
            return True
        if not self._some_writer_missing:
            return False
        route = self._router.route(message)  # a group that does not exist has finished nothing of its own
        return route is not None and route.group not in self._writers

    def _lost(self, message: Message, route: CompiledRoute) -> None:
        event_id = message.fields.get(b"event_id")
        self._break(
            Break(
                kind=LOST,
                id=id_text(message.id),
                event_id=identifier(event_id) if event_id else None,
                enqueued_ms=message.id[0],
                route=route.name,
                group=route.group,
                event_type=word(message.fields.get(b"event_type") or message.fields.get(b"hook_type")),
                reason=message.malformed() or "acknowledged without a row or a dead letter",
            )
        )

    def _ghosts(self, rows: dict[str, dict[EntryId, Pending]]) -> None:
        """Pending rows whose message is not in the stream any more, each message counted once."""
        groups: dict[EntryId, list[str]] = {}
        for name, ghosts in rows.items():
            for identity in self._still_pending(name, list(ghosts)):
                groups.setdefault(identity, []).append(name)
        for identity, names in sorted(groups.items()):
            self.ledger.payload_gone += 1
            self._break(
                Break(
                    kind="payload_gone",
                    id=id_text(identity),
                    event_id=None,
                    enqueued_ms=identity[0],
                    route=None,
                    group=", ".join(names),
                    event_type="unknown",
                    reason=self._why_gone(identity),
                )
            )

    def _why_gone(self, identity: EntryId) -> str:
        named = self._dead_letters.found.names(id_text(identity).encode(), None)
        return "trimmed or deleted while it was pending" + ("; a dead letter names it" if named else "")

    def _still_pending(self, name: str, ghosts: list[EntryId]) -> list[EntryId]:
        """Those that are pending even now: others were acknowledged first, and trimmed while the doctor read."""
        still: list[EntryId] = []
        for start in range(0, len(ghosts), _ASKED_AT_ONCE):
            part = ghosts[start : start + _ASKED_AT_ONCE]
            commands: list[Command] = [("XPENDING", self._stream.queue, name, id_text(i), id_text(i), 1) for i in part]
            for identity, reply, command in zip(part, self._redis.ask(*commands), commands, strict=True):
                if isinstance(reply, Exception):
                    self._redis.fail(reply, command)
                if reply:
                    still.append(identity)
        return still

    def _break(self, found: Break) -> None:
        if len(self.ledger.breaks) < KEPT_BREAKS:
            self.ledger.breaks.append(found)
        self.ledger.last_break_ms = max(self.ledger.last_break_ms or 0, found.enqueued_ms)

    def _finish(self) -> None:
        ledger, stream = self.ledger, self._stream
        unseen = stream.length - ledger.examined
        for group in stream.groups:
            if group.undelivered is not None:
                ledger.undelivered[group.text] = group.undelivered
            elif stream.first is None or group.last_delivered >= stream.last_generated:
                ledger.undelivered[group.text] = 0
            elif group.last_delivered < stream.first:
                ledger.undelivered[group.text] = stream.length  # exact, also when some were trimmed since
            elif ledger.partial or (unseen and trimmed_past(self._redis, stream, group.last_delivered)):
                ledger.undelivered[group.text] = None
        if ledger.partial:
            ledger.states["unrouted"][UNEXAMINED] += max(0, unseen)


def _later(times: list[int], moment: int) -> int:
    """How many of these ascending times are later."""
    return len(times) - bisect_right(times, moment)


def _column(key: Lookup) -> str:
    return key.columns[-1]


def _must_be_unique(key: Lookup) -> bool:
    """Rows of the same session and time are allowed; event_id and uuid are not."""
    return key.columns[-1] != "timestamp"
