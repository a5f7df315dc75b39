"""Capture: rates, which windows count as open, the database monitor, and what the recorder knows."""

import time
from contextlib import closing
from datetime import timedelta

import pytest

from blueplane_doctor.demo import schema
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceError
from blueplane_doctor.monitoring.capture_health import CaptureHealth
from blueplane_doctor.recording.minutes import PREFIX
from tests.monitoring.support import collected


def test_the_rate_is_the_mean_of_five_minutes(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(40, at=pipeline.ago(minutes=30))
    pipeline.enqueue_claude(10, at=pipeline.ago(minutes=4))
    pipeline.enqueue_skipped(5, at=pipeline.ago(minutes=1))
    assert collected(CaptureHealth, pipeline).capture_rate_events_per_min == 3.0


@pytest.mark.parametrize(("hours", "open_sessions"), [(1, 1), (23.9, 1), (24.1, 0), (200, 0)])
def test_a_window_older_than_the_limit_counts_as_closed(pipeline: Pipeline, hours: float, open_sessions: int) -> None:
    pipeline.open_session(minutes_ago=hours * 60)
    record = collected(CaptureHealth, pipeline)
    assert record.open_sessions == record.database_monitor.sessions_monitored == open_sessions
    assert (record.longest_open_ms is not None) is bool(open_sessions)


def test_the_limit_can_be_set(pipeline: Pipeline) -> None:
    pipeline.open_session(minutes_ago=200)
    assert collected(CaptureHealth, pipeline, session_timeout_hours=2).open_sessions == 0
    assert collected(CaptureHealth, pipeline, session_timeout_hours=4).open_sessions == 1


@pytest.mark.parametrize(
    ("started", "open_sessions"),
    [("soon", 0), ("", 0), ("{minute} Z", 0), ("{iso}", 1), ("{iso}+00:00", 1), ("{blank}", 1), ("{iso}Z", 1)],
)
def test_the_beginning_of_a_window_in_all_forms(pipeline: Pipeline, started: str, open_sessions: int) -> None:
    when = pipeline.ago(minutes=10)
    text = started.format(iso=f"{when:%Y-%m-%dT%H:%M:%S}", blank=f"{when:%Y-%m-%d %H:%M:%S}", minute="x")
    with closing(schema.connect(pipeline.database)) as connection:
        connection.execute("INSERT INTO cursor_sessions VALUES ('i', 'e', 'w', ?, NULL)", (text,))
    assert collected(CaptureHealth, pipeline).open_sessions == open_sessions


def test_a_window_from_the_future_is_open_since_now(pipeline: Pipeline) -> None:
    pipeline.open_session(minutes_ago=-5)
    record = collected(CaptureHealth, pipeline)
    assert (record.open_sessions, record.longest_open_ms) == (1, 0)


def test_without_the_table_of_sessions_the_cause_is_told(pipeline: Pipeline) -> None:
    with closing(schema.connect(pipeline.database)) as connection:
        connection.execute("DROP TABLE cursor_sessions")
    record = collected(CaptureHealth, pipeline)
    assert record.open_sessions is None
    assert record.sessions_cause == "the database has no table cursor_sessions"


def test_without_redis_the_sessions_are_still_told(pipeline: Pipeline) -> None:
    pipeline.open_session(minutes_ago=10)
    record = collected(CaptureHealth, pipeline, redis_url="redis://127.0.0.1:1")
    assert (record.open_sessions, record.hooks, record.capture_rate_events_per_min) == (1, [], None)
    assert "cannot be reached" in record.hooks_cause


def test_without_both_there_is_no_record(pipeline: Pipeline) -> None:
    pipeline.database.unlink()
    with pytest.raises(SourceError):
        collected(CaptureHealth, pipeline, redis_url="redis://127.0.0.1:1")


def test_the_database_monitor_is_known_by_its_messages(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(4, at=pipeline.ago(minutes=20), source="unified_monitor")
    pipeline.enqueue_cursor(3, at=pipeline.ago(minutes=10))
    pipeline.log("ERROR", "x", at=pipeline.ago(minutes=1), logger="src.capture.cursor_monitor")
    monitor = collected(CaptureHealth, pipeline).database_monitor
    assert (monitor.active, monitor.events_captured, monitor.errors_count) == (True, 4, 1)
    assert monitor.silent_ms is not None
    assert timedelta(minutes=19) < timedelta(milliseconds=monitor.silent_ms) < timedelta(minutes=21)


def test_the_recorders_numbers_of_the_last_hour(pipeline: Pipeline) -> None:
    minute = int(time.time() // 60)
    for ago, fields in (
        (1, {"h|ok|cursor/stop": 9, "h|failed|cursor/stop": 1, "h|failed|claude_code/Stop": 5}),
        (
            2,
            {
                "h|ok|cursor/afterFileEdit": 10,
                "m|ok|unified_cursor_monitor": 4,
                "m|captured|unified_cursor_monitor": 30,
            },
        ),
        (30, {"m|sessions|unified_cursor_monitor": 3, "m|failed|cursor_database_monitor": 2}),
    ):
        pipeline.client.hset(f"{PREFIX}recorded:{minute - ago}", mapping=fields)
    record = collected(CaptureHealth, pipeline)
    found = record.cursor_hooks
    assert (found.success_count, found.failure_count, found.success_rate, found.recorded_minutes) == (19, 1, 0.95, 2)
    watched = record.database_monitor
    assert (watched.sessions_monitored, watched.events_captured, watched.errors_count) == (3, 30, 2)
    assert record.recorded_rate_events_per_min == pytest.approx(49 / 5.5, rel=0.1)


def test_without_the_recorder_nothing_is_said_of_success(pipeline: Pipeline) -> None:
    record = collected(CaptureHealth, pipeline)
    found = record.cursor_hooks
    assert (found.success_count, found.failure_count, found.success_rate) == (None, None, None)
    assert found.recorded_cause == "nothing was recorded in the last 60 min"
    assert record.recorded_rate_events_per_min is None
    assert record.database_monitor.errors_count is None or record.database_monitor.errors_count == 0
