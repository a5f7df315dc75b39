"""Every message's state of custody, page by page, in the order of the stream.

The order of reading makes a false break impossible. First the groups' positions; what was delivered after that moment
still counts as waiting. Then, for each page, the pending entries lists: a message that was delivered by then and is not
pending has been acknowledged, and whoever acknowledged it had written its row (or its dead letter) before. Only then
the dead letters and the database, which can therefore not be too old: read before, they would lack what was written
and acknowledged in between.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.pending_entries import PendingEntriesReader, read_pending_entries
from blueplane_doctor.custody.routing import CompiledRoute, Router
from blueplane_doctor.custody.row_bitmap import RowBitmap
from blueplane_doctor.custody.states import STUCK, UNEXAMINED, PendingEntry, RowEvidence, state_of
from blueplane_doctor.errors import SourceError
from blueplane_doctor.sources.dead_letters import DeadLetterReader
from blueplane_doctor.sources.entries import RawEntry
from blueplane_doctor.sources.entry_ids import EntryId
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import Group, StreamState
from blueplane_doctor.sources.trace_tables import Lookup, RowFinder

NO_TABLES = "the database holds none of the tables that traces are written to"
"""Why no row can be looked up in a database that can be read."""

PendingByGroup = dict[str, dict[EntryId, PendingEntry]]


@dataclass(slots=True)
class JudgedMessage:
    """A message and its state. `route` is None when nobody is meant to write it."""

    message: Message
    route: CompiledRoute | None
    state: str
    lookups: list[Lookup] = field(default_factory=list)
    """Where its row would be; only of stuck and of acknowledged messages."""


class JudgedPage(NamedTuple):
    """The messages of a page, and the pending entries up to its last message that no page before had."""

    messages: list[JudgedMessage]
    pending: PendingByGroup


class CustodyJudge:
    """Judges the messages of a stream, which must be given in order and from its beginning.

    Which of several messages with the same key has the row can only be told by knowing all before it.
    """

    def __init__(
        self,
        redis: RedisSource,
        stream: StreamState,
        router: Router,
        rows: RowFinder | None,
        dead_letters: DeadLetterReader,
    ) -> None:
        """`rows` is None when the database cannot be read."""
        self.rows_cause = ""
        """Why rows could not be looked up to the end."""
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
        self._router = router
        self._rows = rows
        self._dead_letters = dead_letters
        self._claimed = RowBitmap()

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
        until = messages[-1].id
        self.read_pending(until)
        pending = self.take_pending(until)
        judged = []
        acknowledged = []
        for message in messages:
            one = self._judge_in_redis(message, pending)
            judged.append(one)
            # Redis alone cannot say more of a message that was acknowledged.
            if one.state == UNEXAMINED:
                acknowledged.append(one)
        self._judge_by_rows(acknowledged)
        return JudgedPage(judged, pending)

    def _judge_in_redis(self, message: Message, pending: PendingByGroup) -> JudgedMessage:
        route = self._router.route(message)
        if route is None:
            state = state_of(has_writer=False, is_delivered=False, pending=None)
            return JudgedMessage(message, None, state)
        group = self.writers.get(route.group)
        if group is None or message.id > group.last_delivered:
            state = state_of(has_writer=True, is_delivered=False, pending=None)
            return JudgedMessage(message, route, state)
        state = state_of(has_writer=True, is_delivered=True, pending=pending[route.group].get(message.id))
        judged = JudgedMessage(message, route, state)
        if state in (STUCK, UNEXAMINED):
            judged.lookups = route.lookups(message)
        return judged

    def _judge_by_rows(self, acknowledged: list[JudgedMessage]) -> None:
        sequences = self.find_rows(acknowledged)
        if sequences is None:
            return
        named = self._dead_letters.index
        for judged in acknowledged:
            message = judged.message
            row = self._claim(judged.lookups, sequences)
            judged.state = state_of(
                has_writer=True,
                is_delivered=True,
                pending=None,
                row=row,
                has_dead_letter=row is RowEvidence.ABSENT and named.names(message.raw_id, message.event_id),
                has_key=bool(judged.lookups),
            )

    def _claim(self, lookups: list[Lookup], sequences: dict[Lookup, list[int]]) -> RowEvidence:
        """Claim the first row of a message that no earlier message has claimed."""
        evidence = RowEvidence.ABSENT
        for lookup in lookups:
            for sequence in sequences.get(lookup, ()):
                if self._claimed.claim(lookup.table, sequence):
                    return RowEvidence.CLAIMED
                evidence = RowEvidence.TAKEN
        return evidence

    def find_rows(self, messages: list[JudgedMessage]) -> dict[Lookup, list[int]] | None:
        """The rows of messages by their keys; None once the database cannot be read: Redis alone tells the rest."""
        if self._rows is None:
            return None
        wanted: list[Lookup] = []
        for judged in messages:
            wanted += judged.lookups
        try:
            return self._rows.find(wanted)
        except SourceError as error:
            self._rows = None
            self.rows_cause = error.message
            return None
