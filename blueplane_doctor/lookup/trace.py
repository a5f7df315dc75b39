"""One message followed through the whole pipeline, by whichever of its IDs is given."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from blueplane_doctor.custody.absence import (
    LETTER_DROPPED,
    LETTERS_UNREADABLE,
    OF_UNKNOWN_GROUP,
    ROWS_DELETED,
    TABLES_BEGIN_LATER,
)
from blueplane_doctor.custody.judge import NO_TABLES
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import CompiledRoute, Router, is_of_unknown_platform
from blueplane_doctor.custody.shared_groups import WRITTEN_ELSEWHERE
from blueplane_doctor.custody.states import (
    DEAD_LETTERED,
    DUPLICATE,
    IN_FLIGHT,
    LOST,
    PAYLOAD_GONE,
    SKIPPED,
    STUCK,
    UNEXAMINED,
    UNTRACEABLE,
    WAITING,
    WRITTEN,
    WRITTEN_NOT_ACKNOWLEDGED,
    WRITTEN_NOT_DELIVERED,
    PendingEntry,
    RowEvidence,
    state_of,
)
from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.known_names import ROUTES, TABLES
from blueplane_doctor.lookup.beginnings import (
    SOURCE_ADVICE,
    Hop,
    hook_hop,
    lines_of,
    session_of,
    states_at_source,
    transcript_hop,
    uuid_of,
)
from blueplane_doctor.lookup.dead_letters import letter_of_id
from blueplane_doctor.lookup.near_matches import NOWHERE, NearMatches, is_beginning, why_not_found
from blueplane_doctor.lookup.undelivered import UNDELIVERED_ADVICE, undelivered
from blueplane_doctor.model import Record
from blueplane_doctor.sources.dead_letters import DeadLetterEntry
from blueplane_doctor.sources.entries import RawEntry, pages
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId, entry_id, id_text, is_entry_id
from blueplane_doctor.sources.streams import StreamState, read_positions
from blueplane_doctor.sources.trace_tables import Lookup, sequence_of
from blueplane_doctor.sources.transcripts import FoundLine
from blueplane_doctor.text import consumer as shown_consumer
from blueplane_doctor.text import group as shown_group
from blueplane_doctor.text import identifier, known_or_hidden, platform
from blueplane_doctor.text import stream as shown_stream
from blueplane_doctor.times import from_milliseconds, iso, parse_time, span

NOT_FOUND = "not_found"
"""Neither in the stream nor anywhere else."""
_ID_COLUMNS = {
    "cursor_raw_traces": ("event_id",),
    "claude_raw_traces": ("uuid", "event_id"),
    "raw_traces": ("event_id",),
}
"""Which columns are searched for an ID when its message has left the stream."""
_SHOWN_ROWS = 10
_RESERVE_SECONDS = 1.0
"""Left of the run's time, when reading the stream ends, for what follows."""

