"""One message followed through the whole pipeline, by whichever of its IDs is given."""

from blueplane_doctor.custody.absence import OF_UNKNOWN_GROUP
from blueplane_doctor.custody.judge import NO_TABLES
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import Router, is_of_unknown_platform
from blueplane_doctor.custody.states import LOST, WRITTEN_NOT_DELIVERED, PendingEntry, RowEvidence
from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.advice import advice_on, message_of
from blueplane_doctor.lookup.beginnings import lines_of, session_of, states_at_source, uuid_of
from blueplane_doctor.lookup.copies import find_copies
from blueplane_doctor.lookup.dead_letters import letter_of_id
from blueplane_doctor.lookup.hops import (
    Hop,
    dead_letter_hop,
    delivered_hop,
    enqueued_hop,
    hook_hop,
    not_pending_hop,
    row_hop,
    transcript_hop,
)
from blueplane_doctor.lookup.queue_pages import is_time_short, judged_pages
from blueplane_doctor.lookup.rows import lookups_of, read_rows
from blueplane_doctor.lookup.search import Search
from blueplane_doctor.lookup.stream_search import search_stream
from blueplane_doctor.lookup.undelivered import undelivered
from blueplane_doctor.privacy.public_text import identifier
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId, id_text, is_entry_id
from blueplane_doctor.sources.streams import read_positions


class Trace(Record):
    """What is known of one message."""

    id: str
    """As it was asked for; one that has no known form by its fingerprint."""
    state: str
    """A state of custody, or `payload_gone`. Of a line that only its transcript holds one of transcript-completeness;
    `spooled`, `buffered` or `not_understood` where it is kept before the stream; else `not_found`."""
    hops: list[Hop]
    advice: str
    partial: bool = False
    """Whether the time was up before everything was searched."""


