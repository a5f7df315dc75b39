"""The stations of a message, each as a record with one sentence: transcript, hook, stream, writer, row, dead letter."""

from datetime import datetime

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import CompiledRoute
from blueplane_doctor.privacy.known_names import HOOK_TYPES, MONITOR_TYPES, ROUTES, TABLES
from blueplane_doctor.privacy.public_text import consumer as shown_consumer
from blueplane_doctor.privacy.public_text import event_type, identifier, known_or_hidden, platform
from blueplane_doctor.privacy.public_text import group as shown_group
from blueplane_doctor.privacy.public_text import stream as shown_stream
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.dead_letters import DeadLetterEntry
from blueplane_doctor.sources.entry_ids import id_text
from blueplane_doctor.sources.transcript_search import FoundLine
from blueplane_doctor.text.times import from_milliseconds, iso, parse_time, span


class Hop(Record):
    """One station of a message."""

    stage: str
    """`transcript` or `hook`, then `enqueued`, `delivered` (pending), `not_pending`, `row`, `dead_letter`."""
    at: str | None
    """UTC; null where nothing records the time."""
    text: str
    detail: dict[str, str | int | None] = {}


def new_hop(stage: str, text: str, at: datetime | None = None, **detail: str | int | None) -> Hop:
    """A hop at a moment, which is None where nothing records it."""
    return Hop(stage=stage, at=iso(at), text=text, detail=detail)


def transcript_hop(found: FoundLine) -> Hop:
    """The line, with its project's number and its own time."""
    project = found.file.project
    session = identifier(found.file.session or found.line.session)
    kind = event_type(found.line.kind)
    what = "an agent's transcript" if found.file.agent else "a transcript"
    return new_hop(
        "transcript",
        f"{kind} in {what} of project {project}, session {session}",
        _moment(found.line.event_ms),
        project=project,
        session_id=session,
        event_type=kind,
    )


def hook_hop(message: Message) -> Hop | None:
    """The hook that sent a message, at the event's own time; None for what a monitor enqueued."""
    raw = message.fields.get(b"hook_type", b"").decode("utf-8", "replace")
    if raw not in HOOK_TYPES or raw in MONITOR_TYPES:
        return None
    hook = event_type(raw)
    text = f"{hook} of {platform(message.fields.get(b'platform'))} fired"
    return new_hop("hook", text, _moment(message.event_ms()), hook_type=hook)


def enqueued_hop(message: Message, route: CompiledRoute | None, queue: str) -> Hop:
    """The message in the stream, and which group has to write it."""
    kind = message.kind()
    identity = id_text(message.id)
    event_id = None
    if message.event_id:
        event_id = identifier(message.event_id)
    text = f"{kind} of {platform(message.fields.get(b'platform'))} as {identity} in {shown_stream(queue)}"
    route_name = None
    if route:
        text += f", owned by {shown_group(route.group)}"
        route_name = known_or_hidden(route.name, ROUTES)
    else:
        text += ", by design written by nobody"
    at = from_milliseconds(message.id[0])
    return new_hop("enqueued", text, at, stream_id=identity, event_id=event_id, route=route_name, event_type=kind)


def delivered_hop(group: str, row: tuple[bytes, bytes, int, int], now_ms: int) -> Hop:
    """A message in the pending entries list of a group; `row`: of XPENDING, `now_ms`: the server's time."""
    _, consumer, idle_ms, deliveries = row
    shown = shown_group(group)
    since_ms = max(0, idle_ms)  # a message that was given back has idle -1
    times = "once" if deliveries == 1 else f"{deliveries:,} times"
    return new_hop(
        "delivered",
        f"to {shown_consumer(consumer)} of {shown}, {times}, last {span(since_ms)} ago; not acknowledged",
        from_milliseconds(now_ms - since_ms),
        group=shown,
        deliveries=deliveries,
        idle_ms=idle_ms,
    )


def not_pending_hop(group: str, *, writes_it: bool) -> Hop:
    """A message that a group was given and does not hold any more.

    Redis records no acknowledgement: a consumer that was deleted leaves the same picture.
    """
    shown = shown_group(group)
    text = f"no longer pending with {shown}"
    if not writes_it:
        text += ", which does not write it"
    return new_hop("not_pending", text, group=shown)


def dead_letter_hop(entry: DeadLetterEntry) -> Hop:
    """A dead letter that names the message."""
    identity = id_text(entry.id)
    stream = shown_stream(entry.stream)
    at = from_milliseconds(entry.queued_ms)
    text = f"{identity} in {stream}"
    return new_hop("dead_letter", text, at, stream=stream, dead_letter_id=identity, shape=entry.shape)


def row_hop(table: str, sequence: int, ingested_at: str) -> Hop:
    """A row of the message; `ingested_at`: empty where the database tells no time."""
    shown = known_or_hidden(table, TABLES)
    at = parse_time(ingested_at)
    return new_hop("row", f"in {shown}, sequence {sequence:,}", at, table=shown, sequence=sequence, ingested_at=iso(at))


def _moment(milliseconds: int | None) -> datetime | None:
    if milliseconds is None:
        return None
    return from_milliseconds(milliseconds)
