"""Every message's state of custody, page by page, in the order of the stream.

The order of reading makes a false break impossible. First the groups' positions; what was delivered after that moment
still counts as waiting. Then, for each page, the pending entries lists: a message that was delivered by then and is not
pending has been acknowledged, and whoever acknowledged it had written its row (or its dead letter) before. Only then
the dead letters and the database, which can therefore not be too old: read before, they would lack what was written
and acknowledged in between. Where a message that a group was not given has its row, the groups' positions are read
once more, after its row: a message that was delivered meanwhile is on its way, and its group was not moved back.
"""

from collections.abc import Mapping
from typing import NamedTuple

from blueplane_doctor.custody.absence import OF_UNKNOWN_GROUP, Absence, DroppedLetters
from blueplane_doctor.custody.held import PendingByGroup
from blueplane_doctor.custody.messages import Message, messages_of
from blueplane_doctor.custody.pending_entries import PendingEntriesReader, read_pending_entries
from blueplane_doctor.custody.routing import CompiledRoute, Kind, Router, is_of_unknown_platform
from blueplane_doctor.custody.row_claims import ClaimedRow, RowClaims
from blueplane_doctor.custody.shared_groups import WRITTEN_ELSEWHERE, SharedGroup
from blueplane_doctor.custody.states import (
    LOST,
    STUCK,
    UNEXAMINED,
    UNTRACEABLE,
    WAITING,
    WRITTEN,
    WRITTEN_NOT_DELIVERED,
    PendingEntry,
    RowEvidence,
    state_of,
)
from blueplane_doctor.sources.dead_letters import DeadLetterReader
from blueplane_doctor.sources.deleted_rows import DeletedRows, TableBeginning
from blueplane_doctor.sources.entries import RawEntry
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import Group, StreamState, read_positions
from blueplane_doctor.sources.trace_tables import Lookup, RowFinder

NO_TABLES = "the database holds none of the tables that traces are written to"
"""Why no row can be looked up in a database that can be read."""


_TOLD_BY_ROWS = frozenset((UNEXAMINED, STUCK, WAITING))
"""States, by what Redis says, of messages of which the database can say more."""


class JudgedPage(NamedTuple):
    """The messages of a page, with the route and the state of each at the same place.

    These are lists side by side, and no object for each message, because making a million objects takes seconds.
    """

    messages: list[Message]
    kinds: list[Kind]
    routes: list[CompiledRoute | None]
    """None for a message that nobody is meant to write."""
    states: list[str]
    pending: PendingByGroup
    """The pending entries up to the last message that no page before had."""
    rows: dict[int, ClaimedRow]
    """The rows of those that are `written`, by their place in the page."""
    untraceable_because: dict[int, str]
    """Why some may have been written although no row of them is here, by their place in the page."""
    repeats: set[int]
    """Places of those that are written and not delivered, and whose row an earlier message of the same key has."""

    @classmethod
    def behind_the_last(cls, pending: PendingByGroup) -> "JudgedPage":
        """A page without messages: the pending entries behind the last message of the stream."""
        return cls([], [], [], [], pending, {}, {}, set())


class InRedis(NamedTuple):
    """What Redis says of a message to its own writer group."""

    is_delivered: bool
    """Whether the group was given it."""
    pending: PendingEntry | None

    def state(self, row: RowEvidence = RowEvidence.NOT_LOOKED_UP) -> str:
        """The state of a message whose row is there, or of which only Redis is asked."""
        return state_of(has_writer=True, is_delivered=self.is_delivered, pending=self.pending, row=row)


_SETTLED = InRedis(is_delivered=True, pending=None)
"""Its group was given it and holds it no longer, as is nearly every message of a stream."""
_STATE_OF_SETTLED = _SETTLED.state()
_STATE_OF_SETTLED_WITH_ROW = _SETTLED.state(RowEvidence.CLAIMED)


