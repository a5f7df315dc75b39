"""The groups of the queue: which there are, their roles, and what each holds."""

import pytest

from blueplane_doctor.demo.servers import stand_in_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring.group_health import GroupHealth
from blueplane_doctor.monitoring.queue_health import QueueHealth
from blueplane_doctor.pipeline import READER_GROUPS
from blueplane_doctor.privacy.public_text import hidden
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


@pytest.mark.server
def test_a_consumer_that_is_named_as_no_server_is_another_program(any_pipeline: Pipeline) -> None:
    def writer() -> GroupHealth:
        record = collected(QueueHealth, any_pipeline)
        return next(group for group in record.groups if group.name == CURSOR_WRITER)

    any_pipeline.enqueue_cursor(4, at=any_pipeline.ago(minutes=2))
    any_pipeline.deliver(CURSOR_WRITER, consumer="tail")
    any_pipeline.age_pending(CURSOR_WRITER, milliseconds=45_000, consumer="tail")
    server = any_pipeline.consumers[CURSOR_WRITER]
    any_pipeline.client.xgroup_delconsumer(any_pipeline.queue, CURSOR_WRITER, server)
    assert not any(one.is_other_program for one in writer().consumers), "alone it may be a server of another version"
    any_pipeline.enqueue_cursor(3, at=any_pipeline.ago(minutes=1))
    any_pipeline.deliver(CURSOR_WRITER)
    any_pipeline.enqueue_cursor(1)
    any_pipeline.deliver(CURSOR_WRITER, consumer="tail")
    (other,) = writer().other_programs
    assert (other.name, other.pending, other.stuck, len(other.stuck_ids)) == (hidden("tail"), 5, 4, 3)


@pytest.mark.server
def test_a_server_that_lives_is_not_gone_while_a_second_one_is_given_all(any_pipeline: Pipeline) -> None:
    def orphaned() -> int | None:
        record = collected(QueueHealth, any_pipeline)
        return next(group for group in record.groups if group.name == CURSOR_WRITER).orphaned

    with stand_in_server() as server:
        own = f"consumer-{server.pid}"
        any_pipeline.enqueue_cursor(4, at=any_pipeline.ago(minutes=2))
        any_pipeline.deliver(CURSOR_WRITER, consumer=own)
        any_pipeline.age_pending(CURSOR_WRITER, milliseconds=90_000, consumer=own)
        any_pipeline.enqueue_cursor(1)
        any_pipeline.deliver(CURSOR_WRITER)
        assert orphaned() == 0
    assert orphaned() == 4, "its process has ended"


@pytest.mark.server
def test_the_same_key_sent_again_with_other_content_is_not_written(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(1, at=any_pipeline.ago(minutes=4), event_ids=["same"])
    any_pipeline.drain()
    (second,) = any_pipeline.enqueue_cursor(1, at=any_pipeline.ago(minutes=3), event_ids=["same"])
    any_pipeline.drain(CLAUDE_WRITER)
    any_pipeline.deliver(CURSOR_WRITER)
    any_pipeline.age_pending(CURSOR_WRITER, milliseconds=120_000)
    record = collected(QueueHealth, any_pipeline)
    writer = next(group for group in record.groups if group.name == CURSOR_WRITER)
    assert (writer.written_not_acknowledged, writer.written_by_others) == (1, 1)
    assert (writer.to_acknowledge, writer.others_ids) == ([], [second])


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
