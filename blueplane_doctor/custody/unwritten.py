"""By which keys the rows of Claude's messages would be found that are in the stream and have none yet."""

from collections.abc import Iterable

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import CompiledRoute
from blueplane_doctor.custody.states import HAS_ROW, SKIPPED, STATES
from blueplane_doctor.pipeline import CLAUDE_TABLE
from blueplane_doctor.sources.trace_tables import Lookup

NEEDS_ROW = frozenset(STATES) - HAS_ROW - {SKIPPED}
"""States of messages that have no row and are meant to have one."""
MOST_KEYS = 20_000
"""Keys that are kept; the stream holds half as many messages."""


class UnwrittenKeys:
    """The keys that one walk of the stream met."""

    def __init__(self) -> None:
        self._keys: set[Lookup] = set()
        self.is_full = False
        """Whether there may be more than are kept."""

    def note(self, messages: Iterable[Message], routes: Iterable[CompiledRoute | None], states: Iterable[str]) -> None:
        """Keep the keys of the messages without a row."""
        for message, route, state in zip(messages, routes, states, strict=True):
            if route is None or state not in NEEDS_ROW:
                continue
            if len(self._keys) >= MOST_KEYS:
                self.is_full = True
                return
            for lookup in route.lookups(message):
                if lookup.table == CLAUDE_TABLE:
                    self._keys.add(lookup)

    def __contains__(self, key: Lookup) -> bool:
        return key in self._keys
