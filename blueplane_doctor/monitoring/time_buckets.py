"""Messages by event time: of each ten minutes, how many are at every stage."""

from collections import Counter

from blueplane_doctor.custody.ledger import LATER, OLDER, WITHOUT_TIMESTAMP, Ledger
from blueplane_doctor.custody.states import (
    DEAD_LETTERED,
    HAS_ROW,
    IN_FLIGHT,
    LOST,
    SKIPPED,
    STUCK,
    UNEXAMINED,
    UNTRACEABLE,
    WAITING,
)
from blueplane_doctor.model import Record
from blueplane_doctor.times import iso_of_milliseconds


class TimeBucket(Record):
    """Messages of ten minutes of event time, at every stage: `enqueued` is the sum of all but `delivered`."""

    start: str
    """ISO 8601, or `older` (than a day), `later` (than now), `without_timestamp`."""
    enqueued: int
    delivered: int
    """Given to their writer, or by design unwritten."""
    written: int
    """Those not acknowledged, those not delivered, and duplicates included."""
    skipped: int
    waiting: int
    held: int
    """In flight or stuck."""
    dead_lettered: int
    untraceable: int
    broken: int
    """Lost."""
    unexamined: int


def buckets_of(ledger: Ledger) -> list[TimeBucket]:
    """Those of the last day, in their order."""
    starts = sorted(start for start in ledger.buckets if isinstance(start, int))
    return [_bucket(iso_of_milliseconds(start), ledger.buckets[start]) for start in starts]


def other_buckets_of(ledger: Ledger) -> list[TimeBucket]:
    """What is older than a day, later than now, or without a timestamp."""
    names = [name for name in (OLDER, LATER, WITHOUT_TIMESTAMP) if name in ledger.buckets]
    return [_bucket(name, ledger.buckets[name]) for name in names]


def _bucket(start: str, counts: Counter[str]) -> TimeBucket:
    total = sum(counts.values())
    return TimeBucket(
        start=start,
        enqueued=total,
        delivered=total - counts[WAITING],
        written=sum(counts[state] for state in HAS_ROW),
        skipped=counts[SKIPPED],
        waiting=counts[WAITING],
        held=counts[IN_FLIGHT] + counts[STUCK],
        dead_lettered=counts[DEAD_LETTERED],
        untraceable=counts[UNTRACEABLE],
        broken=counts[LOST],
        unexamined=counts[UNEXAMINED],
    )
