"""Messages by event time: of each ten minutes, how many are at every stage."""

from collections import Counter
from collections.abc import Mapping

from blueplane_doctor.custody.ledger import LATER, OLDER, WITHOUT_TIMESTAMP
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
from blueplane_doctor.records.base import Record
from blueplane_doctor.text.times import iso_of_milliseconds


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


def of_last_day(buckets: Mapping[int | str, Counter[str]]) -> list[tuple[str, Counter[str]]]:
    """Start and counts of the buckets of the last day, in their order."""
    starts = sorted(start for start in buckets if isinstance(start, int))
    return [(iso_of_milliseconds(start), buckets[start]) for start in starts]


def of_other_times(buckets: Mapping[int | str, Counter[str]]) -> list[tuple[str, Counter[str]]]:
    """Name and counts of what is older than a day, later than now, or without a timestamp."""
    others = []
    for name in (OLDER, LATER, WITHOUT_TIMESTAMP):
        if name in buckets:
            others.append((name, buckets[name]))
    return others


def time_bucket(start: str, counts: Counter[str]) -> TimeBucket:
    """The stages of the messages of one bucket, by their states."""
    total = sum(counts.values())
    written = 0
    for state in HAS_ROW:
        written += counts[state]
    return TimeBucket(
        start=start,
        enqueued=total,
        delivered=total - counts[WAITING],
        written=written,
        skipped=counts[SKIPPED],
        waiting=counts[WAITING],
        held=counts[IN_FLIGHT] + counts[STUCK],
        dead_lettered=counts[DEAD_LETTERED],
        untraceable=counts[UNTRACEABLE],
        broken=counts[LOST],
        unexamined=counts[UNEXAMINED],
    )
