"""Messages by event time: every stage of a bucket, and what lies outside the last day."""

from collections import Counter

from blueplane_doctor.custody.ledger import LATER, OLDER, WITHOUT_TIMESTAMP, Ledger
from blueplane_doctor.custody.states import DUPLICATE, IN_FLIGHT, LOST, STUCK, WAITING, WRITTEN
from blueplane_doctor.monitoring.time_buckets import of_last_day, of_other_times, time_bucket


def test_stages_of_a_bucket_and_the_order_of_buckets() -> None:
    ledger = Ledger()
    states = {WRITTEN: 5, DUPLICATE: 1, WAITING: 2, IN_FLIGHT: 3, STUCK: 1, LOST: 1}
    ledger.buckets[1_795_360_200_000] = Counter(states)
    ledger.buckets[1_795_359_600_000] = Counter({WRITTEN: 7})
    for name in (WITHOUT_TIMESTAMP, LATER, OLDER):
        ledger.buckets[name] = Counter({WAITING: 1})
    earlier, later = (time_bucket(*bucket) for bucket in of_last_day(ledger.buckets))
    assert (earlier.start, earlier.enqueued, earlier.written) == ("2026-11-22T15:00:00.000Z", 7, 7)
    assert later.start == "2026-11-22T15:10:00.000Z"
    assert (later.enqueued, later.delivered, later.written) == (13, 11, 6)
    assert (later.waiting, later.held, later.broken) == (2, 4, 1)
    assert [name for name, _ in of_other_times(ledger.buckets)] == [OLDER, LATER, WITHOUT_TIMESTAMP]
