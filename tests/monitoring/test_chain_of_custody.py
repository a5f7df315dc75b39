"""The chain of custody in numbers: they add up, and what cannot be known is null."""

import re
import sqlite3
from contextlib import closing

import pytest

from blueplane_doctor.custody.states import STATES, UNEXAMINED
from blueplane_doctor.demo.faults import FAULTS, healthy
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceError
from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
from tests.monitoring.support import collected


def chain(pipeline: Pipeline, **flags: object) -> ChainHealth:
    return collected(ChainHealth, pipeline, **flags)


def assert_adds_up(record: ChainHealth) -> None:
    """Every message examined is in one state, on one route, and in one bucket of time."""
    counted = sum(record.states[state] or 0 for state in STATES)
    by_route = sum(sum(states.values()) for states in record.by_route.values())
    buckets = sum(bucket.enqueued for bucket in (*record.buckets, *record.other_buckets))
    assert counted == record.examined
    assert by_route == record.examined
    assert buckets == record.examined
    total, _, terms = record.equation.partition(" messages = ")
    numbers = [int(number.replace(",", "")) for number in re.findall(r"[\d,]+", terms)]
    assert sum(numbers) == int(total.replace(",", "")) == record.examined


@pytest.mark.parametrize(
    "fault", ["malformed-payloads", "poison-duplicate", "dead-letter-growth", "orphaned-messages", "idle-evening"]
)
def test_the_numbers_add_up(fault: str, pipeline: Pipeline) -> None:
    FAULTS[fault].apply(pipeline)
    assert_adds_up(chain(pipeline))


def test_a_healthy_pipeline_is_healthy(pipeline: Pipeline) -> None:
    healthy(pipeline)
    record = chain(pipeline)
    assert_adds_up(record)
    assert (record.chain_status, record.chain_break_count, record.success_rate) == ("healthy", 0, 1.0)
    assert record.messages_written_last_hour <= record.messages_enqueued_last_hour
    assert record.last_chain_break_timestamp is None


def test_an_empty_stream_is_no_break_and_no_rate(pipeline: Pipeline) -> None:
    record = chain(pipeline)
    assert (record.examined, record.chain_status, record.success_rate) == (0, "healthy", None)
    assert record.equation == "0 messages = 0"


def test_a_stuck_message_degrades_and_a_lost_one_breaks(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1)
    pipeline.drain()
    pipeline.enqueue_cursor(1)
    pipeline.deliver("processors")
    pipeline.age_pending("processors", milliseconds=60_000)
    assert chain(pipeline).chain_status == "degraded"
    (lost,) = pipeline.enqueue_cursor(1)
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", [lost])
    record = chain(pipeline)
    assert (record.chain_status, record.chain_break_count) == ("broken", 1)
    assert [(one.kind, one.id) for one in record.breaks] == [("lost", lost)]
    assert record.last_chain_break_timestamp is not None


def test_without_a_database_what_was_acknowledged_is_unexamined_and_the_status_unknown(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(3)
    pipeline.drain()
    for file in pipeline.home.glob("telemetry.db*"):
        file.unlink()
    record = chain(pipeline)
    assert (record.chain_status, record.states[UNEXAMINED]) == ("unknown", 3)
    assert record.database_cause
    assert_adds_up(record)


def test_without_a_stream_there_is_no_record(pipeline: Pipeline) -> None:
    pipeline.client.flushall()
    with pytest.raises(SourceError):
        chain(pipeline)


def test_where_the_tables_begin_later_nothing_is_called_lost(pipeline: Pipeline) -> None:
    ids = pipeline.enqueue_cursor(3, at=pipeline.ago(minutes=9))
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", ids)
    record = chain(pipeline)
    assert (record.chain_status, record.chain_break_count, record.tables_begin_later) == ("unknown", 0, 3)
    pipeline.enqueue_cursor(2)
    pipeline.drain()
    record = chain(pipeline)
    assert (record.chain_break_count, record.tables_begin_later) == (0, 3)
    assert record.states["untraceable"] == 3


def test_what_carries_nothing_to_look_for_is_no_part_of_the_success_rate(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(3)
    pipeline.enqueue_cursor(2, event_id=None)
    pipeline.drain()
    record = chain(pipeline)
    assert (record.states["untraceable"], record.untraceable_last_hour, record.success_rate) == (2, 2, 1.0)


def test_lost_messages_that_no_writer_can_write_are_counted(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1)
    pipeline.drain()
    ids = pipeline.enqueue_cursor(1, payload=["a list"])
    ids += pipeline.enqueue_cursor(1, payload={"storage_level": None})
    ids += pipeline.enqueue_cursor(1)
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", ids)
    record = chain(pipeline)
    assert (record.states["lost"], record.malformed_lost, record.unwritable_lost) == (3, 1, 2)
    assert record.breaks[1].reason.endswith("no writer can write it: payload.storage_level is null")


@pytest.mark.server
@pytest.mark.parametrize(("trimmed", "known"), [(0, True), (40, False)])
def test_most_rows_were_pruned(any_pipeline: Pipeline, trimmed: int, known: bool) -> None:
    """Only where nothing has left the stream do as many rows before the first that is kept prove what was written."""
    any_pipeline.enqueue_cursor(trimmed, at=any_pipeline.ago(minutes=300))
    any_pipeline.enqueue_cursor(60, at=any_pipeline.ago(minutes=200))
    any_pipeline.drain()
    any_pipeline.enqueue_cursor(20)
    any_pipeline.drain()
    any_pipeline.client.xtrim(any_pipeline.queue, maxlen=80, approximate=False)
    with closing(sqlite3.connect(any_pipeline.database, isolation_level=None)) as connection:
        connection.execute("DELETE FROM cursor_raw_traces WHERE ingested_at < datetime('now', '-1 hour')")
    record = chain(any_pipeline)
    assert_adds_up(record)
    assert (record.tables_begin_later, record.states["lost"]) == (60, 0)
    if known:
        assert (record.chain_status, record.rows_pruned, record.rows_pruned_unproven) == ("healthy", 60, 0)
    else:
        assert (record.chain_status, record.rows_pruned, record.rows_pruned_unproven) == ("unknown", 0, 60)


@pytest.mark.server
def test_a_message_that_was_lost_before_rows_were_pruned_is_not_called_written(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(60, at=any_pipeline.ago(minutes=200))
    any_pipeline.drain()
    (lost,) = any_pipeline.enqueue_cursor(1, at=any_pipeline.ago(minutes=199))
    any_pipeline.deliver("processors")
    any_pipeline.client.xack(any_pipeline.queue, "processors", lost)
    any_pipeline.enqueue_cursor(20)
    any_pipeline.drain()
    with closing(sqlite3.connect(any_pipeline.database, isolation_level=None)) as connection:
        connection.execute("DELETE FROM cursor_raw_traces WHERE ingested_at < datetime('now', '-1 hour')")
    record = chain(any_pipeline)
    assert (record.chain_status, record.rows_pruned) == ("unknown", 0)
