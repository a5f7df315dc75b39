"""Where a message began, before the stream: the line of a transcript, or the hook."""

from collections.abc import Collection, Mapping

from blueplane_doctor.capture.line_states import (
    BEFORE_SETUP,
    IN_STREAM,
    MISSING,
    NOT_CAPTURED,
    REPEATED,
    ROWS_DELETED,
    TOO_YOUNG,
    UNEXAMINED,
)
from blueplane_doctor.capture.transcripts import states_of_lines
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.errors import FileUnreadable, SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.known_names import HOOK_TYPES, MONITOR_TYPES
from blueplane_doctor.model import Record
from blueplane_doctor.sources.transcripts import FoundLine, find_lines
from blueplane_doctor.text import event_type, identifier, platform
from blueplane_doctor.times import from_milliseconds, iso

TRANSCRIPT = "transcript"
"""The stage of a line in a transcript."""
HOOK = "hook"
"""The stage of an event that a hook sent."""
SOURCE_ADVICE = {
    TOO_YOUNG: "It stands in a transcript, and the server looks every 30 s. Ask again in a minute.",
    NOT_CAPTURED: "Nothing to do: by design the server never reads the file in which it stands: that of an agent which "
    "no result names, or in a folder of its session.",
    BEFORE_SETUP: "Its session ended before anything of Claude was captured here. The transcript still holds it.",
    ROWS_DELETED: "It is older than the rows that the database keeps: it may have been written, and its row deleted.",
    REPEATED: "Nothing to do: a resumed session repeats it, and it is written under the session before.",
    IN_STREAM: "Its message reached the stream while it was looked for. Ask again.",
    MISSING: "It stands in a transcript and is nowhere in the pipeline: it never reached the stream, or left it "
    "unwritten. See transcript-completeness for the reason; the transcript still holds it.",
}
"""What to do about a line that is nowhere in the pipeline."""


class Hop(Record):
    """One station of a message."""

    stage: str
    """`transcript` or `hook`, then `enqueued`, `delivered` (pending), `not_pending`, `row`, `dead_letter`."""
    at: str | None
    """UTC; null where nothing records the time."""
    text: str
    detail: dict[str, str | int | None] = {}


def uuid_of(wanted: str, message: Message | None) -> str:
    """The uuid that a line of a transcript would have: the message's, else the one that was asked for."""
    if message is None:
        return wanted
    return message.value("payload.entry_data.uuid") or ""


def session_of(message: Message | None) -> str:
    """The session of a message; empty where there is no message, or it names none."""
    if message is None:
        return ""
    return message.value("session_id") or message.value("external_session_id") or ""


def lines_of(examination: Examination, sessions: Mapping[str, str]) -> dict[str, FoundLine]:
    """The lines of transcripts with these uuids, each of its session, as far as they are on disk and can be read."""
    try:
        return find_lines(examination.settings.claude_projects, sessions, examination.deadline)
    except FileUnreadable:
        return {}  # what the pipeline tells stands without them


def transcript_hop(found: FoundLine) -> Hop:
    """The line, with its project's number and its own time."""
    session = identifier(found.file.session or found.line.session)
    kind = event_type(found.line.kind)
    moment = None
    if found.line.event_ms is not None:
        moment = from_milliseconds(found.line.event_ms)
    what = "an agent's transcript" if found.file.agent else "a transcript"
    return Hop(
        stage=TRANSCRIPT,
        at=iso(moment),
        text=f"{kind} in {what} of project {found.file.project}, session {session}",
        detail={"project": found.file.project, "session_id": session, "event_type": kind},
    )


def hook_hop(message: Message) -> Hop | None:
    """The hook that sent a message, at the event's own time; None for what a monitor enqueued."""
    raw = message.fields.get(b"hook_type", b"").decode("utf-8", "replace")
    if raw not in HOOK_TYPES or raw in MONITOR_TYPES:
        return None
    hook = event_type(raw)
    moment = None
    event_ms = message.event_ms()
    if event_ms is not None:
        moment = from_milliseconds(event_ms)
    text = f"{hook} of {platform(message.fields.get(b'platform'))} fired"
    return Hop(stage=HOOK, at=iso(moment), text=text, detail={"hook_type": hook})


def states_at_source(examination: Examination, lines: Collection[FoundLine]) -> dict[FoundLine, str]:
    """The states of lines that are nowhere in the pipeline, as transcript-completeness has them."""
    if not lines:
        return {}
    try:
        states = states_of_lines(examination, lines)
    except SourceError:
        states = {}
    return {found: states.get(found, UNEXAMINED) for found in lines}
