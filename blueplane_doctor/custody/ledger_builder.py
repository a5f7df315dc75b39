"""Builds the ledger in one walk through the stream: every message in exactly one state, read once, page by page."""

import time
from collections import defaultdict
from collections.abc import Callable

from blueplane_doctor.custody.blockers import BlockerFinder
from blueplane_doctor.custody.carried import ON_THE_WAY
from blueplane_doctor.custody.copies import CopiedMessages
from blueplane_doctor.custody.delay_sample import WrittenMessage
from blueplane_doctor.custody.gone_payloads import GonePayloads
from blueplane_doctor.custody.judge import CustodyJudge, JudgedPage
from blueplane_doctor.custody.ledger import UNROUTED, ChainBreak, Ledger, Tally, bucket_of
from blueplane_doctor.custody.losses import trimmed_past
from blueplane_doctor.custody.lost_runs import LostRuns
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.page_counts import PageCounter
from blueplane_doctor.custody.poison import poison_reason
from blueplane_doctor.custody.routing import CompiledRoute
from blueplane_doctor.custody.states import (
    HAS_ROW,
    LOST,
    STUCK,
    UNEXAMINED,
    UNFINISHED,
    WRITTEN_NOT_ACKNOWLEDGED,
)
from blueplane_doctor.custody.unwritten import NEEDS_ROW
from blueplane_doctor.privacy.public_text import identifier
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.dead_letters import DeadLetterReader
from blueplane_doctor.sources.entries import pages
from blueplane_doctor.sources.entry_ids import EntryId, id_text
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import Group, StreamState
from blueplane_doctor.sources.throttle import Throttle
from blueplane_doctor.sources.trace_tables import Lookup
from blueplane_doctor.text.times import HOUR_MS, MINUTE_MS, iso_of_milliseconds