class CustodyJudge:
    """Judges the messages of a stream, which must be given in order and from its beginning.

    Which of several messages with the same key has the row is only known when all before it are known.
    """

    def __init__(
        self,
        redis: RedisSource,
        stream: StreamState,
        router: Router,
        rows: RowFinder | None,
        dead_letters: DeadLetterReader,
        beginnings: Mapping[str, TableBeginning] | None = None,
        shared: Mapping[str, SharedGroup] | None = None,
        deleted: DeletedRows | None = None,
        *,
        has_unknown_group: bool = False,
    ) -> None:
        """`rows` and `deleted` are None when the database cannot be read.

        `has_unknown_group`: whether a group reads the stream of which nobody knows what it writes.

        `beginnings` of the tables of which they are known.
        """
        index = dead_letters.index
        dropped = DroppedLetters(sum(index.dropped.values()), index.dropped_until_ms, index.may_hold_unseen)
        self.absence = Absence(beginnings or {}, dropped, deleted)
        self.rows = RowClaims(rows)
        """The rows that the messages judged so far have."""
        self.writers: dict[str, Group] = {}
        """The writer groups that exist, by name."""
        self.pending: dict[str, PendingEntriesReader] = {}
        """Their pending entries lists."""
        for route in router.routes:
            group = stream.group(route.group)
            if group is not None and route.group not in self.writers:
                self.writers[route.group] = group
                self.pending[route.group] = PendingEntriesReader(stream.queue, group)
        self.has_all_writers = all(route.group in self.writers for route in router.routes)
        self._redis = redis
        self._queue = stream.queue
        self._router = router
        self._route_cause = ""
        self._dead_letters = dead_letters
        self._shared = shared or {}
        self._has_unknown_group = has_unknown_group

    @property
    def rows_cause(self) -> str:
        """Why rows could not be read to the end, or those of a route not at all; empty when they could."""
        return self.rows.cause or self._route_cause

    def read_pending(self, until: EntryId) -> None:
        """Read the pending entries lists up to an ID, and then the dead letters. Raises SourceError."""
        if read_pending_entries(self._redis, list(self.pending.values()), until):
            self._dead_letters.catch_up()

    def take_pending(self, until: EntryId) -> PendingByGroup:
        """The pending entries up to an ID that were read and not taken before."""
        return {name: reader.take(until) for name, reader in self.pending.items()}

    def judge(self, page: list[RawEntry]) -> JudgedPage:
        """The states of the next page's messages. Raises SourceError when Redis cannot be read."""
        messages = messages_of(page)
        kinds = self._router.kinds(messages)
        routes = [kind.route for kind in kinds]
        until = messages[-1].id
        self.read_pending(until)
        pending = self.take_pending(until)
        states: list[str] = []
        unsettled: dict[int, InRedis] = {}
        undecided: dict[int, list[Lookup]] = {}
        wanted: list[Lookup] = []
        settled_groups = self._settled_groups(until, pending)
        for place, (message, route) in enumerate(zip(messages, routes, strict=True)):
            if route is None:
                states.append(self._state_of_unrouted(message))
                continue
            state = _STATE_OF_SETTLED
            if route.group not in settled_groups:
                unsettled[place] = self._in_redis(message, route.group, pending)
                state = unsettled[place].state()
            states.append(state)
            # Redis alone cannot say more of a message that nobody holds, or holds for too long.
            if state not in _TOLD_BY_ROWS:
                continue
            if route.rows_cause:
                self._route_cause = self._route_cause or route.rows_cause
            else:
                lookups = undecided[place] = route.lookups(message)
                wanted += lookups
        judged = JudgedPage(messages, kinds, routes, states, pending, rows={}, untraceable_because={}, repeats=set())
        found = self.rows.find(wanted)
        if found is not None:
            self._judge_by_rows(judged, undecided, found, unsettled)
        return judged

    def _settled_groups(self, until: EntryId, pending: PendingByGroup) -> set[str]:
        """The groups that were given all messages up to `until` and hold none of them: no message need be asked."""
        settled: set[str] = set()
        for name, group in self.writers.items():
            if until <= group.last_delivered and not pending[name]:
                settled.add(name)
        return settled

    def _in_redis(self, message: Message, name: str, pending: PendingByGroup) -> InRedis:
        group = self.writers.get(name)
        if group is None or message.id > group.last_delivered:
            return InRedis(is_delivered=False, pending=None)
        return InRedis(is_delivered=True, pending=pending[name].get(message.id))

    def _state_of_unrouted(self, message: Message) -> str:
        if self._has_unknown_group and is_of_unknown_platform(message):
            self.absence.counts[OF_UNKNOWN_GROUP] += 1
            return UNTRACEABLE
        return state_of(has_writer=False, is_delivered=False, pending=None)

    def _judge_by_rows(
        self,
        page: JudgedPage,
        undecided: dict[int, list[Lookup]],
        found: list[list[int]],
        unsettled: dict[int, InRedis],
    ) -> None:
        """Put states and rows of undecided messages into `page`.

        `undecided` holds the places of messages, and where their rows would be, and `found` the rows of all these in
        their order; `unsettled` what Redis says, where it says anything else than _SETTLED.
        """
        claim = self.rows.claim
        last_rows = self.absence.last_rows
        next_found = 0
        no_rows: list[list[int]] = []
        not_delivered: list[int] = []
        for place, lookups in undecided.items():
            first_found = next_found
            next_found += len(lookups)
            row = claim(lookups, found, first_found)
            rows = no_rows
            # Writers write in the order of the stream, so nearly every row is newer than that of the message before.
            if row is None or row[1] <= last_rows.get(row[0], row[1]):
                rows = found[first_found:next_found]
                if self.rows.are_of_another(page.messages[place], lookups, rows):
                    row = None
                    rows = no_rows
            if row is not None and place not in unsettled and not self.absence.misses_rows:
                state = _STATE_OF_SETTLED_WITH_ROW  # as nearly all: without another call
            else:
                evidence = _evidence(row, rows)
                state = self._state_by_rows(page, place, lookups, unsettled.get(place, _SETTLED), evidence)
            if row is not None and state == WRITTEN:
                page.rows[place] = row
                last_rows[row[0]] = row[1]
            elif state == WRITTEN_NOT_DELIVERED:
                not_delivered.append(place)
                if row is None:
                    page.repeats.add(place)
            page.states[place] = state
        if not_delivered:
            self._confirm_not_delivered(page, not_delivered)

    def _state_by_rows(
        self, page: JudgedPage, place: int, lookups: list[Lookup], in_redis: InRedis, evidence: RowEvidence
    ) -> str:
        if evidence is not RowEvidence.ABSENT:
            self.absence.has_row(lookups)
            return in_redis.state(evidence)
        message = page.messages[place]
        has_dead_letter = False
        if in_redis.is_delivered:
            has_dead_letter = self._dead_letters.index.names(message.raw_id, message.event_id)
        state = state_of(
            has_writer=True,
            is_delivered=in_redis.is_delivered,
            pending=in_redis.pending,
            row=RowEvidence.ABSENT,
            has_dead_letter=has_dead_letter,
            has_key=bool(lookups),
        )
        route = page.routes[place]
        if state == LOST and route:
            reason = self.why_untraceable(message, route.group, lookups)
            if reason:
                page.untraceable_because[place] = reason
                return UNTRACEABLE
        return state

    def _confirm_not_delivered(self, page: JudgedPage, not_delivered: list[int]) -> None:
        """Those that were delivered since the groups' positions were read count as waiting, as all such messages do."""
        positions = read_positions(self._redis, self._queue)
        for place in not_delivered:
            route = page.routes[place]
            if route and page.messages[place].id <= positions.get(route.group, BEGINNING):
                page.states[place] = WAITING

    def why_untraceable(self, message: Message, group: str, lookups: list[Lookup]) -> str:
        """Why a message that nobody holds may have been written although no row of it is here; empty when it cannot."""
        reason = self.absence.reason(message, lookups)
        if reason:
            return reason
        shared = self._shared.get(group)
        if shared is None or message.id[0] > shared.until_ms or message.malformed():
            return ""
        self.absence.counts[WRITTEN_ELSEWHERE] += 1
        return WRITTEN_ELSEWHERE


def _evidence(claimed: ClaimedRow | None, found: list[list[int]]) -> RowEvidence:
    if claimed is not None:
        return RowEvidence.CLAIMED
    if any(found):
        return RowEvidence.TAKEN
    return RowEvidence.ABSENT
