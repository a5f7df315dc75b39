"""Ten-minute buckets of event time."""

import pytest

from blueplane_doctor.custody.ledger import BUCKET_MS, KEPT_MS, LATER, OLDER, WITHOUT_TIMESTAMP, bucket_of
from blueplane_doctor.demo.simulator import Pipeline
from tests.helpers import examined

NOW = 1_767_225_600_000  # a full hour


@pytest.mark.parametrize(
    ("event_ms", "bucket"),
    [
        (NOW, NOW),
        (NOW + BUCKET_MS - 1, NOW),
        (NOW - 1, NOW - BUCKET_MS),
        (NOW - KEPT_MS, NOW - KEPT_MS),
        (NOW - KEPT_MS - 1, OLDER),
        (NOW + BUCKET_MS + 1, LATER),
        (None, WITHOUT_TIMESTAMP),
    ],
)
def test_edges(event_ms: int | None, bucket: int | str) -> None:
    assert bucket_of(event_ms, NOW) == bucket


def test_a_message_counts_in_the_bucket_of_its_own_time_at_every_stage(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(3, timestamp=pipeline.ago(minutes=35).isoformat())
    pipeline.drain()
    pipeline.enqueue_cursor(2, timestamp=pipeline.ago(minutes=35).isoformat())
    pipeline.enqueue_cursor(1, timestamp=None)
    chain = examined(pipeline, select="chain").metrics["chain"]
    assert chain
    (bucket,) = chain["buckets"]
    assert (bucket["enqueued"], bucket["delivered"], bucket["written"], bucket["waiting"]) == (5, 3, 3, 2)
    (apart,) = chain["other_buckets"]
    assert (apart["start"], apart["enqueued"]) == ("without_timestamp", 1)
