"""Target `dead-letters`: messages that the writers gave up, by filter."""

from collections.abc import Iterator

from blueplane_doctor.custody.poison import poison_reason
from blueplane_doctor.custody.routing import Router
from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.dead_letters import DeadLetter, without_private_parts
from blueplane_doctor.repair.base import Case, Target
from blueplane_doctor.repair.incoming import message_of
from blueplane_doctor.repair.letters import message_in
from blueplane_doctor.repair.plan import Action, Fields, Item, Plan, Refusal, RowKey, Source, fields_in, origins_of
from blueplane_doctor.repair.verifying import has_row
from blueplane_doctor.sources.dead_letters import DeadLetterEntry, parse_dead_letter_entry
from blueplane_doctor.sources.entry_ids import id_text
from blueplane_doctor.sources.trace_tables import RowFinder
from blueplane_doctor.text.quantities import many

_NAME = "dead-letters"


def _plan_dead_letters(case: Case) -> Iterator[Item | Refusal]:
    """Those that the filter means. Without a filter none is meant: an empty one would mean every letter there is."""
    letters = list(case.examination.each_dead_letter(unreadable=SourceError))
    if not case.wanted.names_letters:
        if letters:
            yield _unasked(letters, case.now_ms)
        return
    rows = RowFinder(case.examination.database)
    router = Router(case.examination.routes(), case.examination.trace_tables(), case.examination.columns())
    for letter in letters:
        if _is_wanted(case, letter):
            yield _item(case, letter, rows, router)


def _unasked(letters: list[DeadLetterEntry], now_ms: int) -> Refusal:
    newest = without_private_parts(letters[-1], now_ms)
    return Refusal(
        what=f"deliver {many(len(letters), 'dead letter', 'dead letters')} again",
        reason=f"no filter says which; for example: blueplane-doctor repair {_NAME} --error {newest.fingerprint}",
    )


def _is_wanted(case: Case, letter: DeadLetterEntry) -> bool:
    shown: DeadLetter = without_private_parts(letter, case.now_ms)
    ids = case.wanted.ids
    if ids and not ids & {shown.id, shown.message_id, shown.event_id}:
        return False
    return case.wanted.filter.passes(shown)


def _item(case: Case, letter: DeadLetterEntry, rows: RowFinder, router: Router) -> Item:
    item = Item(
        target=_NAME,
        action=Action.KEEP,
        source=Source.DEAD_LETTER,
        id=id_text(letter.id),
        stream=letter.stream,
    )
    fields = _read_letter(case.examination, letter, case.examination.stream().queue)
    if fields is None:
        return item.model_copy(update={"reason": "the letter does not hold its message"})
    message = message_of(fields, id_text(letter.id).encode())
    route = router.route(message)
    if route is None:
        return item.model_copy(update={"reason": "no writer is known for its message"})
    keys = RowKey.all_of(route.lookups(message))
    known = {"group": route.group, "keys": keys, "origins": tuple(origins_of(fields))}
    if has_row(rows, keys):
        reason = "its message is written already"
        return item.model_copy(update={**known, "action": Action.REMOVE, "reason": reason, "is_written": True})
    problem = message.malformed() or poison_reason(message)
    if problem:
        return item.model_copy(update={**known, "reason": f"its writer cannot write it: {problem}"})
    return item.model_copy(update={**known, "action": Action.DELIVER})


def _read_letter(examination: Examination, letter: DeadLetterEntry, queue: str) -> Fields | None:
    """The message of a dead letter: as the stream still holds it, else as the letter does. Raises SourceError."""
    if letter.message_id and letter.shape == "claude_consumer":
        identity = letter.message_id.decode("ascii", "replace")
        page = []
        if _is_stream_id(identity):
            page = examination.redis.ask_one("XRANGE", queue, identity, identity, "COUNT", 1)
        if page:
            return fields_in(page[0])
    return message_in(letter)


def _is_stream_id(text: str) -> bool:
    milliseconds, _, sequence = text.partition("-")
    return milliseconds.isdigit() and sequence.isdigit() and len(text) <= 41  # two numbers of 64 bits


def _read_planned(examination: Examination, plan: Plan, item: Item) -> Fields | None:
    """The message of an item of a plan. Raises SourceError."""
    page = examination.redis.ask_one("XRANGE", item.stream, item.id, item.id, "COUNT", 1)
    if not page:
        return None
    letter = parse_dead_letter_entry(item.stream, page[0])
    # A letter that holds no message is saved as it is.
    return _read_letter(examination, letter, plan.queue) or list(letter.fields.items())


TARGET = Target(
    _NAME, "messages that the writers gave up, by the filters of dlq list", _plan_dead_letters, _read_planned
)