class Tracer:
    """Follows messages; sources are read once for all, as far as possible."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._database_cause = ""
        """Why rows cannot be read."""

    def trace(self, wanted: list[str]) -> list[Trace]:
        """A Trace for each ID, in their order. Raises SourceError when Redis cannot be read.

        The order of reading is that of the ledger: pending entries lists first, then dead letters and rows. So what a
        writer finishes in between is not taken for lost.
        """
        by_id = {text: self._search_for(text) for text in wanted}  # the same ID may be asked for twice
        searches = list(by_id.values())
        self._find_messages(searches)
        router = Router(self._examination.routes(), self._tables(), self._examination.columns())
        self._find_beginnings(searches)
        for search in searches:
            if search.message:
                search.route = router.route(search.message)
                search.hops.append(enqueued_hop(search.message, search.route, search.stream.queue))
        for search in searches:
            self._find_deliveries(search)
        self._find_dead_letters(searches)
        for search in searches:
            self._find_rows(search)
        # Only now is it known what the pipeline has nothing of.
        self._find_before_stream(searches)
        # Behind the rows: a message may have been delivered and written while the rest was read.
        self._find_late_deliveries(searches)
        self._find_absences(searches)
        self._judge_earlier_messages(searches)
        find_copies(self._examination, searches, router)
        return [self._result(text, by_id[text]) for text in wanted]

    def _search_for(self, text: str) -> Search:
        """A search for the message of that ID, or for the message of the dead letter of that ID."""
        stream = self._examination.stream()
        if not is_entry_id(text):
            return Search(text, stream)
        letter = letter_of_id(self._examination, text)
        if letter is None:
            return Search(text, stream)
        # Each stream counts its own IDs, so that a message may have the same one. Then the message is meant.
        is_message = self._examination.redis.ask_one("XRANGE", stream.queue, text, text)
        if is_message:
            return Search(text, stream, letter)
        return Search(message_of(letter) or text, stream, letter)

    def _tables(self) -> tuple[str, ...] | None:
        try:
            tables = self._examination.trace_tables()
        except SourceError as error:
            self._database_cause = error.message
            return None
        if not tables:
            self._database_cause = NO_TABLES
            return None
        return tables

    def _find_messages(self, searches: list[Search]) -> None:
        """By stream ID directly, else by reading the stream."""
        missing = {}
        for search in searches:
            wanted = search.wanted
            if search.stream_id():
                page = self._examination.redis.ask_one("XRANGE", search.stream.queue, wanted, wanted, "COUNT", 1)
                if page:
                    search.message = Message(page[0])
            else:
                missing[wanted.encode()] = search
        if missing:
            search_stream(self._examination, missing)

    def _find_beginnings(self, searches: list[Search]) -> None:
        """The hook or the line of a transcript that each message began with."""
        uuids = {}
        sessions = {}
        for search in searches:
            uuid = ""
            if search.message or not search.stream_id():
                uuid = uuid_of(search.wanted, search.message)
            if uuid:
                uuids[search.wanted] = uuid
                sessions[uuid] = session_of(search.message)
        lines = lines_of(self._examination, sessions)
        for search in searches:
            search.line = lines.get(uuids.get(search.wanted, ""))
            if search.line:
                search.hops.append(transcript_hop(search.line))
            hook = hook_hop(search.message) if search.message else None
            if hook is not None:
                search.hops.append(hook)

    def _find_before_stream(self, searches: list[Search]) -> None:
        """What is kept before the stream, and the lines that only their transcripts hold."""
        absent = [search for search in searches if not search.is_in_pipeline()]
        events = undelivered(self._examination, {search.wanted for search in absent})
        lines = {}
        for search in absent:
            if search.wanted in events:
                search.state_at_source, hop = events[search.wanted]
                search.hops.append(hop)
            elif search.line:
                lines[search.line] = search
        for line, state in states_at_source(self._examination, lines).items():
            lines[line].state_at_source = state

    def _find_deliveries(self, search: Search) -> None:
        identity = search.stream_id()
        if identity is None:
            return
        for name in self._examination.writer_groups():
            self._find_delivery(search, name, identity)

    def _find_delivery(self, search: Search, name: str, identity: EntryId) -> None:
        group = search.stream.group(name)
        if group is None or (search.message is None and identity > search.stream.last_generated):
            return
        is_owner = search.route is not None and search.route.group == name
        text = id_text(identity)
        rows = self._examination.redis.ask_one("XPENDING", search.stream.queue, name, text, text, 1)
        if rows:
            search.is_pending = True
            if is_owner:
                search.pending = PendingEntry.of(*rows[0])
            search.hops.append(delivered_hop(name, rows[0], self._examination.server_info().now_ms))
        elif search.message and identity <= group.last_delivered:
            search.hops.append(not_pending_hop(name, writes_it=is_owner))

    def _find_dead_letters(self, searches: list[Search]) -> None:
        names = [(search, search.names()) for search in searches]
        for entry in self._examination.each_dead_letter(unreadable=SourceError):
            named = {entry.message_id, entry.event_id}
            for search, its_names in names:
                if its_names & named:
                    search.dead_letters.append(dead_letter_hop(entry))

    def _find_rows(self, search: Search) -> None:
        if self._database_cause or (search.route and search.route.rows_cause):
            return
        seen: set[tuple[str, int]] = set()
        for lookup in lookups_of(search, self._examination.trace_tables()):
            try:
                rows = read_rows(self._examination.database, lookup)
            except SourceError as error:
                self._database_cause = error.message
                return
            for sequence, ingested_at in rows:
                if (lookup.table, sequence) not in seen:
                    seen.add((lookup.table, sequence))
                    search.hops.append(row_hop(lookup.table, sequence, ingested_at))
        search.row = RowEvidence.CLAIMED if seen else RowEvidence.ABSENT

    def _find_late_deliveries(self, searches: list[Search]) -> None:
        """Which messages that have their row were delivered only after the groups' positions were read.

        The others are written although their group stands before them.
        """
        written = []
        for search in searches:
            if search.state_in_stream() == WRITTEN_NOT_DELIVERED:
                written.append(search)
        if not written:
            return
        positions = read_positions(self._examination.redis, self._examination.stream().queue)
        for search in written:
            if search.message and search.route:
                # A group that is gone meanwhile was given nothing.
                position = positions.get(search.route.group, BEGINNING)
                search.delivered_meanwhile = search.message.id <= position

    def _find_absences(self, searches: list[Search]) -> None:
        """Of which lost messages the row, or the dead letter, may be what is gone."""
        lost = []
        for search in searches:
            if search.message is None:
                continue
            if search.route is None:
                if is_of_unknown_platform(search.message) and self._examination.has_unknown_group():
                    search.absence = OF_UNKNOWN_GROUP
            elif search.state_in_stream() == LOST:
                lost.append((search, search.message, search.route))
        if not lost:
            return
        judge = self._examination.new_judge()
        for search, message, route in lost:
            search.absence = judge.why_untraceable(message, route.group, route.lookups(message))

    def _judge_earlier_messages(self, searches: list[Search]) -> None:
        """Which messages have a row that an earlier message claims, and which have none that was pruned or deleted.

        Only all earlier messages together can tell, so they are judged as the ledger judges them, up to the last one
        that was asked for. Nothing is read when no message is in question.
        """
        undecided: dict[EntryId, list[Search]] = {}
        for search in searches:
            if search.message and search.depends_on_earlier_messages():
                undecided.setdefault(search.message.id, []).append(search)
        if not undecided:
            return
        for page in judged_pages(self._examination, until=max(undecided)):
            for message, state in page:
                for search in undecided.pop(message.id, ()):
                    search.take(state)
            if is_time_short(self._examination):
                break
        for same_message in undecided.values():
            for search in same_message:
                search.partial = True

    def _result(self, asked: str, search: Search) -> Trace:
        state = search.state()
        return Trace(
            id=identifier(asked),
            state=state,
            hops=search.hops + search.dead_letters,
            advice=advice_on(search, state, self._examination, self._database_cause),
            partial=search.partial,
        )
