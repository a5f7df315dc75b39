"""Messages that a repair delivered again: the copy stands for its original, which nobody holds any more. No I/O.

A repair adds the copy and acknowledges the original in one step. Until the copy is written the original looks lost, or,
where rows may be gone, untraceable: it is neither pending nor written. It is a duplicate, whatever becomes of the copy.
So is another message of the same key, which the repair set aside.
"""

from collections.abc import Iterator
from typing import NamedTuple

from blueplane_doctor.custody.judge import JudgedPage
from blueplane_doctor.custody.ledger import Tally
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import CompiledRoute
from blueplane_doctor.custody.states import LOST
from blueplane_doctor.sources.entry_ids import entry_id, id_text
from blueplane_doctor.sources.trace_tables import Lookup

MARK = b"blueplane_doctor_repaired_from"
"""The field that a copy has beside those of its message: where the message comes from, the first origin first."""
MOST_REMEMBERED = 50_000
"""Messages without a row that are remembered, which bounds memory."""


def origins_in(mark: bytes) -> list[str]:
    """Where a copy comes from, by the value of its mark."""
    return mark.decode("utf-8", "replace").split()


def original_of(message: Message) -> str:
    """The ID of the message that this one is a copy of; empty where it is none."""
    origins = origins_in(message.fields.get(MARK, b""))
    return origins[-1] if origins else ""


class Original(NamedTuple):
    """A message that a copy stands for."""

    tally: Tally
    """How it was counted."""
    untraceable_because: str = ""
    """Why nothing could be said of it; empty where it was counted as lost."""


class MessagesWithoutRow:
    """Messages that a copy further on in the stream may stand for."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._by_key: dict[Lookup, list[str]] = {}
        """The IDs of these, by the keys that no second row can have."""

    def __len__(self) -> int:
        return len(self._ids)

    def note(self, message: Message, route: CompiledRoute | None) -> str:
        """Remember one; gives its ID."""
        identity = id_text(message.id)
        self._ids.add(identity)
        for lookup in _unique_keys(message, route):
            self._by_key.setdefault(lookup, []).append(identity)
        return identity

    def stood_for_by(self, message: Message, route: CompiledRoute | None) -> Iterator[str]:
        """The IDs of those that this message stands for as a copy; each is told once."""
        if MARK not in message.fields:
            return
        identities = [original_of(message)]
        for lookup in _unique_keys(message, route):
            for identity in self._by_key.get(lookup, ()):
                if entry_id(identity.encode()) < message.id:
                    identities.append(identity)
        for identity in identities:
            if identity in self._ids:
                self._ids.remove(identity)
                yield identity


class CopiedMessages:
    """Finds the messages of the ledger without a row that have a copy further on in the stream."""

    def __init__(self) -> None:
        self._without_row = MessagesWithoutRow()
        self._originals: dict[str, Original] = {}
        """By their IDs."""

    def take(self, page: JudgedPage, tallies: list[Tally]) -> Iterator[tuple[str, Original]]:
        """The IDs of the messages of which this page holds the copies, each with how it was counted."""
        if LOST in page.states or page.untraceable_because:
            self._remember(page, tallies)
        if not self._without_row:
            return
        for message, route in zip(page.messages, page.routes, strict=True):
            for identity in self._without_row.stood_for_by(message, route):
                yield identity, self._originals.pop(identity)

    def _remember(self, page: JudgedPage, tallies: list[Tally]) -> None:
        for place, message in enumerate(page.messages):
            reason = page.untraceable_because.get(place, "")
            if (page.states[place] == LOST or reason) and len(self._without_row) < MOST_REMEMBERED:
                identity = self._without_row.note(message, page.routes[place])
                self._originals[identity] = Original(tallies[place], reason)


def _unique_keys(message: Message, route: CompiledRoute | None) -> list[Lookup]:
    """Where its row would be, if no other message can have that row."""
    if route is None:
        return []
    return [lookup for lookup in route.lookups(message) if lookup.is_unique]
