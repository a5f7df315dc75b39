"""One message followed through the whole pipeline, by whichever ID a person has in hand."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from blueplane_doctor.custody.groups import Pending
from blueplane_doctor.custody.ledger import (
    DEAD_LETTERED,
    IN_FLIGHT,
    LOST,
    PAYLOAD_GONE,
    SKIPPED,
    STUCK,
    UNEXAMINED,
    UNTRACEABLE,
    WAITING,
    WRITTEN,
)
from blueplane_doctor.custody.routing import CompiledRoute, Message, Router
from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.dead_letters import each_entry
from blueplane_doctor.model import Record
from blueplane_doctor.sources.entries import RawEntry, pages
from blueplane_doctor.sources.streams import EntryId, StreamState, entry_id, id_text
from blueplane_doctor.sources.trace_tables import Lookup
from blueplane_doctor.text import consumer as shown_consumer
from blueplane_doctor.text import identifier, word
from blueplane_doctor.times import from_milliseconds, iso, parse_time, span

NOT_FOUND = "not_found"
_STREAM_ID = re.compile(r"\d{1,20}-\d{1,20}\Z")
_ID_COLUMNS = {
    "cursor_raw_traces": ("event_id",),
    "claude_raw_traces": ("uuid", "event_id"),
    "raw_traces": ("event_id",),
}

ADVICE = {
    WRITTEN: "Nothing to do.",
    WAITING: "Its writer was not given it yet. If it stays so, see consumer-lag and server-alive.",
    IN_FLIGHT: "Its writer has it. Ask again in a minute.",
    STUCK: "Its writer has it and does not finish. See stuck-consumers: one message may hold up the whole batch.",
    SKIPPED: "Nothing to do: no writer is meant to write messages of this kind.",
    DEAD_LETTERED: "The writer gave it up; see what is known with: blueplane-doctor dlq show",
    LOST: "Acknowledged and never written. The stream still holds it: save it before it is trimmed.",
    UNTRACEABLE: "It was acknowledged, and carries nothing by which its row could be found.",
    UNEXAMINED: "The database could not be read; mend that and ask again.",
    PAYLOAD_GONE: "A writer still holds its ID, but the message itself was trimmed. Its content is gone.",
    NOT_FOUND: "It may have been trimmed, belong to another Redis, or never have been enqueued.",
}


class Hop(Record):
    """One station of a message."""

    stage: str
    """`enqueued`, `delivered`, `acknowledged`, `row`, `dead_letter`."""
    at: str | None
    """UTC; null where nothing records the time."""
    text: str
    detail: dict[str, str | int | None] = {}


class Trace(Record):
    """What is known of one message."""

    id: str
    """As it was asked for."""
    state: str
    """A state of custody, or `payload_gone`, `not_found`."""
    hops: list[Hop]
    advice: str
    partial: bool = False
    """Whether the time was up before everything was searched."""


@dataclass
class _Search:
    wanted: str
    message: Message | None = None
    route: CompiledRoute | None = None
    hops: list[Hop] = field(default_factory=list)
    letters: list[Hop] = field(default_factory=list)
    rows: int = 0
    pending: bool = False
    held: Pending | None = None
    """The owner's row in its pending entries list."""
    partial: bool = False

    def add(self, stage: str, text: str, at: datetime | None = None, **detail: str | int | None) -> None:
        self.hops.append(Hop(stage=stage, at=iso(at), text=text, detail=detail))

    def stream_id(self) -> EntryId | None:
        if self.message:
            return self.message.id
        return entry_id(self.wanted.encode()) if _STREAM_ID.match(self.wanted) else None

    def names(self) -> set[bytes | None]:
        of_message = (self.message.raw_id, self.message.fields.get(b"event_id")) if self.message else ()
        return {self.wanted.encode(), *of_message} - {None, b""}


