"""One message followed through the whole pipeline, by whichever ID a person has in hand."""

import re
from dataclasses import dataclass, field

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.pending import Pending
from blueplane_doctor.custody.routing import CompiledRoute, Router
from blueplane_doctor.custody.states import (
    DEAD_LETTERED,
    IN_FLIGHT,
    LOST,
    SKIPPED,
    STUCK,
    UNEXAMINED,
    UNTRACEABLE,
    WAITING,
    WRITTEN,
)
from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.model import Record
from blueplane_doctor.sources.dead_letters import DeadLetter, each_dead_letter
from blueplane_doctor.sources.entries import pages
from blueplane_doctor.sources.redis_source import pairs
from blueplane_doctor.sources.streams import BEGINNING, StreamState, entry_id, id_text
from blueplane_doctor.text import consumer as shown_consumer
from blueplane_doctor.text import identifier, word
from blueplane_doctor.times import from_milliseconds, iso, parse_time, span

NOT_FOUND = "not_found"
PAYLOAD_GONE = "payload_gone"
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
    hops: list[Hop] = field(default_factory=list)
    rows: int = 0
    letters: int = 0
    pending: bool = False
    held: Pending | None = None
    """The owner's row in its pending entries list."""
    partial: bool = False


class Tracer:
    """Follows messages; sources are read once for all of them, as far as possible."""

    def __init__(self, examination: Examination) -> None:
        self._look = examination
        self._database_dead = ""

    def trace(self, wanted: list[str]) -> list[Trace]:
        """One Trace for each ID, in their order. Raises SourceError when Redis cannot be read."""
        stream = self._look.stream()
        searches = [_Search(text) for text in wanted]
        self._find_messages(searches, stream)
        router = Router(self._look.routes(), self._tables())
        traces = {search.wanted: search for search in searches}
        self._find_letters(list(traces.values()), stream)
        return [self._follow(search, stream, router) for search in searches]

    def _tables(self) -> tuple[str, ...] | None:
        try:
            return self._look.trace_tables()
        except SourceError as error:
            self._database_dead = error.message
            return None

    def _find_messages(self, searches: list[_Search], stream: StreamState) -> None:
        """By stream ID directly; by event_id or uuid only a walk finds it, for a stream has no index."""
        others = []
        for search in searches:
            if _STREAM_ID.match(search.wanted):
                page = self._look.redis.ask_one("XRANGE", stream.queue, search.wanted, search.wanted, "COUNT", 1)
                search.message = Message(page[0]) if page else None
            else:
                others.append(search)
        if not others:
            return
        left = {search.wanted.encode(): search for search in others}
        info = self._look.server_info()
        for page in pages(
            self._look.redis,
            stream.queue,
            stream.last_generated,
            length=stream.length,
            dataset_bytes=info.dataset_bytes,
        ):
            for entry in page:
                _recognise(entry, left)
            if not left:
                return
            if self._look.deadline.remaining < 1:
                for search in left.values():
                    search.partial = True
                return

    def _find_letters(self, searches: list[_Search], stream: StreamState) -> None:
        """Dead letters that name one of the messages."""
        names: dict[bytes, _Search] = {}
        for search in searches:
            names[search.wanted.encode()] = search
            if search.message:
                names[search.message.raw_id] = search
                if event_id := search.message.fields.get(b"event_id"):
                    names[event_id] = search
        for name in stream.dead_letters:
            try:
                state = pairs(self._look.redis.ask_one("XINFO", "STREAM", name))
            except SourceError:
                continue
            letters = each_dead_letter(
                self._look.redis,
                name,
                BEGINNING,
                entry_id(state["last-generated-id"]),
                length=state["length"],
                dataset_bytes=self._look.server_info().dataset_bytes,
            )
            for letter in letters:
                named = names.get(letter.message_id or b"\0") or names.get(letter.event_id or b"\0")
                if named:
                    named.letters += 1
                    named.hops.append(_letter_hop(letter))

    def _follow(self, search: _Search, stream: StreamState, router: Router) -> Trace:
        hops, search.hops = search.hops, []
        message = search.message
        route = router.route(message) if message else None
        if message:
            search.hops.append(_enqueued(message, stream, route))
        identity = message.id if message else _as_id(search.wanted)
        if identity:
            for name in self._look.writer_groups():
                self._delivery(search, stream, name, identity, route)
        self._rows(search, route)
        search.hops += hops
        state = self._state(search, stream, route)
        return Trace(
            id=search.wanted, state=state, hops=search.hops, advice=self._advice(search, state), partial=search.partial
        )

    def _delivery(
        self, search: _Search, stream: StreamState, name: str, identity: tuple[int, int], route: CompiledRoute | None
    ) -> None:
        """What one writer group did with the message."""
        group = stream.group(name)
        owner = route is not None and route.group == name
        if group is None or (search.message is None and identity > stream.last_generated):
            return
        text = id_text(identity)
        rows = self._look.redis.ask_one("XPENDING", stream.queue, name, text, text, 1)
        if rows:
            _, consumer, idle, deliveries = rows[0]
            search.pending = search.pending or owner or search.message is None
            search.held = Pending.of(*rows[0]) if owner else search.held
            delivered = self._look.server_info().now_ms - max(0, idle)
            times = "once" if deliveries == 1 else f"{deliveries:,} times"
            said = f"to {shown_consumer(consumer)} of {name}, {times}, last {span(max(0, idle))} ago; not acknowledged"
            detail: dict[str, str | int | None] = {"group": name, "deliveries": deliveries, "idle_ms": idle}
            search.hops.append(Hop(stage="delivered", at=iso(from_milliseconds(delivered)), text=said, detail=detail))
        elif search.message and identity <= group.last_delivered:
            said = f"by {name}" + ("" if owner else ", which does not write it")
            search.hops.append(Hop(stage="acknowledged", at=None, text=said, detail={"group": name}))

    def _rows(self, search: _Search, route: CompiledRoute | None) -> None:
        if self._database_dead:
            return
        if search.message and route:
            wanted = [(key.table, key.columns, key.values) for key in route.lookups(search.message)]
        elif search.message or _STREAM_ID.match(search.wanted):
            return
        else:
            tables = self._look.trace_tables()
            wanted = [(t, (c,), (search.wanted,)) for t in tables for c in _ID_COLUMNS.get(t, ())]
        seen: set[tuple[str, int]] = set()
        for table, columns, values in wanted:
            for sequence, ingested in self._row(table, columns, values):
                if (table, sequence) in seen:
                    continue
                seen.add((table, sequence))
                search.rows += 1
                search.hops.append(
                    Hop(
                        stage="row",
                        at=iso(parse_time(ingested)),
                        text=f"in {table}, sequence {sequence:,}",
                        detail={"table": table, "sequence": sequence, "ingested_at": ingested},
                    )
                )

    def _row(self, table: str, columns: tuple[str, ...], values: tuple[str, ...]) -> list[tuple[int, str]]:
        match = " AND ".join(f'"{column}" = ?' for column in columns)
        found = self._look.database.rows(
            f'SELECT sequence, ingested_at FROM "{table}" WHERE {match} ORDER BY sequence LIMIT 10', values
        )
        return [(int(sequence), str(ingested)) for sequence, ingested in found]

    def _state(self, search: _Search, stream: StreamState, route: CompiledRoute | None) -> str:
        message = search.message
        if message is None:
            return self._state_without_message(search, stream)
        if route is None:
            return SKIPPED
        group = stream.group(route.group)
        if group is None or message.id > group.last_delivered:
            return WAITING
        if search.held:
            return STUCK if search.held.stuck else IN_FLIGHT
        if search.rows:
            return WRITTEN
        if search.letters:
            return DEAD_LETTERED
        if self._database_dead:
            return UNEXAMINED
        return LOST if route.lookups(message) else UNTRACEABLE

    def _state_without_message(self, search: _Search, stream: StreamState) -> str:
        if search.rows:
            return WRITTEN
        if search.letters:
            return DEAD_LETTERED
        if search.pending:
            return PAYLOAD_GONE
        return NOT_FOUND

    def _advice(self, search: _Search, state: str) -> str:
        advice = ADVICE.get(state, "")
        if state == LOST and search.message and (malformed := search.message.malformed()):
            advice = f"The writer could not read it: {malformed}. {advice}"
        if state == DEAD_LETTERED:
            advice += " " + next(str(h.detail["dead_letter_id"]) for h in search.hops if h.stage == "dead_letter")
        first, identity = self._look.stream().first, _as_id(search.wanted)
        if state == NOT_FOUND and first and identity and identity < first:
            advice = "It is older than all that is still in the stream; its row can be found by event_id or uuid."
        if state == NOT_FOUND and search.partial:
            advice = "The time was up before the whole stream was searched; give more with --timeout."
        return advice + (f" ({self._database_dead})" if self._database_dead else "")


