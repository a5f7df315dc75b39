"""The walk through the stream: every message in exactly one state, read once, page by page.

The order of reading makes a false break impossible. First the groups' positions; what was delivered after that
moment still counts as waiting. Then, for each page, the pending entries lists: a message that was delivered by then and
is not pending has been acknowledged, and whoever acknowledged it had written its row (or its dead letter) before. Only
then the dead letters and the database, which can therefore not be too old: read before, they would lack what was
written and acknowledged in between.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable

from blueplane_doctor.connection.base import Command
from blueplane_doctor.custody.groups import Pending, PendingReader, read_more, trimmed_past
from blueplane_doctor.custody.ledger import (
    DEAD_LETTERED,
    DUPLICATE,
    IN_FLIGHT,
    KEPT_BLOCKERS,
    LOST,
    PAYLOAD_GONE,
    SKIPPED,
    STUCK,
    UNEXAMINED,
    UNTRACEABLE,
    WAITING,
    WRITTEN,
    Blocker,
    Break,
    Ledger,
    RowBitmap,
    Settled,
    bucket_of,
)
from blueplane_doctor.custody.routing import CompiledRoute, Message, Router
from blueplane_doctor.errors import SourceError
from blueplane_doctor.pipeline import CURSOR_MONITOR_SOURCES
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.dead_letters import DeadLetterReader
from blueplane_doctor.sources.entries import Throttle, pages
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import EntryId, StreamState, id_text
from blueplane_doctor.sources.trace_tables import Lookup, RowFinder
from blueplane_doctor.text import identifier
from blueplane_doctor.times import HOUR_MS

_STUCK_KEYS = 50_000
_ASKED_AT_ONCE = 200
_RESERVE_SECONDS = 0.3

_Sought = tuple[Message, CompiledRoute, list[Lookup]]
_PendingRows = dict[str, dict[EntryId, Pending]]
"""By group."""


class LedgerBuilder:
    """One pass. `rows` is None when the database cannot be read."""

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
        throttle: Throttle,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._redis, self._stream, self._router, self._rows = redis, stream, router, rows
        self._dead_letters = dead_letters
        self._now, self._dataset, self._deadline = now_ms, dataset_bytes, deadline
        self._claims = RowBitmap()
        self._stuck_keys: dict[Lookup, str] = {}
        self._settled: list[Settled] = []
        self._progress, self._throttle = progress, throttle
        self.ledger = Ledger()
        writer_names = dict.fromkeys(route.group for route in router.routes)
        self._writers = {name: group for name in writer_names if (group := stream.group(name))}
        self._pending = {name: PendingReader(stream.queue, group) for name, group in self._writers.items()}
        self._some_writer_missing = len(self._writers) < len(writer_names)
        self._all_delivered = min((g.last_delivered for g in self._writers.values()), default=(1 << 64, 0))

    def run(self) -> Ledger:
        """Read everything, once. Raises SourceError."""
        ledger, stream = self.ledger, self._stream
        ledger.pending = self._pending
        ledger.undelivered = {group.text: 0 for group in stream.groups}
        self._read_pending(stream.first or stream.last_generated)
        began = time.monotonic()
        last, length = stream.last_generated, stream.length
        for page in pages(self._redis, stream.queue, last, length=length, dataset_bytes=self._dataset):
            self._page([Message(entry) for entry in page])
            if self._progress:
                self._progress(ledger.examined, length)
            self._throttle.pause(time.monotonic() - began, self._deadline.remaining)
            began = time.monotonic()
            if self._deadline.remaining < _RESERVE_SECONDS:
                ledger.partial = True
                break
        else:
            self._read_pending(last)
            self._ghosts({name: reader.take(last) for name, reader in self._pending.items()})
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
        self.ledger.add(self._settled)
        self._settled.clear()
        if any(pending.values()):
            here = {message.id for message in messages}
            self._ghosts({name: {i: row for i, row in rows.items() if i not in here} for name, rows in pending.items()})

    def _read_pending(self, until: EntryId) -> None:
        if read_more(self._redis, list(self._pending.values()), until):
            self._dead_letters.catch_up()

    def _state_in_stream(self, message: Message, route: CompiledRoute | None, pending: _PendingRows) -> str | None:
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
        found = self._find(lookup for _, _, lookups in acknowledged for lookup in lookups)
        for message, route, lookups in acknowledged:
            state = UNEXAMINED if found is None else self._by_rows(lookups, found)
            if not state:
                named = self._dead_letters.found.names(message.raw_id, message.fields.get(b"event_id"))
                state = DEAD_LETTERED if named else LOST if lookups else UNTRACEABLE
            self._settle(message, route, state)
            if state == LOST:
                self.ledger.add_break(_lost(message, route))

    def _by_rows(self, lookups: list[Lookup], found: dict[Lookup, list[int]]) -> str | None:
        """WRITTEN for the first message of a row, DUPLICATE for others; None without a row."""
        state = None
        for lookup in lookups:
            for sequence in found.get(lookup, ()):
                if self._claims.claim(lookup.table, sequence):
                    return WRITTEN
                state = DUPLICATE
        return state

    def _find(self, lookups: Iterable[Lookup]) -> dict[Lookup, list[int]] | None:
        """None once the database cannot be read: Redis alone still tells the rest."""
        if self._rows is None:
            return None
        try:
            return self._rows.find(lookups)
        except SourceError as error:
            self._rows, self.ledger.rows_cause = None, error.message
            return None

    def _find_blockers(self, stuck: list[_Sought]) -> None:
        """Which of the stuck messages cannot be written: the others only wait with them."""
        blockers = self.ledger.blockers
        if not stuck or len(blockers) >= KEPT_BLOCKERS:
            return
        rows = self._find(lookup for _, _, lookups in stuck for lookup in lookups) or {}
        for message, route, lookups in stuck:
            identity, reason = id_text(message.id), ""
            for key in lookups:
                column = key.columns[-1]
                if rows.get(key):
                    reason = f"a row with the same {column} is there already"
                elif key in self._stuck_keys and column != "timestamp":  # a session may have rows of the same time
                    reason = f"same {column} as {self._stuck_keys[key]}"
                elif len(self._stuck_keys) < _STUCK_KEYS:
                    self._stuck_keys[key] = identity
            reason = reason or message.malformed()
            if reason and len(blockers) < KEPT_BLOCKERS:
                blockers.append(Blocker(identity, route.group, reason))

    def _settle(self, message: Message, route: CompiledRoute | None, state: str) -> None:
        bucket = bucket_of(message.event_ms(), self._now)
        self._settled.append((route.name if route else "unrouted", state, bucket, message.id[0] > self._now - HOUR_MS))

    def _count(self, messages: list[Message], pending: _PendingRows) -> None:
        """What is wanted of each message, whatever its state."""
        ledger, last = self.ledger, messages[-1].id
        ledger.examined += len(messages)
        for group in self._stream.groups:
            if last > group.last_delivered:
                count = sum(message.id > group.last_delivered for message in messages)
                ledger.undelivered[group.text] = (ledger.undelivered[group.text] or 0) + count
        ledger.count_hooks(messages)
        self._count_monitor_events(messages)
        if last[0] > self._now - HOUR_MS:
            ledger.count_recent([message.id[0] for message in messages], self._now)
        if last > self._all_delivered or any(pending.values()) or self._some_writer_missing:
            self._count_unfinished(messages, pending)

    def _count_monitor_events(self, messages: list[Message]) -> None:
        ledger = self.ledger
        alike = {message.fields.get(b"metadata"): message for message in messages}
        for raw, count in Counter(message.fields.get(b"metadata") for message in messages).items():
            if alike[raw].value("metadata.source") in CURSOR_MONITOR_SOURCES:
                ledger.monitor_events += count
                ledger.monitor_last_ms = max(alike[raw].id[0], ledger.monitor_last_ms or 0)

    def _count_unfinished(self, messages: list[Message], pending: _PendingRows) -> None:
        for message in messages:
            if self._is_unfinished(message, pending):
                self.ledger.unfinished += 1
                self.ledger.oldest_unfinished = self.ledger.oldest_unfinished or message.id

    def _is_unfinished(self, message: Message, pending: _PendingRows) -> bool:
        if message.id > self._all_delivered or any(message.id in rows for rows in pending.values()):
            return True
        if not self._some_writer_missing:
            return False
        route = self._router.route(message)  # a group that does not exist has finished nothing of its own
        return route is not None and route.group not in self._writers

    def _ghosts(self, rows: _PendingRows) -> None:
        """Pending rows whose message has left the stream; a message counts once."""
        groups: dict[EntryId, list[str]] = {}
        for name, ghosts in rows.items():
            for identity in self._still_pending(name, list(ghosts)):
                groups.setdefault(identity, []).append(name)
        for identity, names in sorted(groups.items()):
            self.ledger.payload_gone += 1
            text, reason = id_text(identity), "trimmed or deleted while it was pending"
            if self._dead_letters.found.names(text.encode(), None):
                reason += "; a dead letter names it"
            self.ledger.add_break(
                Break(
                    kind=PAYLOAD_GONE,
                    id=text,
                    event_id=None,
                    enqueued_ms=identity[0],
                    route=None,
                    group=", ".join(names),
                    event_type="unknown",
                    reason=reason,
                )
            )

    def _still_pending(self, name: str, ghosts: list[EntryId]) -> list[EntryId]:
        """Those that are pending even now: others were acknowledged first, and trimmed while the doctor read."""
        still: list[EntryId] = []
        for start in range(0, len(ghosts), _ASKED_AT_ONCE):
            part = ghosts[start : start + _ASKED_AT_ONCE]
            commands: list[Command] = [("XPENDING", self._stream.queue, name, id_text(i), id_text(i), 1) for i in part]
            still += [i for i, reply in zip(part, self._redis.ask_all(commands), strict=True) if reply]
        return still

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


def _lost(message: Message, route: CompiledRoute) -> Break:
    event_id = message.fields.get(b"event_id")
    return Break(
        kind=LOST,
        id=id_text(message.id),
        event_id=identifier(event_id) if event_id else None,
        enqueued_ms=message.id[0],
        route=route.name,
        group=route.group,
        event_type=message.kind(),
        reason=message.malformed() or "acknowledged without a row or a dead letter",
    )