_RESERVE_SECONDS = 0.3
"""Left of the run's time, when reading ends, for what follows."""
NOBODY_HAS_IT = "neither pending nor written, and no dead letter names it"


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
        self._lost_runs = LostRuns()
        self._ledger = Ledger(pending=judge.pending)
        self._ledger.undelivered = {group.text: 0 for group in stream.groups}
        self._counter = PageCounter(self._ledger, stream.groups, now_ms)
        self._gone = GonePayloads(redis, stream.queue, judge, dead_letters, self._ledger)

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
            self._gone.count(rest)
            if self._observe:
                self._observe(JudgedPage.behind_the_last(rest))
        else:
            self._ledger.partial = True
        self._ledger.rows_cause = self._judge.rows_cause
        self._ledger.untraceable_because = self._judge.absence.counts
        self._ledger.rows_pruned = self._judge.absence.pruned()
        # Only where no message ever left the stream must each of those rows be one of these messages'.
        if self._stream.entries_added == self._stream.length:
            self._ledger.pruned_were_written = self._judge.absence.have_as_many_rows()
        self._ledger.claimed_rows = self._judge.rows.claimed
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
        self._counter.count(page)
        states = frozenset(page.states)
        tallies = self._tallies(page)
        self._ledger.add(tallies)
        # IDs ascend: where the last one of a page is too old, the whole page is.
        if page.messages[-1].id[0] > self._now_ms - HOUR_MS:
            self._sample_delays(page)
        if page.messages[-1].id[0] > self._now_ms - 5 * MINUTE_MS:
            self._counter.count_owed(page)
        if not ON_THE_WAY.isdisjoint(states):
            self._ledger.carried.note(page.messages, page.states)
        if not NEEDS_ROW.isdisjoint(states):
            self._ledger.unwritten.note(page.messages, page.routes, page.states)
        if self._dead_letters.index.messages:
            self._note_letters(page)
        if LOST in states:
            self._add_lost(page)
        self._lost_runs.note(page)
        # An original was counted as lost or untraceable pages ago. Here is its copy: so it is a duplicate.
        for identity, original in self._copied.take(page, tallies):
            self._ledger.supersede(identity, original.tally)
            if original.untraceable_because:
                self._judge.absence.counts[original.untraceable_because] -= 1
        if STUCK in states or WRITTEN_NOT_ACKNOWLEDGED in states:
            self._find_blockers(page)
        if any(page.pending.values()):
            others = self._rows_of_others(page)
            self._ledger.held.count(page.messages, page.routes, page.states, page.pending, others)
            # What is pending up to the end of this page and not in it has left the stream.
            self._gone.count(page.pending, frozenset(message.id for message in page.messages))
        if self._observe:
            self._observe(page)

    def _tallies(self, page: JudgedPage) -> list[Tally]:
        now_ms = self._now_ms
        hour_ago = now_ms - HOUR_MS
        is_ahead = self._counter.is_ahead(page)
        buckets: dict[bytes | None, int | str] = {}
        """By the bytes of the timestamp: many messages have the same, and to read one takes longer than to find it."""
        tallies = []
        for message, route, state in zip(page.messages, page.routes, page.states, strict=True):
            enqueued_ms: int | None = message.id[0]
            if is_ahead:
                enqueued_ms = self._counter.enqueued_ms(message)
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
        is_ahead = self._counter.is_ahead(page)
        by_route: dict[str, list[WrittenMessage]] = defaultdict(list)
        for place, (table, sequence) in page.rows.items():
            route = page.routes[place]
            enqueued_ms: int | None = page.messages[place].id[0]
            if is_ahead:
                enqueued_ms = self._counter.enqueued_ms(page.messages[place])
            if route is not None and enqueued_ms is not None and enqueued_ms > hour_ago:
                by_route[route.name].append((enqueued_ms, table, sequence))
        for name, written in by_route.items():
            self._ledger.delays[name].add(written)

    def _note_letters(self, page: JudgedPage) -> None:
        """Which messages have a dead letter, and are not lost with it."""
        for message, state in zip(page.messages, page.states, strict=True):
            if state in HAS_ROW or state in UNFINISHED:
                self._dead_letters.index.note_not_lost(message.raw_id, message.event_id)

    def _add_lost(self, page: JudgedPage) -> None:
        for message, route, state in zip(page.messages, page.routes, page.states, strict=True):
            if state == LOST and route:
                malformed = message.malformed()
                reason = malformed or poison_reason(message)
                self._ledger.malformed_lost += bool(malformed)
                self._ledger.unwritable_lost += bool(reason)
                if self._ledger.keeps_more_breaks:
                    self._ledger.breaks.append(_lost(message, route, reason))
                self._ledger.note_break(message.id[0])

    def _rows_of_others(self, page: JudgedPage) -> set[EntryId]:
        """The held messages whose key has a row that another message of the same key wrote."""
        others = set()
        for message, route, state in zip(page.messages, page.routes, page.states, strict=True):
            if route is None or state != WRITTEN_NOT_ACKNOWLEDGED:
                continue
            if self._judge.rows.have_another_time(message, route.lookups(message)):
                others.add(message.id)
        return others

    def _find_blockers(self, page: JudgedPage) -> None:
        stuck = []
        wanted: list[Lookup] = []
        for message, route, state in zip(page.messages, page.routes, page.states, strict=True):
            if route and state in (STUCK, WRITTEN_NOT_ACKNOWLEDGED):
                lookups = route.lookups(message)
                stuck.append((message, route.group, lookups))
                wanted += lookups
        found = self._judge.rows.find(wanted)
        rows: dict[Lookup, list[int]] = {}
        if found is not None:
            rows = dict(zip(wanted, found, strict=True))
        for message, group, lookups in stuck:
            self._blockers.examine(message, group, lookups, rows)

    def _finish(self) -> None:
        ledger = self._ledger
        ledger.lost_run = self._lost_runs.run()
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


def _lost(message: Message, route: CompiledRoute, unwritable: str) -> ChainBreak:
    """`unwritable`: why no writer can write it; empty where one could."""
    event_id = message.event_id
    reason = message.malformed() or NOBODY_HAS_IT
    if unwritable and unwritable != reason:
        reason += f"; no writer can write it: {unwritable}"
    return ChainBreak(
        kind=LOST,
        id=id_text(message.id),
        event_id=identifier(event_id) if event_id else None,
        enqueued_at=iso_of_milliseconds(message.id[0]),
        route=route.name,
        group=route.group,
        event_type=message.kind(),
        reason=reason,
    )