ADVICE = {
    WRITTEN: "Nothing to do.",
    DUPLICATE: "Nothing to do: it has the key of an earlier message, and the row is that message's.",
    WAITING: "Its writer was not given it yet. If it stays so, see consumer-lag and server-alive.",
    IN_FLIGHT: "Its writer has it. Ask again in a minute.",
    STUCK: "Its writer has it and does not finish. See stuck-consumers: one message may hold up the whole batch.",
    SKIPPED: "Nothing to do: no writer is meant to write messages of this kind.",
    DEAD_LETTERED: "The writer gave it up; see what is known with: blueplane-doctor dlq show",
    WRITTEN_NOT_ACKNOWLEDGED: "Its row is there; what is missing is the acknowledgement. Delivered again it makes its "
    "whole batch fail: acknowledge it, see written-not-acknowledged.",
    WRITTEN_NOT_DELIVERED: "Its row is there, and its writer group stands before it: the group was moved back, made "
    "anew or is gone, or the same event was enqueued once more. Delivered now, it makes its whole batch fail: see "
    "written-not-delivered.",
    LOST: "Neither pending nor written, and no dead letter names it: nobody has it. It can be delivered again while "
    "the stream holds it: save it before it is trimmed.",
    UNTRACEABLE: "Its writer does not hold it, and it carries nothing by which its row could be found.",
    UNEXAMINED: "The database could not be read; make it readable and ask again.",
    PAYLOAD_GONE: "A writer still holds its ID, but the message itself was trimmed. Its content is gone.",
    **SOURCE_ADVICE,
    **UNDELIVERED_ADVICE,
    NOT_FOUND: NOWHERE,
}
"""What to do, for each state of custody and for messages that are not in the stream."""
WHY_UNTRACEABLE = {
    TABLES_BEGIN_LATER: "Its writer does not hold it, and it has no row now; but its table begins later than this "
    "message, so that its row may have been there. Whether it was written is not known.",
    OF_UNKNOWN_GROUP: "No writer that this doctor knows is meant to write it, and a group reads the stream that it "
    "does not know: whether that one wrote it cannot be judged. See unknown-groups.",
    LETTER_DROPPED: "Its writer does not hold it, and it has neither a row nor a dead letter now; but dead letters of "
    "that time were dropped from their stream, and its own may be one of them. What became of it is not known.",
    ROWS_DELETED: "Its writer does not hold it, and it has no row now; but where its row would be, a row was deleted "
    "from the table. Whether it was written is not known.",
    LETTERS_UNREADABLE: "Its writer does not hold it, and it has no row; but this user may not read all streams of "
    "dead letters, and one of them may hold its letter: see dead-letters.",
    WRITTEN_ELSEWHERE: "Its writer does not hold it, and it has no row in this database; but a second server reads for "
    "the same group, and may have written it to another database: see second-server.",
}
"""What is said of a message that may have been handled although nothing shows it, by the reason; see absence.py."""
_TOLD_BY_EARLIER_MESSAGES = ("", ROWS_DELETED, TABLES_BEGIN_LATER)
"""Reasons that hold only if the rows of the messages before it do not contradict them."""
_SEARCH_CUT_SHORT = "The time was up before the whole stream was searched; give more with --timeout."
_DUPLICATES_CUT_SHORT = (
    "Its row is there. The time was up before it was known whether an earlier message has the same key; "
    "give more with --timeout."
)
_ROW_SEEN_BEFORE = "An earlier run saw its row; it is not there now, so that it was deleted since."
_ROWS_CUT_SHORT = (
    "The time was up before it was known whether an earlier message has its row; give more with --timeout."
)


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


