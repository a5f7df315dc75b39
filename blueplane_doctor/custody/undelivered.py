"""What writer groups were not given yet, by their position: what waits, and what is written all the same.

A group that was moved back (XGROUP SETID), or made anew, stands before messages whose rows are there. So does one that
was not given yet what was enqueued once more.
"""

from dataclasses import dataclass, field

from blueplane_doctor.custody.held import SHOWN_IDS
from blueplane_doctor.custody.judge import JudgedPage
from blueplane_doctor.custody.states import WAITING, WRITTEN_NOT_DELIVERED
from blueplane_doctor.sources.entry_ids import EntryId, id_text

NOT_DELIVERED = frozenset((WAITING, WRITTEN_NOT_DELIVERED))
"""States of messages that their own writer group was not given."""


@dataclass(eq=False, repr=False)
class Undelivered:
    """What one writer group has still to be given, of the messages that it has to write."""

    waiting: int = 0
    """Messages without a row."""
    written: int = 0
    """Messages whose row is there."""
    written_ids: list[str] = field(default_factory=list)
    """The first SHOWN_IDS of these."""
    written_up_to: EntryId | None = None
    """The last of these before the first that waits: a group that is moved on to it misses nothing."""
    written_later: int = 0
    """Of these, the ones behind a message that waits."""
    repeats: int = 0
    """Of these, the ones whose row an earlier message of the same key has: they were enqueued once more."""

    def count(self, identity: EntryId, state: str, *, is_repeat: bool = False) -> None:
        """Count a message; they come in the order of the stream."""
        if state == WAITING:
            self.waiting += 1
            return
        self.written += 1
        if is_repeat:
            self.repeats += 1
        if len(self.written_ids) < SHOWN_IDS:
            self.written_ids.append(id_text(identity))
        if self.waiting:
            self.written_later += 1
        else:
            self.written_up_to = identity


@dataclass(eq=False, repr=False)
class UndeliveredMessages:
    """What all writer groups were not given, counted page by page."""

    groups: dict[str, Undelivered] = field(default_factory=dict)

    def of(self, group: str) -> Undelivered:
        """What one group was not given."""
        return self.groups.setdefault(group, Undelivered())

    def count(self, page: JudgedPage) -> None:
        """Count the messages of a page."""
        if NOT_DELIVERED.isdisjoint(page.states):
            return
        for place, (message, route, state) in enumerate(zip(page.messages, page.routes, page.states, strict=True)):
            if route is not None and state in NOT_DELIVERED:
                self.of(route.group).count(message.id, state, is_repeat=place in page.repeats)
