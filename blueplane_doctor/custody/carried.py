"""Which things of Cursor's databases are still on their way: in the stream and not written, or in the dead letters."""

from collections.abc import Iterable

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.states import DEAD_LETTERED, IN_FLIGHT, STUCK, WAITING
from blueplane_doctor.pipeline import CURSOR_MONITOR_SOURCES

ON_THE_WAY = frozenset((WAITING, IN_FLIGHT, STUCK, DEAD_LETTERED))
MOST_CARRIED = 20_000
"""Identities that are kept; the stream holds half as many messages."""
_IDENTITIES = ("composerId", "bubbleId", "generationUUID", "unixMs")


class CarriedItems:
    """Identities of such things, by whether they come from the global database."""

    def __init__(self) -> None:
        self._states: dict[tuple[bool, str], str] = {}

    def note(self, messages: Iterable[Message], states: Iterable[str]) -> None:
        """Keep those that a message on its way carries."""
        for message, state in zip(messages, states, strict=True):
            if state not in ON_THE_WAY or message.value("metadata.source") not in CURSOR_MONITOR_SOURCES:
                continue
            for identity in _identities(message):
                if len(self._states) < MOST_CARRIED:
                    self._states[identity] = state

    def state_of(self, is_global: bool, identity: str) -> str | None:
        """The state of the message that carries it; None where none does."""
        return self._states.get((is_global, identity))

    @property
    def is_full(self) -> bool:
        """Whether there may be more than are kept."""
        return len(self._states) >= MOST_CARRIED


def _identities(message: Message) -> list[tuple[bool, str]]:
    if message.value("metadata.storage_level") == "global":
        key = message.value("metadata.item_key")
        return [(True, key)] if key else []
    values = [message.value(f"payload.full_data.{name}") for name in _IDENTITIES]
    return [(False, value) for value in values if value]