@dataclass
class _Search:
    """What is known of one message so far."""

    wanted: str
    """The ID that is looked for."""
    letter: DeadLetterEntry | None = None
    """The dead letter whose own ID was asked for; then `wanted` is its message, but for a message of the same ID."""
    message: Message | None = None
    """None when it is not in the stream."""
    route: CompiledRoute | None = None
    hops: list[Hop] = field(default_factory=list)
    dead_letters: list[Hop] = field(default_factory=list)
    line: FoundLine | None = None
    """The line of a transcript that has its ID."""
    state_at_source: str = ""
    """What it is where the pipeline has nothing of it; empty where nothing before the stream has it either."""
    is_pending: bool = False
    """Whether it is in the pending entries list of any writer group."""
    pending: PendingEntry | None = None
    """Its entry in the list of the group that has to write it."""
    row: RowEvidence = RowEvidence.NOT_LOOKED_UP
    absence: str = ""
    """Why it may have been handled although neither row nor dead letter is there; see absence.py."""
    delivered_meanwhile: bool = False
    """Whether its group was given it after the stream's state was read."""
    near: NearMatches = field(default_factory=NearMatches)
    """Messages that may be meant where none has this ID."""
    partial: bool = False

    def add(self, stage: str, text: str, at: datetime | None = None, **detail: str | int | None) -> None:
        self.hops.append(Hop(stage=stage, at=iso(at), text=text, detail=detail))

    def stream_id(self) -> EntryId | None:
        if self.message:
            return self.message.id
        if is_entry_id(self.wanted):
            return entry_id(self.wanted.encode())
        return None

    def names(self) -> set[bytes | None]:
        """The IDs by which a dead letter may name it."""
        names: set[bytes | None] = {self.wanted.encode()}
        if self.message:
            names |= {self.message.raw_id, self.message.event_id}
        return names - {None, b""}

    def take(self, state: str) -> None:
        """Take what judging all earlier messages too has shown."""
        if state == DUPLICATE:
            self.row = RowEvidence.TAKEN
        elif state == LOST:
            self.absence = ""
        elif state == UNTRACEABLE and not self.absence:
            # Of all reasons only this one depends on the messages before it.
            self.absence = ROWS_DELETED

    def is_in_pipeline(self) -> bool:
        """Whether the stream, a writer, a row or a dead letter has it."""
        has_row = self.row is RowEvidence.CLAIMED
        return has_row or self.message is not None or bool(self.dead_letters) or self.is_pending

    def is_delivered(self, stream: StreamState) -> bool:
        """Whether the group that has to write it was given it, as far as that is known."""
        if self.message is None or self.route is None:
            return False
        if self.delivered_meanwhile:
            return True
        group = stream.group(self.route.group)
        return group is not None and self.message.id <= group.last_delivered


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
        stream = self._examination.stream()
        by_id = {text: self._search_for(text, stream) for text in wanted}
        searches = list(by_id.values())
        self._find_messages(searches, stream)
        router = Router(self._examination.routes(), self._tables(), self._examination.columns())
        self._find_beginnings(searches)
        for search in searches:
            if search.message:
                search.route = router.route(search.message)
                _add_enqueued(search, search.message, stream)
        for search in searches:
            self._find_deliveries(search, stream)
        self._find_dead_letters(searches)
        for search in searches:
            self._find_rows(search)
        self._find_before_stream(searches)
        self._find_late_deliveries(searches, stream)
        self._find_absences(searches, stream)
        self._judge_earlier_messages(searches, stream)
        return [self._result(text, by_id[text], stream) for text in wanted]

    def _search_for(self, text: str, stream: StreamState) -> _Search:
        """A search for the message of that ID, or for the message of the dead letter of that ID."""
        if not is_entry_id(text):
            return _Search(text)
        letter = letter_of_id(self._examination, text)
        if letter is None:
            return _Search(text)
        # Each stream counts its own IDs, so that a message may have the same one. Then the message is meant.
        is_message = self._examination.redis.ask_one("XRANGE", stream.queue, text, text)
        if is_message:
            return _Search(text, letter=letter)
        return _Search(_message_of(letter) or text, letter=letter)

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

    def _find_messages(self, searches: list[_Search], stream: StreamState) -> None:
        """By stream ID directly; by event_id or uuid only by reading the stream, which has no index for them."""
        missing = {}
        for search in searches:
            if search.stream_id():
                page = self._examination.redis.ask_one("XRANGE", stream.queue, search.wanted, search.wanted, "COUNT", 1)
                search.message = Message(page[0]) if page else None
            else:
                missing[search.wanted.encode()] = search
        if missing:
            self._search_stream(missing, stream)

    def _find_beginnings(self, searches: list[_Search]) -> None:
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
            found = lines.get(uuids.get(search.wanted, ""))
            if found is not None:
                search.hops.append(transcript_hop(found))
                search.line = found
            hook = hook_hop(search.message) if search.message else None
            if hook is not None:
                search.hops.append(hook)

    def _search_stream(self, missing: dict[bytes, _Search], stream: StreamState) -> None:
        size = self._examination.server_info().dataset_bytes
        last = stream.last_generated
        for page in pages(self._examination.redis, stream.queue, last, length=stream.length, dataset_bytes=size):
            for entry in page:
                _recognise(entry, missing)
            if not missing:
                return
            if self._examination.deadline.remaining < _RESERVE_SECONDS:
                for search in missing.values():
                    search.partial = True
                return

    def _find_before_stream(self, searches: list[_Search]) -> None:
        """What is kept before the stream, and the lines that only their transcripts hold."""
        absent = [search for search in searches if not search.is_in_pipeline()]
        events = undelivered(self._examination, {search.wanted for search in absent})
        for search in absent:
            if search.wanted in events:
                search.state_at_source, hop = events[search.wanted]
                search.hops.append(hop)
        lines = {search.line: search for search in absent if search.line and not search.state_at_source}
        for found, state in states_at_source(self._examination, lines).items():
            lines[found].state_at_source = state

    def _find_deliveries(self, search: _Search, stream: StreamState) -> None:
        identity = search.stream_id()
        if identity is None:
            return
        for name in self._examination.writer_groups():
            self._find_delivery(search, stream, name, identity)

    def _find_delivery(self, search: _Search, stream: StreamState, name: str, identity: EntryId) -> None:
        group = stream.group(name)
        if group is None or (search.message is None and identity > stream.last_generated):
            return
        is_owner = search.route is not None and search.route.group == name
        text = id_text(identity)
        rows = self._examination.redis.ask_one("XPENDING", stream.queue, name, text, text, 1)
        if rows:
            search.is_pending = True
            if is_owner:
                search.pending = PendingEntry.of(*rows[0])
            self._add_delivered(search, name, rows[0])
        elif search.message and identity <= group.last_delivered:
            # Redis records no acknowledgement: a consumer that was deleted leaves the same picture.
            what = f"no longer pending with {shown_group(name)}"
            if not is_owner:
                what += ", which does not write it"
            search.add("not_pending", what, group=shown_group(name))

    def _add_delivered(self, search: _Search, group: str, row: tuple[bytes, bytes, int, int]) -> None:
        _, consumer, idle_ms, deliveries = row
        shown = shown_group(group)
        since_ms = max(0, idle_ms)
        times = "once" if deliveries == 1 else f"{deliveries:,} times"
        search.add(
            "delivered",
            f"to {shown_consumer(consumer)} of {shown}, {times}, last {span(since_ms)} ago; not acknowledged",
            from_milliseconds(self._examination.server_info().now_ms - since_ms),
            group=shown,
            deliveries=deliveries,
            idle_ms=idle_ms,
        )

    def _find_dead_letters(self, searches: list[_Search]) -> None:
        names = [(search, search.names()) for search in searches]
        for entry in self._examination.each_dead_letter(unreadable=SourceError):
            named = {entry.message_id, entry.event_id}
            for search, its_names in names:
                if its_names & named:
                    identity = id_text(entry.id)
                    hop = Hop(
                        stage="dead_letter",
                        at=iso(from_milliseconds(entry.queued_ms)),
                        text=f"{identity} in {shown_stream(entry.stream)}",
                        detail={"stream": shown_stream(entry.stream), "dead_letter_id": identity, "shape": entry.shape},
                    )
                    search.dead_letters.append(hop)

    def _find_rows(self, search: _Search) -> None:
        if self._database_cause or (search.route and search.route.rows_cause):
            return
        seen: set[tuple[str, int]] = set()
        for lookup in self._lookups(search):
            try:
                rows = self._read_rows(lookup)
            except SourceError as error:
                self._database_cause = error.message
                return
            for sequence, ingested_at in rows:
                if (lookup.table, sequence) not in seen:
                    seen.add((lookup.table, sequence))
                    _add_row(search, lookup.table, sequence, ingested_at)
        search.row = RowEvidence.CLAIMED if seen else RowEvidence.ABSENT

    def _lookups(self, search: _Search) -> list[Lookup]:
        if search.message:
            return search.route.lookups(search.message) if search.route else []
        if search.stream_id():
            return []  # no table holds stream IDs
        lookups = []
        for table in self._examination.trace_tables():
            for column in _ID_COLUMNS.get(table, ()):
                lookups.append(Lookup(table, (column,), (search.wanted,)))
        return lookups

    def _read_rows(self, lookup: Lookup) -> list[tuple[int, str]]:
        match = " AND ".join(f'"{column}" = ?' for column in lookup.columns)
        sql = f'SELECT sequence, ingested_at FROM "{lookup.table}" WHERE {match} ORDER BY sequence LIMIT {_SHOWN_ROWS}'
        rows = self._examination.database.rows(sql, lookup.values)
        return [(sequence_of(sequence, lookup.table), _time_in(ingested_at)) for sequence, ingested_at in rows]

    def _find_late_deliveries(self, searches: list[_Search], stream: StreamState) -> None:
        """Which messages that have their row were delivered only after the groups' positions were read.

        The others are written although their group stands before them.
        """
        written = [one for one in searches if _state_in_stream(one, stream) == WRITTEN_NOT_DELIVERED]
        if not written:
            return
        positions = read_positions(self._examination.redis, stream.queue)
        for search in written:
            if search.message and search.route:
                position = positions.get(search.route.group, BEGINNING)
                search.delivered_meanwhile = search.message.id <= position

    def _find_absences(self, searches: list[_Search], stream: StreamState) -> None:
        """Of which lost messages the row, or the dead letter, may be what is gone."""
        unrouted = [search for search in searches if search.message and search.route is None]
        if unrouted and self._examination.has_unknown_group():
            for search in unrouted:
                if search.message and is_of_unknown_platform(search.message):
                    search.absence = OF_UNKNOWN_GROUP
        lost = [search for search in searches if search.message and _state_in_stream(search, stream) == LOST]
        if not lost:
            return
        judge = self._examination.new_judge()
        for search in lost:
            if search.message and search.route:
                lookups = search.route.lookups(search.message)
                search.absence = judge.why_untraceable(search.message, search.route.group, lookups)

    def _judge_earlier_messages(self, searches: list[_Search], stream: StreamState) -> None:
        """Which messages have a row that an earlier message claims, and which have none that was pruned or deleted.

        Only all earlier messages together can tell, so they are judged as the ledger judges them, up to the last one
        that was asked for. Nothing is read when no message is in question.
        """
        undecided: dict[EntryId, list[_Search]] = {}
        for search in searches:
            if search.message and _depends_on_earlier_messages(search, stream):
                undecided.setdefault(search.message.id, []).append(search)
        if not undecided:
            return
        judge = self._examination.new_judge()
        size = self._examination.server_info().dataset_bytes
        until = max(undecided)
        for page in pages(self._examination.redis, stream.queue, until, length=stream.length, dataset_bytes=size):
            judged = judge.judge(page)
            for message, state in zip(judged.messages, judged.states, strict=True):
                for search in undecided.pop(message.id, ()):
                    search.take(state)
            if self._examination.deadline.remaining < _RESERVE_SECONDS:
                break
        for same_message in undecided.values():
            for search in same_message:
                search.partial = True

    def _result(self, asked: str, search: _Search, stream: StreamState) -> Trace:
        state = _state(search, stream)
        advice = self._advice(search, state, stream)
        hops = search.hops + search.dead_letters
        return Trace(id=identifier(asked), state=state, hops=hops, advice=advice, partial=search.partial)

    def _advice(self, search: _Search, state: str, stream: StreamState) -> str:
        advice = ADVICE[state]
        if state == LOST and search.message:
            malformed = search.message.malformed()
            if malformed:
                advice = f"The writer could not read it: {malformed}. {advice}"
        elif state == UNTRACEABLE and search.absence:
            advice = WHY_UNTRACEABLE[search.absence]
            if search.partial:
                advice += f" {_ROWS_CUT_SHORT}"
        elif state == STUCK and search.message and search.route:
            advice += self._what_holds_up(search.message, search.route)
        elif state == DEAD_LETTERED and search.dead_letters:
            advice += f" {search.dead_letters[0].detail['dead_letter_id']}"
        elif state == WRITTEN and search.message and search.partial:
            advice = _DUPLICATES_CUT_SHORT
        elif state == WRITTEN and not search.is_in_pipeline():
            advice = _ROW_SEEN_BEFORE
        elif state == NOT_FOUND:
            advice = why_not_found(search.stream_id(), search.near, stream)
            if search.partial:
                advice = _SEARCH_CUT_SHORT
        if search.letter:
            advice = f"{_whose_letter(search.letter)} {advice}"
        if search.route and search.route.rows_cause:
            advice += f" ({search.route.rows_cause})"
        if self._database_cause:
            advice += f" ({self._database_cause})"
        return advice

    def _what_holds_up(self, message: Message, route: CompiledRoute) -> str:
        """Which message cannot be written and fails the batch, as far as that is found."""
        try:
            blockers = self._examination.ledger().blockers
        except SourceError:
            return ""
        own = id_text(message.id)
        others = []
        for blocker in blockers:
            if blocker.id == own:
                return f" It cannot be written itself: {blocker.reason}."
            if blocker.group == route.group:
                others.append(blocker)
        if not others:
            return " No message that holds it up was found: see the server's log of that time."
        return f" {others[0].id} holds it up: {others[0].reason}."