class Tracer:
    """Follows messages; sources are read once for all, as far as possible."""

    def __init__(self, examination: Examination) -> None:
        self._look = examination
        self._database_dead = ""

    def trace(self, wanted: list[str]) -> list[Trace]:
        """A Trace for each ID, in their order. Raises SourceError when Redis cannot be read."""
        stream = self._look.stream()
        searches = {text: _Search(text) for text in wanted}
        self._find_messages(list(searches.values()), stream)
        router = Router(self._look.routes(), self._tables())
        for search in searches.values():
            search.route = router.route(search.message) if search.message else None
        self._find_letters(list(searches.values()))
        traces = {text: self._follow(search, stream) for text, search in searches.items()}
        return [traces[text] for text in wanted]

    def _tables(self) -> tuple[str, ...] | None:
        try:
            return self._look.trace_tables()
        except SourceError as error:
            self._database_dead = error.message
            return None

    def _find_messages(self, searches: list[_Search], stream: StreamState) -> None:
        """By stream ID directly; by event_id or uuid only in a walk, for a stream has no index."""
        left = {}
        for search in searches:
            if search.stream_id():
                page = self._look.redis.ask_one("XRANGE", stream.queue, search.wanted, search.wanted, "COUNT", 1)
                search.message = Message(page[0]) if page else None
            else:
                left[search.wanted.encode()] = search
        if not left:
            return
        last, size = stream.last_generated, self._look.server_info().dataset_bytes
        for page in pages(self._look.redis, stream.queue, last, length=stream.length, dataset_bytes=size):
            for entry in page:
                _recognise(entry, left)
            if not left:
                return
            if self._look.deadline.remaining < 1:
                for search in left.values():
                    search.partial = True
                return

    def _find_letters(self, searches: list[_Search]) -> None:
        names = [(search, search.names()) for search in searches]
        for letter in each_entry(self._look, unreadable=SourceError):
            identity, moment = id_text(letter.id), iso(from_milliseconds(letter.queued_ms))
            for search, its_names in names:
                if its_names & {letter.message_id, letter.event_id}:
                    detail = {"stream": letter.stream, "dead_letter_id": identity, "shape": letter.shape}
                    text = f"{identity} in {letter.stream}"
                    search.letters.append(Hop(stage="dead_letter", at=moment, text=text, detail=detail))

    def _follow(self, search: _Search, stream: StreamState) -> Trace:
        if search.message:
            _enqueued(search, search.message, stream)
        if identity := search.stream_id():
            for name in self._look.writer_groups():
                self._delivery(search, stream, name, identity)
        self._rows(search)
        state = self._state(search, stream)
        advice = self._advice(search, state, stream)
        hops = search.hops + search.letters
        return Trace(id=search.wanted, state=state, hops=hops, advice=advice, partial=search.partial)

    def _delivery(self, search: _Search, stream: StreamState, name: str, identity: EntryId) -> None:
        group = stream.group(name)
        owner = search.route is not None and search.route.group == name
        if group is None or (search.message is None and identity > stream.last_generated):
            return
        text = id_text(identity)
        rows = self._look.redis.ask_one("XPENDING", stream.queue, name, text, text, 1)
        if rows:
            _, consumer, idle, deliveries = rows[0]
            search.pending = True
            search.held = Pending.of(*rows[0]) if owner else search.held
            since = max(0, idle)
            delivered = from_milliseconds(self._look.server_info().now_ms - since)
            times = "once" if deliveries == 1 else f"{deliveries:,} times"
            said = f"to {shown_consumer(consumer)} of {name}, {times}, last {span(since)} ago; not acknowledged"
            search.add("delivered", said, delivered, group=name, deliveries=deliveries, idle_ms=idle)
        elif search.message and identity <= group.last_delivered:
            search.add("acknowledged", f"by {name}" + ("" if owner else ", which does not write it"), group=name)

    def _rows(self, search: _Search) -> None:
        if self._database_dead:
            return
        if search.message and search.route:
            wanted = search.route.lookups(search.message)
        elif search.stream_id():
            return
        else:
            tables = self._look.trace_tables()
            wanted = [Lookup(t, (c,), (search.wanted,)) for t in tables for c in _ID_COLUMNS.get(t, ())]
        seen: set[tuple[str, int]] = set()
        for table, columns, values in wanted:
            match = " AND ".join(f'"{column}" = ?' for column in columns)
            sql = f'SELECT sequence, ingested_at FROM "{table}" WHERE {match} ORDER BY sequence LIMIT 10'
            for sequence, ingested in self._look.database.rows(sql, values):
                if (table, sequence) not in seen:
                    seen.add((table, sequence))
                    said, written = f"in {table}, sequence {sequence:,}", str(ingested)
                    search.add("row", said, parse_time(written), table=table, sequence=sequence, ingested_at=written)
        search.rows = len(seen)

    def _state(self, search: _Search, stream: StreamState) -> str:
        message, route = search.message, search.route
        at_its_end = WRITTEN if search.rows else DEAD_LETTERED if search.letters else ""
        if message is None:
            return at_its_end or (PAYLOAD_GONE if search.pending else NOT_FOUND)
        if route is None:
            return SKIPPED
        group = stream.group(route.group)
        if group is None or message.id > group.last_delivered:
            return WAITING
        if search.held:
            return STUCK if search.held.stuck else IN_FLIGHT
        if at_its_end:
            return at_its_end
        if self._database_dead:
            return UNEXAMINED
        return LOST if route.lookups(message) else UNTRACEABLE

    def _advice(self, search: _Search, state: str, stream: StreamState) -> str:
        advice, identity = ADVICE[state], search.stream_id()
        if state == LOST and search.message and (malformed := search.message.malformed()):
            advice = f"The writer could not read it: {malformed}. {advice}"
        if state == DEAD_LETTERED:
            advice += f" {search.letters[0].detail['dead_letter_id']}"
        if state == NOT_FOUND and search.partial:
            advice = "The time was up before the whole stream was searched; give more with --timeout."
        elif state == NOT_FOUND and stream.first and identity and identity < stream.first:
            advice = "It is older than all that is still in the stream; its row can be found by event_id or uuid."
        return advice + (f" ({self._database_dead})" if self._database_dead else "")


def _recognise(entry: RawEntry, left: dict[bytes, _Search]) -> None:
    """Take the message when its event_id, or the uuid inside its payload, is one of those searched for."""
    values = entry[1][1::2]
    for wanted, search in list(left.items()):
        if not any(wanted in value for value in values):
            continue  # cheap, and right for all but a few: only then is the JSON read
        message = Message(entry)
        uuid = message.value("payload.entry_data.uuid")
        if wanted in (message.fields.get(b"event_id"), uuid.encode() if uuid else None):
            search.message = message
            del left[wanted]


def _enqueued(search: _Search, message: Message, stream: StreamState) -> None:
    identity, route, event_id = id_text(message.id), search.route, message.fields.get(b"event_id")
    said = f"{message.kind()} of {word(message.fields.get(b'platform'))} as {identity} in {stream.queue}"
    search.add(
        "enqueued",
        said + (f", owned by {route.group}" if route else ", by design written by nobody"),
        from_milliseconds(message.id[0]),
        stream_id=identity,
        event_id=identifier(event_id) if event_id else None,
        route=route.name if route else None,
        event_type=message.kind(),
    )
