"""Which items of a plan are done together: what costs a round trip each would take too long for thousands. No I/O."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from blueplane_doctor.pipeline import READER_GROUPS
from blueplane_doctor.repair.plan import Action, Fields, Item, Source

MOST_TOGETHER = 25
"""Messages of one step of Redis, which serves nobody else meanwhile: about a millisecond."""
MOST_BYTES = 256 * 1024
"""Of these messages; a larger one goes alone."""
_SESSION_EVENTS = (b"session_start", b"session_end")
_SESSION_HOOKS = (b"SessionStart", b"SessionEnd", b"Stop")
"""Messages at which the groups that follow sessions begin or end one, or read a transcript."""

Numbered = tuple[int, Item]
"""An item, and its place in the plan."""


class Delivery(NamedTuple):
    """One item that is to be delivered, with its message."""

    number: int
    """Its place in the plan."""
    item: Item
    fields: Fields

    @property
    def past(self) -> tuple[str, ...]:
        """The groups that must not be given a copy of this message.

        Who follows sessions was given the original. A session that begins a second time has its whole transcript read
        a second time, and each of its lines is then written already.
        """
        if self.item.source not in (Source.STREAM, Source.DEAD_LETTER):
            return ()
        values = dict(self.fields)
        if values.get(b"event_type") in _SESSION_EVENTS or values.get(b"hook_type") in _SESSION_HOOKS:
            return READER_GROUPS
        return ()

    @property
    def size(self) -> int:
        """Bytes of its message."""
        return sum(len(name) + len(value) for name, value in self.fields)


def batches(items: Iterable[Numbered], most: int = MOST_TOGETHER) -> Iterator[list[Numbered]]:
    """The items in their order, in batches that may be done together."""
    batch: list[Numbered] = []
    for number, item in items:
        if batch and (not _goes_with_others(item) or len(batch) >= most):
            yield batch
            batch = []
        batch.append((number, item))
        if not _goes_with_others(item):
            yield batch
            batch = []
    if batch:
        yield batch


def _goes_with_others(item: Item) -> bool:
    """A copy of a copy goes alone: beside others it would not show whether it is the one that cannot be written."""
    return item.action is Action.DELIVER and not item.origins


def steps_of(deliveries: Iterable[Delivery]) -> Iterator[list[Delivery]]:
    """The deliveries in their order, in lists that one step of Redis takes."""
    step: list[Delivery] = []
    size = 0
    for delivery in deliveries:
        # A group is moved past a copy only from the end of the stream, so another copy must not stand before it.
        goes_alone = bool(delivery.past)
        if step and (goes_alone or step[-1].past or size + delivery.size > MOST_BYTES):
            yield step
            step = []
            size = 0
        step.append(delivery)
        size += delivery.size
    if step:
        yield step