def _message_of(letter: DeadLetterEntry) -> str:
    """The message that a dead letter names, which may be private; empty where it names none."""
    target = letter.message_id or letter.event_id or b""
    return target.decode("utf-8", "replace")


def _whose_letter(letter: DeadLetterEntry) -> str:
    """Whose dead letter it is that was asked for."""
    identity = id_text(letter.id)
    message = _message_of(letter)
    if message:
        return f"{identity} is a dead letter in {shown_stream(letter.stream)}; its message is {identifier(message)}."
    return f"{identity} is a dead letter in {shown_stream(letter.stream)}, and it names no message."


def _depends_on_earlier_messages(search: _Search, stream: StreamState) -> bool:
    """Whether only judging all earlier messages tells the state of a message in the stream."""
    state = _state_in_stream(search, stream)
    if state == LOST:
        is_malformed = bool(search.message and search.message.malformed())  # there never was a row of it
        return search.absence in _TOLD_BY_EARLIER_MESSAGES and not is_malformed
    return state == WRITTEN or search.absence == TABLES_BEGIN_LATER


def _state(search: _Search, stream: StreamState) -> str:
    if search.message:
        state = _state_in_stream(search, stream)
        if search.absence and (state == LOST or search.absence == OF_UNKNOWN_GROUP):
            return UNTRACEABLE
        return state
    if search.row is RowEvidence.CLAIMED:
        return WRITTEN
    if search.dead_letters:
        return DEAD_LETTERED
    if search.is_pending:
        return PAYLOAD_GONE
    return search.state_at_source or NOT_FOUND


