"""What is said of an ID that no message has: why, and which messages may be meant."""

from dataclasses import dataclass, field

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.sources.entry_ids import EntryId, id_text
from blueplane_doctor.sources.streams import StreamState
from blueplane_doctor.text.quantities import many

_SHORTEST_BEGINNING = 8
"""Characters that are taken for the beginning of an ID: so many stand in shortened ones."""
_SHOWN_IDS = 3
NOWHERE = "It may have been trimmed, belong to another Redis, or never have been enqueued."
_OLDER_THAN_STREAM = (
    "It is older than all that is still in the stream. A stream ID alone does not tell whether it was written: rows "
    "are looked up by event_id or uuid, so ask for it by one of these."
)
_LATER_THAN_STREAM = (
    "It is later than every ID that the stream has given: it belongs to another Redis, or was never enqueued."
)
_BETWEEN = (
    "There are older messages in the stream, so that it was not trimmed: it was deleted (XDEL), belongs to another "
    "Redis, or was never enqueued. Rows are looked up by event_id or uuid, so ask for it by one of these."
)


@dataclass
class NearMatches:
    """Messages that were met with something of an ID that is none of theirs."""

    of_session: int = 0
    """Messages whose session has this ID."""
    last_of_session: EntryId | None = None
    alike: int = 0
    """Messages of which an ID begins like this one."""
    first_alike: list[EntryId] = field(default_factory=list)
    """The first _SHOWN_IDS of them."""

    def note_session(self, message: Message) -> None:
        """Take notice of a message of the session that has this ID."""
        self.of_session += 1
        self.last_of_session = message.id

    def note_beginning(self, message: Message) -> None:
        """Take notice of a message of which an ID begins like this one."""
        self.alike += 1
        if len(self.first_alike) < _SHOWN_IDS:
            self.first_alike.append(message.id)

    def sentence(self) -> str:
        """Which messages may be meant; empty where none was met."""
        if self.last_of_session is not None:
            belong = many(self.of_session, "message in the stream belongs", "messages in the stream belong")
            last = id_text(self.last_of_session)
            return f"It is the ID of a session: {belong} to it, the last one {last}. Ask for single messages."
        if self.alike:
            have = many(self.alike, "message in the stream has", "messages in the stream have")
            ids = " ".join(id_text(one) for one in self.first_alike)
            return f"IDs are compared whole, and {have} one that begins like this: {ids}"
        return ""


def is_beginning(wanted: bytes, whole: bytes | None) -> bool:
    """Whether that is the beginning of an ID, and not all of it."""
    return whole is not None and len(wanted) >= _SHORTEST_BEGINNING and whole != wanted and whole.startswith(wanted)


def why_not_found(identity: EntryId | None, near: NearMatches, stream: StreamState) -> str:
    """Where a message may be that was found nowhere; `identity` where the ID is one of the stream's form."""
    if identity is None:
        return near.sentence() or NOWHERE
    if identity > stream.last_generated:
        return _LATER_THAN_STREAM
    if stream.first is None:
        return NOWHERE
    if identity < stream.first:
        return _OLDER_THAN_STREAM
    return _BETWEEN
