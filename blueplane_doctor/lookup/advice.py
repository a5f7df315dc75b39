"""What to do about a message, for each state and for what is special about it."""

from blueplane_doctor.capture.line_states import (
    BEFORE_SETUP,
    IN_STREAM,
    MISSING,
    NOT_CAPTURED,
    REPEATED,
    ROWS_DELETED,
    TOO_YOUNG,
)
from blueplane_doctor.custody import absence
from blueplane_doctor.custody.gone_consumers import gone_consumers
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import CompiledRoute
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
)
from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.near_matches import NOWHERE, why_not_found
from blueplane_doctor.lookup.search import NOT_FOUND, Search
from blueplane_doctor.lookup.undelivered import UNDELIVERED_ADVICE
from blueplane_doctor.privacy.public_text import identifier
from blueplane_doctor.privacy.public_text import stream as shown_stream
from blueplane_doctor.sources.dead_letters import DeadLetterEntry
from blueplane_doctor.sources.entry_ids import id_text

_NOBODY_HAS_IT = "Neither pending nor written, and no dead letter names it: nobody has it."
_SAVED_ONLY = "No writer can write it as it is: repair saves it, while the stream holds it."

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
    WRITTEN_NOT_DELIVERED: "Its row is there, and its writer group was not given it: the group was moved back, made "
    "anew or is gone, or the event was enqueued twice. Delivered now, it makes its whole batch fail: see "
    "written-not-delivered.",
    LOST: f"{_NOBODY_HAS_IT} It can be delivered again while the stream holds it: save it before it is trimmed.",
    UNTRACEABLE: "Its writer does not hold it, and it carries nothing by which its row could be found.",
    UNEXAMINED: "The database could not be read; make it readable and ask again.",
    PAYLOAD_GONE: "A writer still holds its ID, but the message itself was trimmed. Its content is gone.",
    TOO_YOUNG: "It stands in a transcript, and the server looks every 30 s. Ask again in a minute.",
    NOT_CAPTURED: "Nothing to do: by design the server never reads this file. It belongs to an agent that no result "
    "names, or lies in a folder of its session.",
    BEFORE_SETUP: "Its session ended before anything of Claude was captured here. The transcript still holds it.",
    ROWS_DELETED: "It is older than the rows that the database keeps: it may have been written, and its row deleted.",
    REPEATED: "Nothing to do: a resumed session repeats it, and it is written under the session before.",
    IN_STREAM: "Its message reached the stream while it was looked for. Ask again.",
    MISSING: "It stands in a transcript and is nowhere in the pipeline: it never reached the stream, or left it "
    "unwritten. See transcript-completeness for the reason; the transcript still holds it.",
    **UNDELIVERED_ADVICE,
    NOT_FOUND: NOWHERE,
}
"""What to do, for each state of custody and for messages that are not in the stream."""
_WHY_UNTRACEABLE = {
    absence.TABLES_BEGIN_LATER: "Its writer does not hold it, and it has no row now. Its table begins later than this "
    "message, so its row may have been there. Whether it was written is not known.",
    absence.OF_UNKNOWN_GROUP: "No writer that this doctor knows is meant to write it. A group that the doctor does not "
    "know reads the stream, and whether that group wrote it cannot be judged. See unknown-groups.",
    absence.LETTER_DROPPED: "Its writer does not hold it, and it has neither a row nor a dead letter now. Dead letters "
    "of that time were dropped from their stream, and its own may be one of them. What became of it is not known.",
    absence.ROWS_DELETED: "Its writer does not hold it, and it has no row now. Where its row would be, a row was "
    "deleted from the table. Whether it was written is not known.",
    absence.LETTERS_UNREADABLE: "Its writer does not hold it, and it has no row. This user may not read all streams of "
    "dead letters, and one of them may hold its letter: see dead-letters.",
    WRITTEN_ELSEWHERE: "Its writer does not hold it, and it has no row in this database. A second server reads, or may "
    "read, for the same group, and may have written it to another database: see second-server.",
}
"""What is said of a message that may have been handled although nothing shows it, by the reason; see absence.py."""
_CONSUMER_GONE = (
    "The consumer that was given it is gone, and no other one takes it over. See orphaned-messages; a repair delivers "
    "it again: blueplane-doctor repair orphans."
)
_ROW_OF_ANOTHER = (
    "A row with its key is there, and another message wrote it: the content of this one is written nowhere. "
    "blueplane-doctor repair acknowledged sets it aside and keeps it; acknowledged by hand it would be gone. "
    "See written-not-acknowledged."
)
_SEARCH_CUT_SHORT = "The time was up before the whole stream was searched; give more with --timeout."
_DUPLICATES_CUT_SHORT = (
    "Its row is there. The time was up before it was known whether an earlier message has the same key; "
    "give more with --timeout."
)
_ROW_SEEN_BEFORE = "An earlier run saw its row, which is not there now: it was deleted since."
_ROWS_CUT_SHORT = (
    "The time was up before it was known whether an earlier message has its row; give more with --timeout."
)


