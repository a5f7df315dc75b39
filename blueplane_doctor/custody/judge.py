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
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.pending_entries import PendingEntriesReader, read_pending_entries
from blueplane_doctor.custody.routing import CompiledRoute, Router, is_of_unknown_platform
from blueplane_doctor.custody.row_bitmap import RowBitmap
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
from blueplane_doctor.errors import SourceError
from blueplane_doctor.sources.dead_letters import DeadLetterReader
from blueplane_doctor.sources.entries import RawEntry
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import Group, StreamState, read_positions
from blueplane_doctor.sources.trace_tables import Lookup, RowFinder, TableBeginning

NO_TABLES = "the database holds none of the tables that traces are written to"
"""Why no row can be looked up in a database that can be read."""


class ClaimedRow(NamedTuple):
    """The row of a message."""

    table: str
    sequence: int


class JudgedPage(NamedTuple):
    """The messages of a page, with the route and the state of each at the same place.

    These are lists side by side, and no object for each message, because making a million objects takes seconds.
    """

    messages: list[Message]
    routes: list[CompiledRoute | None]
    """None for a message that nobody is meant to write."""
    states: list[str]
    pending: PendingByGroup
    """The pending entries up to the last message that no page before had."""
    rows: dict[int, ClaimedRow]
    """The rows of those that are `written`, by their place in the page."""


class Undecided(NamedTuple):
    """A message that is not pending, or is stuck: the database tells what became of it."""

    group: str

    place: int
    """In the page."""
    lookups: list[Lookup]
    """Where its row would be."""
    pending: PendingEntry | None
    is_delivered: bool


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
        *,
        has_unknown_group: bool = False,
    ) -> None:
        """`rows` is None when the database cannot be read.

        `has_unknown_group`: whether a group reads the stream of which nobody knows what it writes.

        `beginnings` of the tables of which they are known.
        """
        index = dead_letters.index
        dropped = DroppedLetters(sum(index.dropped.values()), index.dropped_until_ms)
        self.absence = Absence(beginnings or {}, dropped)
        self.rows_cause = ""
        """Why rows could not be read to the end."""
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
        self._rows = rows
        self._dead_letters = dead_letters
        self._claimed = RowBitmap()
        self._shared = shared or {}
        self._has_unknown_group = has_unknown_group

    @property
    def claimed_rows(self) -> int:
        """Rows that the messages judged so far have."""
        return self._claimed.claimed

    def read_pending(self, until: EntryId) -> None:
        """Read the pending entries lists up to an ID, and then the dead letters. Raises SourceError."""
        if read_pending_entries(self._redis, list(self.pending.values()), until):
            self._dead_letters.catch_up()

    def take_pending(self, until: EntryId) -> PendingByGroup:
        """The pending entries up to an ID that were read and not taken before."""
        return {name: reader.take(until) for name, reader in self.pending.items()}

    def judge(self, page: list[RawEntry]) -> JudgedPage:
        """The states of the next page's messages. Raises SourceError when Redis cannot be read."""
        messages = [Message(entry) for entry in page]
        routes = [self._router.route(message) for message in messages]
        until = messages[-1].id
        self.read_pending(until)
        pending = self.take_pending(until)
        states: list[str] = []
        undecided: list[Undecided] = []
        for place, message in enumerate(messages):
            route = routes[place]
            group = self.writers.get(route.group) if route else None
            is_delivered = group is not None and message.id <= group.last_delivered
            entry = pending[route.group].get(message.id) if route and is_delivered else None
            state = state_of(has_writer=route is not None, is_delivered=is_delivered, pending=entry)
            if route is None and self._has_unknown_group and is_of_unknown_platform(message):
                self.absence.counts[OF_UNKNOWN_GROUP] += 1
                state = UNTRACEABLE
            states.append(state)
            # Redis alone cannot say more of a message that nobody holds, or holds for too long.
            if route and route.rows_cause:
                self.rows_cause = self.rows_cause or route.rows_cause
            elif route and state in (UNEXAMINED, STUCK, WAITING):
                undecided.append(Undecided(route.group, place, route.lookups(message), entry, is_delivered))
        rows = self._judge_by_rows(messages, states, undecided)
        return JudgedPage(messages, routes, states, pending, rows)

    def _judge_by_rows(
        self, messages: list[Message], states: list[str], undecided: list[Undecided]
    ) -> dict[int, ClaimedRow]:
        """Put the states of undecided messages into `states`; they stay when the database cannot be read.

        Gives the rows of those that are written.
        """
        rows: dict[int, ClaimedRow] = {}
        sequences = self.find_rows([message.lookups for message in undecided])
        if sequences is None:
            return rows
        named = self._dead_letters.index
        not_delivered: list[Undecided] = []
        for one in undecided:
            _, place, lookups, pending, is_delivered = one
            row, claimed = self._claim(lookups, sequences)
            has_dead_letter = False
            if row is RowEvidence.ABSENT and is_delivered:
                message = messages[place]
                has_dead_letter = named.names(message.raw_id, message.event_id)
            state = state_of(
                has_writer=True,
                is_delivered=is_delivered,
                pending=pending,
                row=row,
                has_dead_letter=has_dead_letter,
                has_key=bool(lookups),
            )
            if row is not RowEvidence.ABSENT:
                self.absence.has_row(lookups)
            elif state == LOST and self.why_untraceable(messages[place], one.group, lookups):
                state = UNTRACEABLE
            if state == WRITTEN_NOT_DELIVERED:
                not_delivered.append(one)
            elif state == WRITTEN and claimed is not None:
                rows[place] = claimed
            states[place] = state
        if not_delivered:
            self._confirm_not_delivered(messages, states, not_delivered)
        return rows

    def _confirm_not_delivered(
        self, messages: list[Message], states: list[str], not_delivered: list[Undecided]
    ) -> None:
        """Those that were delivered since the groups' positions were read count as waiting, as all such messages do."""
        positions = read_positions(self._redis, self._queue)
        for one in not_delivered:
            position = positions.get(one.group, BEGINNING)
            if messages[one.place].id <= position:
                states[one.place] = WAITING

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

    def _claim(
        self, lookups: list[Lookup], sequences: dict[Lookup, list[int]]
    ) -> tuple[RowEvidence, ClaimedRow | None]:
        """Claim the first row of a message that no earlier message has claimed; None where there is no such row."""
        evidence = RowEvidence.ABSENT
        for lookup in lookups:
            for sequence in sequences.get(lookup, ()):
                if self._claimed.claim(lookup.table, sequence):
                    return RowEvidence.CLAIMED, ClaimedRow(lookup.table, sequence)
                evidence = RowEvidence.TAKEN
        return evidence, None

    def find_rows(self, lookups: list[list[Lookup]]) -> dict[Lookup, list[int]] | None:
        """The rows of several messages by their keys; None once the database cannot be read."""
        if self._rows is None:
            return None
        wanted: list[Lookup] = []
        for of_one in lookups:
            wanted += of_one
        try:
            return self._rows.find(wanted)
        except SourceError as error:
            # Redis alone still tells the states of all messages that are not acknowledged.
            self._rows = None
            self.rows_cause = error.message
            return None
