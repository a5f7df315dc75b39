"""Messages found by event_id, or by the uuid inside their payload: the stream has no index for either, and is read."""

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.near_matches import is_beginning
from blueplane_doctor.lookup.queue_pages import is_time_short, queue_pages
from blueplane_doctor.lookup.search import Search
from blueplane_doctor.sources.entries import RawEntry


def search_stream(examination: Examination, missing: dict[bytes, Search]) -> None:
    """Read until each search has its message, the stream ends, or the time is up. Raises SourceError.

    `missing`: by their IDs; those that were found are taken out.
    """
    for page in queue_pages(examination):
        for entry in page:
            _recognise(entry, missing)
        if not missing:
            return
        if is_time_short(examination):
            for search in missing.values():
                search.partial = True
            return


def _recognise(entry: RawEntry, missing: dict[bytes, Search]) -> None:
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


def _is_meant(message: Message, wanted: bytes, search: Search) -> bool:
    """Whether the message has this ID; what has something of it is noted."""
    if wanted == message.event_id:
        return True
    # Of a session all messages may be read: their JSON is not needed.
    if wanted in (message.fields.get(b"session_id"), message.fields.get(b"external_session_id")):
        search.near.note_session(message)
        return False
    uuid = (message.value("payload.entry_data.uuid") or "").encode()
    if uuid and wanted == uuid:
        return True
    if is_beginning(wanted, message.event_id) or is_beginning(wanted, uuid):
        search.near.note_beginning(message)
    return False
