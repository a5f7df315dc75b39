"""Where a message began, before the stream: the line of a transcript, or the hook."""

from collections.abc import Collection, Mapping

from blueplane_doctor.capture.line_states import (
    UNEXAMINED,
)
from blueplane_doctor.capture.transcripts import states_of_lines
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.errors import FileUnreadable, SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.sources.transcript_search import FoundLine, find_lines


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


def states_at_source(examination: Examination, lines: Collection[FoundLine]) -> dict[FoundLine, str]:
    """The states of lines that are nowhere in the pipeline, as transcript-completeness has them."""
    if not lines:
        return {}
    try:
        states = states_of_lines(examination, lines)
    except SourceError:
        states = {}
    return {found: states.get(found, UNEXAMINED) for found in lines}