def _state_in_stream(search: _Search, stream: StreamState) -> str:
    has_key = search.message is not None and search.route is not None and bool(search.route.lookups(search.message))
    return state_of(
        has_writer=search.route is not None,
        is_delivered=search.is_delivered(stream),
        pending=search.pending,
        row=search.row,
        has_dead_letter=bool(search.dead_letters),
        has_key=has_key,
    )


def _recognise(entry: RawEntry, missing: dict[bytes, _Search]) -> None:
    """Take the message when its event_id, or the uuid inside its payload, is one of those searched for."""
    values = entry[1][1::2]
    for wanted, search in list(missing.items()):
        if is_beginning(wanted, entry[0]):
            search.near.note_beginning(Message(entry))
        # Looking for the bytes is cheap, and rules out all but a few: only of those is the JSON parsed.
        elif any(wanted in value for value in values):
            message = Message(entry)
            if _is_meant(message, wanted, search):
                search.message = message
                del missing[wanted]


def _is_meant(message: Message, wanted: bytes, search: _Search) -> bool:
    """Whether the message has this ID; what has something of it is noted."""
    if wanted == message.event_id:
        return True
    # Of a session all messages may be read: their JSON is not needed.
    if wanted in (message.fields.get(b"session_id"), message.fields.get(b"external_session_id")):
        search.near.note_session(message)
        return False
    uuid = message.value("payload.entry_data.uuid")
    if uuid and wanted == uuid.encode():
        return True
    if is_beginning(wanted, message.event_id) or (uuid and is_beginning(wanted, uuid.encode())):
        search.near.note_beginning(message)
    return False


def _add_enqueued(search: _Search, message: Message, stream: StreamState) -> None:
    identity = id_text(message.id)
    text = (
        f"{message.kind()} of {platform(message.fields.get(b'platform'))} as {identity} in {shown_stream(stream.queue)}"
    )
    if search.route:
        text += f", owned by {shown_group(search.route.group)}"
    else:
        text += ", by design written by nobody"
    search.add(
        "enqueued",
        text,
        from_milliseconds(message.id[0]),
        stream_id=identity,
        event_id=identifier(message.event_id) if message.event_id else None,
        route=known_or_hidden(search.route.name, ROUTES) if search.route else None,
        event_type=message.kind(),
    )


def _time_in(value: Any) -> str:
    """The text of a column when it is a time; empty for what may be anything else."""
    if parse_time(value) is None:
        return ""
    return str(value)


def _add_row(search: _Search, table: str, sequence: int, ingested_at: str) -> None:
    search.add(
        "row",
        f"in {known_or_hidden(table, TABLES)}, sequence {sequence:,}",
        parse_time(ingested_at),
        table=known_or_hidden(table, TABLES),
        sequence=sequence,
        ingested_at=iso(parse_time(ingested_at)),
    )
