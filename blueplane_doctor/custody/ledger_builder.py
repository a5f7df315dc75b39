"""Builds the ledger in one walk through the stream: every message in exactly one state, read once, page by page."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable

from blueplane_doctor.connection.base import Command
from blueplane_doctor.custody.blockers import BlockerFinder
from blueplane_doctor.custody.carried import ON_THE_WAY
from blueplane_doctor.custody.copies import CopiedMessages
from blueplane_doctor.custody.delay_sample import WrittenMessage
from blueplane_doctor.custody.held import SHOWN_IDS, PendingByGroup
from blueplane_doctor.custody.judge import CustodyJudge, JudgedPage
from blueplane_doctor.custody.ledger import UNROUTED, ChainBreak, Ledger, Tally, bucket_of
from blueplane_doctor.custody.losses import trimmed_past
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import CompiledRoute
from blueplane_doctor.custody.states import (
    HAS_ROW,
    IN_FLIGHT,
    LOST,
    PAYLOAD_GONE,
    STUCK,
    UNEXAMINED,
    WAITING,
    WRITTEN,
    WRITTEN_NOT_ACKNOWLEDGED,
    PendingEntry,
)
from blueplane_doctor.custody.unwritten import NEEDS_ROW
from blueplane_doctor.pipeline import CURSOR_HOOKS, CURSOR_MONITOR_SOURCES, OTHER_CURSOR_SOURCES
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.dead_letters import DeadLetterReader
from blueplane_doctor.sources.entries import pages
from blueplane_doctor.sources.entry_ids import EntryId, id_text
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import Group, StreamState
from blueplane_doctor.sources.throttle import Throttle
from blueplane_doctor.sources.trace_tables import Lookup
from blueplane_doctor.text import hidden, identifier
from blueplane_doctor.times import HOUR_MS, MINUTE_MS, iso_of_milliseconds, milliseconds_of

MOST_UNKNOWN_SOURCES = 10
"""Names of sources that are kept, however many there are."""
_ASKED_AT_ONCE = 200
"""Commands of one round trip."""
_RESERVE_SECONDS = 0.3
"""Left of the run's time, when reading ends, for what follows."""
NOBODY_HAS_IT = "neither pending nor written, and no dead letter names it"
_AHEAD_MS = 10_000
"""IDs may be this much later than the time at which the server was asked for it: messages come in while it is read."""
_UNFINISHED = frozenset((WAITING, IN_FLIGHT, STUCK))
"""States of messages that their own writer still has to write."""