def _as_id(text: str) -> tuple[int, int] | None:
    return entry_id(text.encode()) if _STREAM_ID.match(text) else None


def _recognise(entry: tuple[bytes, list[bytes]], left: dict[bytes, _Search]) -> None:
    """Take the message when it is one of those searched for, by event_id or by the uuid inside its payload."""
    values = entry[1][1::2]
    for wanted, search in list(left.items()):
        if not any(wanted in value for value in values):
            continue  # cheap, and right for all but a few: only then is the JSON read
        message = Message(entry)
        uuid = message.value((b"payload", b"entry_data", b"uuid"))
        if wanted in (message.fields.get(b"event_id"), uuid.encode() if uuid else None):
            search.message = message
            del left[wanted]


def _enqueued(message: Message, stream: StreamState, route: CompiledRoute | None) -> Hop:
    kind = word(message.fields.get(b"event_type") or message.fields.get(b"hook_type"))
    platform = word(message.fields.get(b"platform"))
    event_id = message.fields.get(b"event_id")
    said = f"{kind} of {platform} as {id_text(message.id)} in {stream.queue}"
    return Hop(
        stage="enqueued",
        at=iso(from_milliseconds(message.id[0])),
        text=said + (f", owned by {route.group}" if route else ", by design written by nobody"),
        detail={
            "stream_id": id_text(message.id),
            "event_id": identifier(event_id) if event_id else None,
            "route": route.name if route else None,
            "event_type": kind,
        },
    )


def _letter_hop(letter: DeadLetter) -> Hop:
    return Hop(
        stage="dead_letter",
        at=iso(from_milliseconds(letter.queued_ms)),
        text=f"{id_text(letter.id)} in {letter.stream}",
        detail={"stream": letter.stream, "dead_letter_id": id_text(letter.id), "shape": letter.shape},
    )
