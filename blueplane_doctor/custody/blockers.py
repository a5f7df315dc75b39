"""Which of the stuck messages cannot be written. The others only wait with them, in the same batch.

A message whose row is there already cannot be written a second time: it holds up the others as well.
"""

from collections import Counter

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.poison import poison_reason
from blueplane_doctor.privacy.public_fields import GroupName, MessageId
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.entry_ids import id_text
from blueplane_doctor.sources.trace_tables import Lookup

# More show a person nothing new; all are counted.
KEPT_BLOCKERS = 100
_KEPT_KEYS = 50_000
"""Keys of stuck messages that are remembered, which bounds memory."""


class ChainBlocker(Record):
    """A stuck message that its writer cannot write, and that holds up what was read with it."""

    id: MessageId
    group: GroupName
    reason: str


class BlockerFinder:
    """Finds them among the stuck messages, given in the order of the stream."""

    def __init__(self) -> None:
        self.blockers: list[ChainBlocker] = []
        """The first KEPT_BLOCKERS."""
        self.counts: Counter[str] = Counter()
        """All of them, by group."""
        self._first_with: dict[Lookup, str] = {}
        """The ID of the first stuck message of each key."""

    def examine(self, message: Message, group: str, lookups: list[Lookup], rows: dict[Lookup, list[int]]) -> None:
        """Take one stuck message; `rows` holds the rows of its keys, as far as there are any."""
        identity = id_text(message.id)
        same_key = self._same_key(identity, lookups, rows)
        reason = message.malformed() or poison_reason(message) or same_key
        if not reason:
            return
        self.counts[group] += 1
        if len(self.blockers) < KEPT_BLOCKERS:
            self.blockers.append(ChainBlocker(id=identity, group=group, reason=reason))

    def _same_key(self, identity: str, lookups: list[Lookup], rows: dict[Lookup, list[int]]) -> str:
        reason = ""
        for key in lookups:
            # The columns before it name the session, which many rows have in common.
            column = key.columns[-1]
            if rows.get(key):
                reason = f"a row with the same {column} is there already"
            # Rows of one session may have the same time: no unique index forbids that.
            elif key in self._first_with and column != "timestamp":
                reason = f"same {column} as {self._first_with[key]}"
            elif len(self._first_with) < _KEPT_KEYS:
                self._first_with[key] = identity
        return reason