class LedgerBuilder:
    """One walk through the stream."""

    def __init__(
        self,
        redis: RedisSource,
        stream: StreamState,
        judge: CustodyJudge,
        dead_letters: DeadLetterReader,
        *,
        now_ms: int,
        dataset_bytes: int | None,
        deadline: Deadline,
        throttle: Throttle,
        progress: Callable[[int, int], None] | None = None,
        observe: Callable[[JudgedPage], None] | None = None,
    ) -> None:
        """`observe` is called with each page once it is judged."""
        self._redis = redis
        self._stream = stream
        self._judge = judge
        self._dead_letters = dead_letters
        self._now_ms = now_ms
        self._dataset_bytes = dataset_bytes
        self._deadline = deadline
        self._throttle = throttle
        self._progress = progress
        self._observe = observe
        self._blockers = BlockerFinder()
        self._copied = CopiedMessages()
        self._ledger = Ledger(pending=judge.pending)
        self._ledger.undelivered = {group.text: 0 for group in stream.groups}
        self._latest_ms = now_ms + _AHEAD_MS
        """IDs that are later than this are ahead of the clock."""

    def build(self) -> Ledger:
        """Read everything, once. Raises SourceError."""
        # The first page of the pending entries lists is read at once: what it says of consumers belongs to the
        # moment at which the groups were read.
        self._judge.read_pending(self._stream.first or self._stream.last_generated)
        if self._read_pages():
            last = self._stream.last_generated
            self._judge.read_pending(last)
            rest = self._judge.take_pending(last)
            self._ledger.held.count([], [], [], rest)
            self._count_payload_gone(rest)
        else:
            self._ledger.partial = True
        self._ledger.rows_cause = self._judge.rows_cause
        self._ledger.untraceable_because = self._judge.absence.counts
        self._ledger.rows_pruned = self._judge.absence.pruned()
        self._ledger.claimed_rows = self._judge.claimed_rows
        self._finish()
        return self._ledger

    def _read_pages(self) -> bool:
        """Read the stream page by page; whether its end was reached in time."""
        last = self._stream.last_generated
        length = self._stream.length
        began = time.monotonic()
        for page in pages(self._redis, self._stream.queue, last, length=length, dataset_bytes=self._dataset_bytes):
            self._count_page(self._judge.judge(page))
            if self._progress:
                self._progress(self._ledger.examined, length)
            self._throttle.pause(time.monotonic() - began, self._deadline.remaining)
            began = time.monotonic()
            if self._deadline.remaining < _RESERVE_SECONDS:
                return False
        return True

    def _count_page(self, page: JudgedPage) -> None:
        self._count(page)
        tallies = self._tallies(page)
        self._ledger.add(tallies)
        if page.messages[-1].id[0] > self._now_ms - HOUR_MS:
            self._sample_delays(page)
        if page.messages[-1].id[0] > self._now_ms - 5 * MINUTE_MS:
            self._count_owed(page)
        if not ON_THE_WAY.isdisjoint(page.states):
            self._ledger.carried.note(page.messages, page.states)
        if not NEEDS_ROW.isdisjoint(page.states):
            self._ledger.unwritten.note(page.messages, page.routes, page.states)
        if self._dead_letters.index.messages:
            self._note_letters(page)
        if LOST in page.states:
            self._add_lost(page)
        for identity, original in self._copied.take(page, tallies):
            self._ledger.supersede(identity, original.tally)
            if original.untraceable_because:
                self._judge.absence.counts[original.untraceable_because] -= 1
        if STUCK in page.states or WRITTEN_NOT_ACKNOWLEDGED in page.states:
            self._find_blockers(page)
        if any(page.pending.values()):
            self._ledger.held.count(page.messages, page.routes, page.states, page.pending)
            # What is pending up to the end of this page and not in it has left the stream.
            here = {message.id for message in page.messages}
            gone = {name: _without(entries, here) for name, entries in page.pending.items()}
            self._count_payload_gone(gone)
        if self._observe:
            self._observe(page)

    def _tallies(self, page: JudgedPage) -> list[Tally]:
        now_ms = self._now_ms
        hour_ago = now_ms - HOUR_MS
        is_ahead = page.messages[-1].id[0] > self._latest_ms
        buckets: dict[bytes | None, int | str] = {}
        """By the bytes of the timestamp: many messages have the same, and to read one takes longer than to find it."""
        tallies = []
        for message, route, state in zip(page.messages, page.routes, page.states, strict=True):
            enqueued_ms: int | None = message.id[0]
            if is_ahead:
                enqueued_ms = self._enqueued_ms(message)
            name = UNROUTED
            if route is not None:
                name = route.name
            timestamp = message.fields.get(b"timestamp")
            bucket = buckets.get(timestamp)
            if bucket is None:
                bucket = buckets[timestamp] = bucket_of(message.event_ms(), now_ms)
            is_recent = enqueued_ms is not None and enqueued_ms > hour_ago
            tallies.append((name, state, bucket, is_recent))
        return tallies

    def _sample_delays(self, page: JudgedPage) -> None:
        hour_ago = self._now_ms - HOUR_MS
        is_ahead = page.messages[-1].id[0] > self._latest_ms
        by_route: dict[str, list[WrittenMessage]] = defaultdict(list)
        for place, (table, sequence) in page.rows.items():
            route = page.routes[place]
            enqueued_ms: int | None = page.messages[place].id[0]
            if is_ahead:
                enqueued_ms = self._enqueued_ms(page.messages[place])
            if route is not None and enqueued_ms is not None and enqueued_ms > hour_ago:
                by_route[route.name].append((enqueued_ms, table, sequence))
        for name, written in by_route.items():
            self._ledger.delays[name].add(written)

    def _count_owed(self, page: JudgedPage) -> None:
        """Count what came lately and is written, or has to be. By design others have no row: they are no backlog."""
        for message, state in zip(page.messages, page.states, strict=True):
            if state != WRITTEN and state not in _UNFINISHED:
                continue
            enqueued_ms = self._enqueued_ms(message)
            if enqueued_ms is None:
                continue
            if enqueued_ms > self._now_ms - MINUTE_MS:
                self._ledger.owed_last_minute += 1
            if enqueued_ms > self._now_ms - 5 * MINUTE_MS:
                self._ledger.owed_last_five_minutes += 1

    def _note_letters(self, page: JudgedPage) -> None:
        """Which messages have a dead letter, and are not lost with it."""
        for message, state in zip(page.messages, page.states, strict=True):
            if state in HAS_ROW or state in _UNFINISHED:
                self._dead_letters.index.note_not_lost(message.raw_id, message.event_id)

    def _add_lost(self, page: JudgedPage) -> None:
        for message, route, state in zip(page.messages, page.routes, page.states, strict=True):
            if state == LOST and route:
                if self._ledger.keeps_more_breaks:
                    self._ledger.breaks.append(_lost(message, route))
                self._ledger.note_break(message.id[0])

    def _find_blockers(self, page: JudgedPage) -> None:
        stuck = []
        wanted: list[Lookup] = []
        for message, route, state in zip(page.messages, page.routes, page.states, strict=True):
            if route and state in (STUCK, WRITTEN_NOT_ACKNOWLEDGED):
                lookups = route.lookups(message)
                stuck.append((message, route.group, lookups))
                wanted += lookups
        found = self._judge.find_rows(wanted)
        rows: dict[Lookup, list[int]] = {}
        if found is not None:
            rows = dict(zip(wanted, found, strict=True))
        for message, group, lookups in stuck:
            self._blockers.examine(message, group, lookups, rows)

    def _count(self, page: JudgedPage) -> None:
        """Count what is wanted of each message, whatever its state."""
        ledger = self._ledger
        messages = page.messages
        last = messages[-1].id
        ledger.examined += len(messages)
        for group in self._stream.groups:
            if last > group.last_delivered:
                waiting = sum(message.id > group.last_delivered for message in messages)
                ledger.undelivered[group.text] = (ledger.undelivered[group.text] or 0) + waiting
        ledger.not_given.count(messages, page.routes, page.states)
        times: list[int | None] = [message.id[0] for message in messages]
        is_ahead = last[0] > self._latest_ms
        if is_ahead:
            times = [self._enqueued_ms(message) for message in messages]
        self._count_kinds(page, times)
        self._count_times(messages, times, is_ahead=is_ahead)
        # Most pages are finished as a whole, and their messages need not be asked one by one.
        if not _UNFINISHED.isdisjoint(page.states):
            self._count_unfinished(page)

    def _count_kinds(self, page: JudgedPage, times: list[int | None]) -> None:
        # Many messages are of one kind: all these are counted at once.
        newest = dict(zip(page.kinds, page.messages, strict=True))
        # The messages ascend, so the last time of each kind is the one that stays.
        last = {kind: time for kind, time in zip(page.kinds, times, strict=True) if time is not None}
        for kind, count in Counter(page.kinds).items():
            message = newest[kind]
            last_ms = last.get(kind)
            self._ledger.count_hook(message.fields.get(b"hook_type"), count, last_ms)
            self._count_monitor_events(message, count, last_ms)

    def _count_monitor_events(self, message: Message, count: int, last_ms: int | None) -> None:
        """Count so many messages of the kind of this one, if they are the database monitor's."""
        source = message.value("metadata.source")
        if source not in CURSOR_MONITOR_SOURCES:
            if not source or not _is_of_a_monitor(message, source):
                return
            if len(self._ledger.unknown_sources) < MOST_UNKNOWN_SOURCES:
                self._ledger.unknown_sources.add(hidden(source))
        self._ledger.monitor_events += count
        if last_ms is not None:
            self._ledger.monitor_last_ms = max(last_ms, self._ledger.monitor_last_ms or 0)

    def _count_unfinished(self, page: JudgedPage) -> None:
        ledger = self._ledger
        for message, state in zip(page.messages, page.states, strict=True):
            if state not in _UNFINISHED:
                continue
            ledger.unfinished += 1
            if len(ledger.first_unfinished) < SHOWN_IDS:
                ledger.first_unfinished.append(id_text(message.id))
            enqueued_ms = self._enqueued_ms(message)
            if enqueued_ms is None and ledger.oldest_unfinished_ms is None:
                ledger.is_older_unfinished = True
            ledger.oldest_unfinished_ms = _earlier(ledger.oldest_unfinished_ms, enqueued_ms)
            if state == WAITING:
                ledger.oldest_waiting_ms = _earlier(ledger.oldest_waiting_ms, enqueued_ms)

    def _enqueued_ms(self, message: Message) -> int | None:
        """When it was enqueued, in milliseconds since 1970; None when neither its ID nor a field tells.

        Redis never lets IDs go back: after one that was ahead of the clock, all that follow are ahead as well.
        """
        if message.id[0] <= self._latest_ms:
            return message.id[0]
        text = message.fields.get(b"enqueued_at")
        if not text:
            return None
        enqueued_ms = milliseconds_of(text.decode("utf-8", "replace"))
        if enqueued_ms is None or enqueued_ms > self._latest_ms:
            return None  # the producer's clock was ahead as well
        return enqueued_ms

    def _count_times(self, messages: list[Message], times: list[int | None], *, is_ahead: bool) -> None:
        """Count how many came lately, and whose IDs are ahead of the clock."""
        last_ms = messages[-1].id[0]
        if last_ms <= self._now_ms - HOUR_MS:
            return
        known = [moment for moment in times if moment is not None]
        if not is_ahead:
            self._ledger.count_recent(known, self._now_ms)
            return
        self._ledger.count_recent(sorted(known), self._now_ms)
        self._ledger.untimed += len(times) - len(known)
        self._ledger.ids_ahead += sum(message.id[0] > self._latest_ms for message in messages)
        self._ledger.ids_ahead_ms = max(self._ledger.ids_ahead_ms, last_ms - self._now_ms)

    def _count_payload_gone(self, pending: PendingByGroup) -> None:
        """Count pending entries whose message has left the stream; a message counts once, whoever holds it."""
        groups: dict[EntryId, list[str]] = {}
        gone: list[tuple[str, PendingEntry]] = []
        for name, entries in pending.items():
            for identity in self._still_pending(name, list(entries)):
                if identity not in groups:
                    gone.append((name, entries[identity]))
                groups.setdefault(identity, []).append(name)
        self._ledger.held.lose(gone)
        for identity, names in sorted(groups.items()):
            self._ledger.payload_gone += 1
            self._ledger.payload_gone_of_one += self._is_done_elsewhere(identity, names)
            if self._ledger.keeps_more_breaks:
                self._ledger.breaks.append(self._payload_gone(identity, names))
            self._ledger.note_break(identity[0])

    def _is_done_elsewhere(self, identity: EntryId, holders: list[str]) -> bool:
        """Whether a writer group that does not hold it was given it. Whose it was, its entry no longer tells."""
        for name, group in self._judge.writers.items():
            if name not in holders and identity <= group.last_delivered:
                return True
        return False

    def _payload_gone(self, identity: EntryId, groups: list[str]) -> ChainBreak:
        text = id_text(identity)
        reason = "trimmed or deleted while it was pending"
        if self._dead_letters.index.names(text.encode(), None):
            reason += "; a dead letter names it"
        return ChainBreak(
            kind=PAYLOAD_GONE,
            id=text,
            event_id=None,
            enqueued_at=iso_of_milliseconds(identity[0]),
            route=None,
            group=", ".join(groups),
            event_type="unknown",
            reason=reason,
        )

    def _still_pending(self, name: str, identities: list[EntryId]) -> list[EntryId]:
        """Those that are pending even now. Others were acknowledged first, and trimmed while the doctor read."""
        still: list[EntryId] = []
        for start in range(0, len(identities), _ASKED_AT_ONCE):
            part = identities[start : start + _ASKED_AT_ONCE]
            texts = [id_text(identity) for identity in part]
            commands: list[Command] = [("XPENDING", self._stream.queue, name, text, text, 1) for text in texts]
            for identity, reply in zip(part, self._redis.ask_all(commands), strict=True):
                if reply:
                    still.append(identity)
        return still

    def _finish(self) -> None:
        ledger = self._ledger
        ledger.blocker_counts = self._blockers.counts
        # Where nothing is stuck, what is written already holds up nobody.
        ledger.blockers = [one for one in self._blockers.blockers if ledger.held.of(one.group).stuck]
        unseen = self._stream.length - ledger.examined
        for group in self._stream.groups:
            ledger.undelivered[group.text] = self._undelivered(group, unseen)
        if ledger.partial:
            ledger.states[UNROUTED][UNEXAMINED] += max(0, unseen)

    def _undelivered(self, group: Group, unseen: int) -> int | None:
        """Messages that the group was not given, at the moment its position was read; None when that is not known.

        What was counted on the way is too little when messages were trimmed meanwhile: `unseen` of them.
        """
        stream = self._stream
        if group.undelivered is not None:
            return group.undelivered
        if stream.first is None or group.last_delivered >= stream.last_generated:
            return 0
        if group.last_delivered < stream.first:
            return stream.length
        if self._ledger.partial or (unseen and trimmed_past(self._redis, stream, group.last_delivered)):
            return None
        return self._ledger.undelivered[group.text]


def _is_of_a_monitor(message: Message, source: str) -> bool:
    """Whether an unknown source is the database monitor's: Cursor's, and neither hook, session nor recovery."""
    fields = message.fields
    if source in OTHER_CURSOR_SOURCES or fields.get(b"platform") != b"cursor":
        return False
    is_hook = fields.get(b"hook_type", b"").decode("utf-8", "replace") in CURSOR_HOOKS
    return not is_hook and not fields.get(b"event_type", b"").startswith(b"session_")


def _earlier(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one or other
    return min(one, other)


def _without(entries: dict[EntryId, PendingEntry], here: set[EntryId]) -> dict[EntryId, PendingEntry]:
    return {identity: entry for identity, entry in entries.items() if identity not in here}


def _lost(message: Message, route: CompiledRoute) -> ChainBreak:
    event_id = message.event_id
    return ChainBreak(
        kind=LOST,
        id=id_text(message.id),
        event_id=identifier(event_id) if event_id else None,
        enqueued_at=iso_of_milliseconds(message.id[0]),
        route=route.name,
        group=route.group,
        event_type=message.kind(),
        reason=message.malformed() or NOBODY_HAS_IT,
    )
