"""The stream beside the rows that went through it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceUnreachable
from blueplane_doctor.examination import Examination
from blueplane_doctor.monitoring.stream_presence import StreamPresence, StreamPresenceMonitor
from blueplane_doctor.settings.values import load
from blueplane_doctor.text.times import iso, iso_of_milliseconds
from tests.monitoring.support import collected


@pytest.mark.server
def test_a_stream_that_is_there_has_a_message_for_each_row(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(30)
    any_pipeline.drain()
    presence = collected(StreamPresence, any_pipeline)
    assert (presence.exists, presence.length, presence.entries_added) == (True, 30, 30)
    assert (presence.rows, presence.rows_last_hour, presence.rows_without_message) == (30, 30, 0)
    assert presence.missing_groups == []


@pytest.mark.server
@pytest.mark.parametrize("stands_there", ["nothing", "a list"])
def test_a_stream_that_is_gone_leaves_the_rows(any_pipeline: Pipeline, stands_there: str) -> None:
    any_pipeline.enqueue_cursor(30)
    any_pipeline.drain()
    any_pipeline.client.delete(any_pipeline.queue)
    if stands_there == "a list":
        any_pipeline.client.rpush(any_pipeline.queue, "x")
    presence = collected(StreamPresence, any_pipeline)
    assert not presence.exists and presence.cause
    assert presence.rows == 30 and presence.last_row_age_ms is not None


@pytest.mark.server
def test_a_gap_in_the_sequence_numbers_is_no_row(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(30)
    any_pipeline.drain()
    with closing(sqlite3.connect(any_pipeline.database, isolation_level=None)) as connection:
        connection.execute("UPDATE sqlite_sequence SET seq = seq + 1000")
    any_pipeline.enqueue_cursor(4)
    any_pipeline.drain()
    presence = collected(StreamPresence, any_pipeline)
    assert (presence.rows_last_hour, presence.rows_without_message) == (34, 0)


@pytest.mark.server
def test_a_stream_made_anew_has_fewer_messages_than_rows(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(30)
    any_pipeline.drain()
    any_pipeline.client.delete(any_pipeline.queue)
    any_pipeline.enqueue_cursor(12)
    presence = collected(StreamPresence, any_pipeline)
    assert presence.rows_without_message == 18
    assert set(presence.missing_groups) == set(any_pipeline.writer_groups)


@pytest.mark.server
def test_when_a_writer_wrote_last_that_reads_no_more(any_pipeline: Pipeline) -> None:
    an_hour_ago = any_pipeline.ago(minutes=60)
    any_pipeline.enqueue_cursor(5, at=an_hour_ago)
    any_pipeline.drain()
    any_pipeline.enqueue_claude(5)
    any_pipeline.drain()
    cursor, claude = any_pipeline.writer_groups
    presence = collected(StreamPresence, any_pipeline)
    assert presence.last_row_timestamp is None, "nothing is missing"
    assert presence.first_message_timestamp == iso(an_hour_ago)
    any_pipeline.client.xgroup_destroy(any_pipeline.queue, cursor)
    of_cursor = collected(StreamPresence, any_pipeline)
    any_pipeline.client.xgroup_create(any_pipeline.queue, cursor, id="$")
    any_pipeline.client.xgroup_destroy(any_pipeline.queue, claude)
    of_claude = collected(StreamPresence, any_pipeline)
    any_pipeline.client.delete(any_pipeline.queue)
    of_all = collected(StreamPresence, any_pipeline)
    assert of_cursor.last_row_timestamp is not None and of_claude.last_row_timestamp is not None
    assert of_cursor.last_row_timestamp < of_claude.last_row_timestamp == of_all.last_row_timestamp


@pytest.mark.server
def test_the_first_message_is_not_known_once_one_was_trimmed(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(30)
    any_pipeline.client.xtrim(any_pipeline.queue, maxlen=20, approximate=False)
    assert collected(StreamPresence, any_pipeline).first_message_timestamp is None


@pytest.mark.server
def test_when_redis_was_started_is_the_same_at_each_look(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1)
    info = pipeline.client.info("server")
    first = collected(StreamPresence, pipeline).redis_started_timestamp
    again = collected(StreamPresence, pipeline).redis_started_timestamp
    started = info["server_time_usec"] // 1_000_000 - info["uptime_in_seconds"]
    assert first == again == iso_of_milliseconds(started * 1000)


def test_where_redis_does_not_answer_nothing_is_said(tmp_path: Path) -> None:
    examination = Examination(load({"home": tmp_path, "redis_url": "redis://127.0.0.1:1"}).settings)
    try:
        with pytest.raises(SourceUnreachable):
            StreamPresenceMonitor(examination).collect()
    finally:
        examination.close()
