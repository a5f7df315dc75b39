"""Messages that never were in the stream: events that a producer kept, and lines that it did not send.

They are delivered as the producer would have done it. What has a row already needs nothing: so a second plan passes
over what the first one delivered, while the source still holds it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.poison import poison_reason
from blueplane_doctor.custody.routing import CompiledRoute, Router
from blueplane_doctor.privacy.public_text import event_type, platform
from blueplane_doctor.repair.base import Case
from blueplane_doctor.repair.plan import Action, Fields, Item, Refusal, RowKey, Source, flat, origins_of
from blueplane_doctor.repair.survey import Candidate
from blueplane_doctor.repair.verifying import count_rows
from blueplane_doctor.sources.trace_tables import RowFinder
from blueplane_doctor.text.quantities import many

_NO_ID = b"0-0"
"""A message that was never in the stream has no ID."""
_UNWRITTEN = "by design nobody writes them"


class Incoming(NamedTuple):
    """One message that is not in the stream."""

    id: str
    """What names it in its source."""
    fields: Fields
    """Empty when it cannot be made. Private."""
    reason: str = ""
    """Why it cannot be made."""


def incoming_items(
    case: Case, target: str, source: Source, messages: Iterable[Incoming], noun: str, nouns: str
) -> Iterator[Item | Refusal]:
    """An item for each that has no row, and why others have none. `noun`, `nouns`: what one or many are called."""
    examination = case.examination
    router = Router(examination.routes(), examination.trace_tables(), examination.columns())
    refused: Counter[str] = Counter()
    items = []
    for incoming in messages:
        # An item holds keys and no content: so all of a large source can be looked up together.
        item = _item(case, router, target, source, incoming)
        if isinstance(item, str):
            refused[item] += 1
        elif item is not None:
            items.append(item)
    keys: list[RowKey] = []
    for item in items:
        keys += item.keys
    rows = count_rows(RowFinder(examination.database), keys)
    for item in items:
        if not any(rows[key] for key in item.keys):
            yield item
    for reason, count in refused.items():
        yield Refusal(what=f"deliver {many(count, noun, nouns)}", reason=reason)


def _item(case: Case, router: Router, target: str, source: Source, incoming: Incoming) -> Item | str | None:
    """The item of a message, or why it has none; None where it is not wanted."""
    if case.wanted.ids and incoming.id not in case.wanted.ids:
        return None
    if incoming.reason:
        return incoming.reason
    message = message_of(incoming.fields)
    route = router.route(message)
    if not _passes(case, message, route):
        return None
    if route is None:
        return _UNWRITTEN
    problem = message.malformed() or poison_reason(message)
    if problem:
        return f"its writer cannot write it: {problem}"
    return Item(
        target=target,
        action=Action.DELIVER,
        source=source,
        id=incoming.id,
        group=route.group,
        keys=RowKey.all_of(route.lookups(message)),
    )


def message_of(fields: Fields, identity: bytes = _NO_ID) -> Message:
    """These fields as a message."""
    return Message((identity, list(flat(fields))))


def _passes(case: Case, message: Message, route: CompiledRoute | None) -> bool:
    """Whether the filters let it through; its own time stands for the time in an ID."""
    happened_ms = message.event_ms()
    if happened_ms is None:
        happened_ms = case.now_ms
    candidate = Candidate(
        id=(happened_ms, 0),
        state="",
        group=route.group if route else "",
        keys=(),
        held={},
        problem="",
        origins=tuple(origins_of(list(message.fields.items()))),
        event_type=event_type(message.fields.get(b"event_type") or message.fields.get(b"hook_type")),
        platform=platform(message.fields.get(b"platform")),
    )
    return replace(case.wanted, ids=frozenset()).candidate(candidate, case.now_ms)
