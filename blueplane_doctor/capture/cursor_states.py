"""The states of what changed in Cursor's databases, and the one rule that says which of them an item is in. No I/O."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from blueplane_doctor.custody.carried import CarriedItems
from blueplane_doctor.custody.states import DEAD_LETTERED, WRITTEN
from blueplane_doctor.sources.cursor_items import GENERATION, PROMPT, Item

OUTDATED = "outdated"
"""An earlier state of it has a row, its last change has none."""
IN_STREAM = "in_stream"
"""Its message waits in the stream, or a writer holds it."""
TOO_YOUNG = "too_young"
"""The server may not have looked since it changed."""
BEFORE_CAPTURE = "before_capture"
"""It changed before anything of Cursor was captured here, or its row may be among those that were deleted since."""
NEVER_CAPTURED = "never_captured"
"""The server never sends such an item, by design or by a defect of its own."""
MISSING = "missing"
"""Nothing of it was captured."""
ITEM_STATES = (
    *(WRITTEN, OUTDATED, IN_STREAM, DEAD_LETTERED, TOO_YOUNG, BEFORE_CAPTURE, NEVER_CAPTURED, MISSING),
)  # fmt: skip

YOUNG_MS = 180_000
"""Cursor saves every minute, the server looks every minute, and waits for 10 s more."""
LATE_MS = 900_000
"""An answer is saved when it ends: of the global database an item may be younger than it says, by as much."""
_WRITTEN_SINCE_MS = 60_000
"""The writers need at most so long for what one look of the server sent."""
_NEVER_SENT = frozenset((GENERATION, PROMPT))


class Moment(NamedTuple):
    """What one database's items are judged by, beside their rows."""

    now_ms: int
    modified_ms: int
    """When the database was last written."""
    began_ms: int
    """When capture began."""
    is_looked_at: bool
    """Whether the server looks at this database on this system at all."""


def states_of(items: Sequence[Item], rows: Mapping[Item, int], carried: CarriedItems, moment: Moment) -> list[str]:
    """The state of each item of one database. They come in the order in which they were written.

    `rows`: when the server last read each item that has a row, in milliseconds since 1970.
    """
    states = []
    # The server reads a whole database at each look. If it read a later item a while ago, it had seen those before it.
    was_looked_at_since = False
    for item in reversed(items):
        read_ms = rows.get(item)
        states.append(_state(item, read_ms, carried, moment, was_looked_at_since))
        if read_ms is not None and (item.written_from_ms or 0) <= read_ms <= moment.now_ms - _WRITTEN_SINCE_MS:
            was_looked_at_since = True
    states.reverse()
    return states


def _state(item: Item, read_ms: int | None, carried: CarriedItems, moment: Moment, was_looked_at_since: bool) -> str:
    if read_ms is not None and read_ms >= (item.changed_ms or 0):
        return WRITTEN
    message_state = carried.state_of(item.is_global, item.identity)
    if message_state == DEAD_LETTERED:
        return DEAD_LETTERED
    if message_state is not None:
        return IN_STREAM
    if read_ms is None and _is_never_sent(item, moment.is_looked_at):
        return NEVER_CAPTURED
    if _is_too_young(item, moment, was_looked_at_since):
        return TOO_YOUNG
    if read_ms is not None:
        return OUTDATED
    if item.since_ms < moment.began_ms:
        return BEFORE_CAPTURE
    return MISSING


def _is_never_sent(item: Item, is_looked_at: bool) -> bool:
    """Whether the server never sends such an item, by design or by a defect of its own."""
    return item.kind in _NEVER_SENT or item.is_malformed or not is_looked_at


def _is_too_young(item: Item, moment: Moment, was_looked_at_since: bool) -> bool:
    if moment.modified_ms < moment.now_ms - YOUNG_MS:
        return False
    if item.since_ms > moment.now_ms - YOUNG_MS:
        return True
    if not item.is_global or was_looked_at_since:
        return False
    # By its place in the table alone an item is at least so old, and may be written a moment ago.
    return item.changed_ms is None or item.changed_ms > moment.now_ms - LATE_MS
