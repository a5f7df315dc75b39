"""The backlog from one look: whether it grows, and until when it reaches the limit."""

from datetime import timedelta

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring.queue_health import QueueHealth
from tests.monitoring.support import collected


def test_a_lasting_backlog_grows_by_what_came_less_what_was_written(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(300, at=pipeline.ago(seconds=280), spread=timedelta(seconds=200))
    pipeline.enqueue_cursor(60, at=pipeline.ago(seconds=55), spread=timedelta(seconds=40))
    record = collected(QueueHealth, pipeline)
    assert record.queue_depth == 360
    assert record.backlog_per_minute == 60, "the smaller one: five minutes say 72"
    assert record.minutes_to_loss == pytest.approx((10_000 - 360) / 60, abs=0.1)


def test_a_burst_of_seconds_is_no_growth(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(2_000, at=pipeline.ago(seconds=5), spread=timedelta(seconds=3))
    record = collected(QueueHealth, pipeline)
    assert (record.queue_depth, record.backlog_per_minute, record.minutes_to_loss) == (2_000, 0, None)


def test_what_nobody_has_to_write_is_no_growth(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(150, at=pipeline.ago(seconds=400), spread=timedelta(seconds=30))
    pipeline.enqueue_skipped(200)
    record = collected(QueueHealth, pipeline)
    assert (record.queue_depth, record.backlog_per_minute, record.minutes_to_loss) == (150, 0, None)