def advice_on(search: Search, state: str, examination: Examination, database_cause: str) -> str:
    """What to do about a message of this state. `database_cause`: why rows cannot be read, empty where they can."""
    parts = [_advice_on_state(search, state, examination)]
    if search.letter:
        parts.insert(0, _whose_letter(search.letter))
    if search.route and search.route.rows_cause:
        parts.append(f"({search.route.rows_cause})")
    if database_cause:
        parts.append(f"({database_cause})")
    return " ".join(parts)


def _advice_on_state(search: Search, state: str, examination: Examination) -> str:
    advice = ADVICE[state]
    message = search.message
    if state == LOST and message:
        malformed = message.malformed()
        if malformed:
            return f"The writer could not read it: {malformed}. {_NOBODY_HAS_IT} {_SAVED_ONLY}"
    elif state == UNTRACEABLE and search.absence:
        advice = _WHY_UNTRACEABLE[search.absence]
        if search.partial:
            return f"{advice} {_ROWS_CUT_SHORT}"
    elif state == WRITTEN_NOT_ACKNOWLEDGED and message and search.route:
        if examination.new_judge().rows.have_another_time(message, search.route.lookups(message)):
            return _ROW_OF_ANOTHER
    elif state == STUCK and _is_of_a_gone_consumer(search, examination):
        return _CONSUMER_GONE
    elif state == STUCK and message and search.route:
        return f"{advice} {_what_holds_up(message, search.route, examination)}".rstrip()
    elif state == DEAD_LETTERED and search.dead_letters:
        return f"{advice} {search.dead_letters[0].detail['dead_letter_id']}"
    elif state == WRITTEN and message and search.partial:
        return _DUPLICATES_CUT_SHORT
    elif state == WRITTEN and not search.is_in_pipeline():
        return _ROW_SEEN_BEFORE
    elif state == NOT_FOUND and search.partial:
        return _SEARCH_CUT_SHORT
    elif state == NOT_FOUND:
        return why_not_found(search.stream_id(), search.near, search.stream)
    return advice


def _is_of_a_gone_consumer(search: Search, examination: Examination) -> bool:
    """Whether whoever was given it reads no more, and has nothing that could be held up."""
    if search.pending is None or search.route is None:
        return False
    try:
        reader = examination.ledger().pending.get(search.route.group)
    except SourceError:
        return False
    if reader is None:
        return False
    return search.pending.consumer in gone_consumers(reader, examination.settings.home)


def _what_holds_up(message: Message, route: CompiledRoute, examination: Examination) -> str:
    """Which message cannot be written and fails the batch, as far as that is found; empty where nobody can tell."""
    try:
        blockers = examination.ledger().blockers
    except SourceError:
        return ""
    own = id_text(message.id)
    others = []
    for blocker in blockers:
        if blocker.id == own:
            return f"It cannot be written itself: {blocker.reason}."
        if blocker.group == route.group:
            others.append(blocker)
    if not others:
        return "No message that holds it up was found: see the server's log of that time."
    return f"{others[0].id} holds it up: {others[0].reason}."


def _whose_letter(letter: DeadLetterEntry) -> str:
    """Whose dead letter it is that was asked for."""
    where = f"{id_text(letter.id)} is a dead letter in {shown_stream(letter.stream)}"
    message = message_of(letter)
    if message:
        return f"{where}; its message is {identifier(message)}."
    return f"{where}, and it names no message."


def message_of(letter: DeadLetterEntry) -> str:
    """The message that a dead letter names, which may be private; empty where it names none."""
    target = letter.message_id or letter.event_id or b""
    return target.decode("utf-8", "replace")
