"""The queue's numbers: depth, ages, rates, groups."""

from datetime import timedelta

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceMissing
from blueplane_doctor.monitoring.queue_health import QueueHealth
from tests.monitoring.support import collected

CURSOR_WRITER = "processors"


def test_ages_are_those_of_the_oldest_unfinished(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(5, at=pipeline.ago(minutes=30))
    pipeline.drain()
    pipeline.enqueue_cursor(1, at=pipeline.ago(seconds=90))
    pipeline.deliver(CURSOR_WRITER)
    pipeline.enqueue_cursor(1, at=pipeline.ago(seconds=20))
    record = collected(QueueHealth, pipeline)
    assert 88_000 < record.consumer_lag_ms < 110_000
    assert record.oldest_pending_age_ms is not None and 88_000 < record.oldest_pending_age_ms < 110_000


def test_rates_are_means_of_sixty_seconds(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(60, at=pipeline.ago(seconds=100), spread=timedelta(seconds=30))
    pipeline.enqueue_cursor(30, at=pipeline.ago(seconds=30), spread=timedelta(seconds=10))
    pipeline.drain()
    record = collected(QueueHealth, pipeline)
    assert (record.enqueue_rate_events_per_sec, record.processing_rate_events_per_sec) == (0.5, 0.5)


def test_without_the_database_the_rest_is_known(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(3, at=pipeline.ago(seconds=3))
    pipeline.database.unlink()
    record = collected(QueueHealth, pipeline)
    assert (record.queue_depth, record.processing_rate_events_per_sec) == (3, None)


def test_without_a_stream_there_is_no_record(pipeline: Pipeline) -> None:
    pipeline.client.flushall()
    with pytest.raises(SourceMissing, match="has no stream"):
        collected(QueueHealth, pipeline)
