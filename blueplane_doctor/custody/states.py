"""The states of custody, and the one rule that says which of them a message is in. No I/O.

The ledger, `trace` and `probe` collect the evidence in their own ways and all ask `state_of`.
"""

from enum import Enum
from typing import NamedTuple

from blueplane_doctor.sources.entry_ids import EntryId, entry_id

WAITING = "waiting"
"""Not yet delivered to its writer group; no row, as far as that was looked up."""
IN_FLIGHT = "in_flight"
"""Delivered a moment ago and not acknowledged."""
STUCK = "stuck"
"""Delivered and unacknowledged for 30 s, or delivered three times, or held by a consumer that is gone; no row."""
WRITTEN = "written"
"""Its row is there."""
DUPLICATE = "duplicate"
"""Its row is there, and an earlier message of the same key claims it; or `repair` made a copy, which stands for it."""
DEAD_LETTERED = "dead_lettered"
"""Acknowledged, no row, and a dead letter names it."""
SKIPPED = "skipped"
"""By design nobody writes it."""
UNTRACEABLE = "untraceable"
"""Neither pending nor written, and that says nothing: it carries nothing by which a row could be found, or the tables
begin later than it, or its dead letter may be among those that were dropped."""
WRITTEN_NOT_ACKNOWLEDGED = "written_not_acknowledged"
"""Its row is there, and its writer group has held it as long or as often as a stuck one."""
WRITTEN_NOT_DELIVERED = "written_not_delivered"
"""Its row is there, and by its position its writer group was not given it: the group was moved back, made anew or is
gone, or the same event was enqueued once more. Delivered now, it makes its batch fail."""
LOST = "lost"
"""Delivered, and neither pending nor written: no consumer holds it, it has no row and no dead letter.

It was acknowledged, or its consumer or group was deleted: Redis does not record which."""
UNEXAMINED = "unexamined"
"""This run could not judge it: the time was up, or the database did not answer."""
STATES = (
    *(WAITING, IN_FLIGHT, STUCK, WRITTEN_NOT_ACKNOWLEDGED, WRITTEN_NOT_DELIVERED, WRITTEN, DUPLICATE),
    *(DEAD_LETTERED, SKIPPED, UNTRACEABLE, LOST, UNEXAMINED),
)
"""Every message examined is in exactly one."""
HAS_ROW = frozenset((WRITTEN, DUPLICATE, WRITTEN_NOT_ACKNOWLEDGED, WRITTEN_NOT_DELIVERED))
"""Those of messages whose row is there."""
UNFINISHED = frozenset((WAITING, IN_FLIGHT, STUCK))
"""Those of messages that their own writer still has to write."""

PAYLOAD_GONE = "payload_gone"
"""Not in the stream any more, and a writer still holds its ID."""

STUCK_MS = 30_000
"""Unacknowledged for this long: a batch of the pipeline takes milliseconds."""
STUCK_DELIVERIES = 3
"""Delivered this often: twice may be a restart."""
_MOST_DELIVERIES = 1_000_000_000
"""Some servers give 2**63 for an entry that was claimed with a count of its own."""


class PendingEntry(NamedTuple):
    """One entry of a pending entries list: delivered and not acknowledged. `idle_ms`: since its last delivery."""

    id: EntryId
    consumer: bytes
    idle_ms: int
    deliveries: int

    @classmethod
    def of(cls, raw_id: bytes, consumer: bytes, idle: int, deliveries: int) -> "PendingEntry":
        """From a row of XPENDING. A message that was given back has idle -1, which counts as 0."""
        return cls(entry_id(raw_id), consumer, max(0, idle), min(deliveries, _MOST_DELIVERIES))

    @property
    def stuck(self) -> bool:
        """Whether it is past the time or the tries of a healthy writer.

        This covers what a consumer that is gone holds: the consumer has been silent for 30 s, and its entries with it.
        """
        return self.idle_ms >= STUCK_MS or self.deliveries >= STUCK_DELIVERIES


class RowEvidence(Enum):
    """What the database says of a message's row."""

    NOT_LOOKED_UP = "not looked up"
    """Not needed, or the database cannot be read."""
    ABSENT = "absent"
    CLAIMED = "claimed"
    """There, and this is the first message that claims it."""
    TAKEN = "taken"
    """There, and an earlier message claims it."""


def state_of(
    *,
    has_writer: bool,
    is_delivered: bool,
    pending: PendingEntry | None,
    row: RowEvidence = RowEvidence.NOT_LOOKED_UP,
    has_dead_letter: bool = False,
    has_key: bool = True,
) -> str:
    """The state of one message that is in the stream.

    `has_writer`: some route owns it; `is_delivered`: its writer group was given it; `pending`: its entry in the pending
    entries list of that group; `has_key`: it carries the values by which its row would be found.
    """
    if not has_writer:
        return SKIPPED
    has_row = row in (RowEvidence.CLAIMED, RowEvidence.TAKEN)
    if not is_delivered:
        return WRITTEN_NOT_DELIVERED if has_row else WAITING
    if pending is not None and not pending.stuck:
        return IN_FLIGHT
    if pending is not None:
        return WRITTEN_NOT_ACKNOWLEDGED if has_row else STUCK
    # From here on nobody holds it, and only the database tells what became of it.
    if row is RowEvidence.NOT_LOOKED_UP:
        return UNEXAMINED
    if row is RowEvidence.CLAIMED:
        return WRITTEN
    if row is RowEvidence.TAKEN:
        return DUPLICATE
    if has_dead_letter:
        return DEAD_LETTERED
    return LOST if has_key else UNTRACEABLE
