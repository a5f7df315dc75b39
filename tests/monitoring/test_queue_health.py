"""The queue's numbers: depth, ages, rates, groups."""

from datetime import timedelta

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceMissing
from blueplane_doctor.monitoring.queue_health import QueueHealth
from blueplane_doctor.pipeline import READER_GROUPS
from blueplane_doctor.text import hidden
from tests.monitoring.support import collected

CLAUDE_WRITER, CURSOR_WRITER = "claude_processors", "processors"


@pytest.mark.server
def test_a_message_that_two_groups_have_not_finished_counts_once(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(10, at=any_pipeline.ago(seconds=40))
    any_pipeline.deliver(CURSOR_WRITER, count=6)
    any_pipeline.deliver(CLAUDE_WRITER, count=4)
    record = collected(QueueHealth, any_pipeline)
    assert (record.queue_depth, record.pending_messages, record.stream_length) == (10, 6, 10)
    assert {g.name: (g.pending, g.undelivered) for g in record.groups if g.role == "writer"} == {
        CURSOR_WRITER: (6, 4),
        CLAUDE_WRITER: (4, 6),
    }


@pytest.mark.server
def test_what_readers_hold_is_neither_depth_nor_pending(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(10, at=any_pipeline.ago(seconds=40))
    any_pipeline.drain(CURSOR_WRITER, CLAUDE_WRITER)
    any_pipeline.deliver(READER_GROUPS[0])
    record = collected(QueueHealth, any_pipeline)
    assert (record.queue_depth, record.pending_messages, record.consumer_lag_ms) == (0, 0, 0)
    reader = next(g for g in record.groups if g.name == READER_GROUPS[0])
    assert (reader.role, reader.pending, reader.stuck, reader.orphaned) == ("reader", 10, None, None)
    assert [g.role for g in record.groups] == ["writer"] * 2 + ["reader"] * 3


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


def test_without_the_database_the_rest_is_known(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(3, at=pipeline.ago(seconds=3))
    pipeline.database.unlink()
    record = collected(QueueHealth, pipeline)
    assert (record.queue_depth, record.processing_rate_events_per_sec) == (3, None)


def test_a_writer_group_that_does_not_exist_is_listed(pipeline: Pipeline) -> None:
    pipeline.client.xgroup_destroy(pipeline.queue, CLAUDE_WRITER)
    record = collected(QueueHealth, pipeline)
    assert {g.name: g.exists for g in record.groups if g.role == "writer"} == {
        CURSOR_WRITER: True,
        CLAUDE_WRITER: False,
    }


def test_a_group_of_an_unknown_name_is_a_reader(pipeline: Pipeline) -> None:
    pipeline.client.xgroup_create(pipeline.queue, "somebody", "0")
    record = collected(QueueHealth, pipeline)
    assert {g.name: g.role for g in record.groups}[hidden("somebody")] == "reader"


def test_another_name_for_the_writer_is_taken_from_the_settings(pipeline: Pipeline) -> None:
    pipeline.client.xgroup_destroy(pipeline.queue, CURSOR_WRITER)
    pipeline.client.xgroup_create(pipeline.queue, "our_writers", "0")
    record = collected(QueueHealth, pipeline, streams={"group": "our_writers"})
    assert {g.name for g in record.groups if g.role == "writer"} == {hidden("our_writers"), CLAUDE_WRITER}


def test_without_a_stream_there_is_no_record(pipeline: Pipeline) -> None:
    pipeline.client.flushall()
    with pytest.raises(SourceMissing, match="has no stream"):
        collected(QueueHealth, pipeline)


@pytest.mark.server
def test_more_pending_messages_than_a_page(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(2_500, at=any_pipeline.ago(minutes=2), payload_bytes=40)
    for _ in range(25):
        any_pipeline.deliver(CURSOR_WRITER, count=100)
    any_pipeline.drain(CLAUDE_WRITER, batch=1_000)
    any_pipeline.age_pending(CURSOR_WRITER, milliseconds=45_000)
    record = collected(QueueHealth, any_pipeline)
    held = next(g for g in record.groups if g.name == CURSOR_WRITER)
    assert (held.pending, held.stuck, record.queue_depth) == (2_500, 2_500, 2_500)
