"""The database's numbers: rows by table, rates, sizes, the last failure."""

import time
from contextlib import closing

import pytest

from blueplane_doctor.demo import schema
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceMissing
from blueplane_doctor.monitoring.connections import Connections
from blueplane_doctor.monitoring.database_health import DatabaseHealth
from blueplane_doctor.recording.minutes import PREFIX
from tests.monitoring.support import collected


def test_rows_rates_and_ages(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(20, at=pipeline.ago(minutes=90))
    pipeline.enqueue_claude(12, at=pipeline.ago(minutes=20))
    pipeline.enqueue_cursor(6, at=pipeline.ago(seconds=30))
    pipeline.drain()
    record = collected(DatabaseHealth, pipeline)
    assert record.tables == {"claude_raw_traces": 12, "cursor_raw_traces": 26}
    assert (record.written_last_hour, record.write_throughput_events_per_sec) == (18, 0.1)
    assert record.last_successful_write_age_ms is not None
    assert 25_000 < record.last_successful_write_age_ms < 60_000
    assert (record.write_success_rate, record.write_latency_p95_ms, record.write_failure_count) == (None, None, None)


def test_nothing_was_ever_written(pipeline: Pipeline) -> None:
    record = collected(DatabaseHealth, pipeline)
    assert (record.last_successful_write_timestamp, record.last_successful_write_age_ms) == (None, None)
    assert (record.written_last_hour, record.wal_size_mb) == (0, 0)


def test_the_size_of_the_log_is_told(pipeline: Pipeline) -> None:
    with closing(schema.connect(pipeline.database)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE large (x)")
        connection.execute("INSERT INTO large VALUES (zeroblob(3000000))")
        record = collected(DatabaseHealth, pipeline)
    assert 3 < record.wal_size_mb < 3.2


def test_the_last_failed_write_is_taken_from_the_log(pipeline: Pipeline) -> None:
    failed = pipeline.ago(minutes=40)
    pipeline.log("ERROR", "locked", at=failed, logger="src.processing.cursor.raw_traces_writer")
    pipeline.log("ERROR", "other", at=pipeline.ago(minutes=2), logger="asyncio")
    record = collected(DatabaseHealth, pipeline)
    assert record.last_failed_write_timestamp == f"{failed:%Y-%m-%dT%H:%M:%S}.000Z"


def test_without_its_tables_there_is_no_record(pipeline: Pipeline) -> None:
    pipeline.database.unlink()
    with closing(schema.connect(pipeline.database)) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(SourceMissing, match="holds none of the tables"):
        collected(DatabaseHealth, pipeline)
    reached = collected(Connections, pipeline)
    assert (reached.database.reachable, reached.redis.reachable) == (False, True)
    assert "none of the tables" in reached.database.cause


def test_an_address_in_the_record_shows_no_path_and_no_password(pipeline: Pipeline) -> None:
    reached = collected(Connections, pipeline, redis_url="redis://u:geheim@127.0.0.1:1/3")
    said = reached.model_dump_json()
    assert "geheim" not in said and str(pipeline.home) not in said
    assert reached.redis.address == "127.0.0.1:1 database 3"
    assert reached.database.address == "telemetry.db"


def test_the_recorders_numbers_of_the_last_hour(pipeline: Pipeline) -> None:
    minute = int(time.time() // 60)
    for ago, fields in (
        (0, {"w|ok|cursor_raw_traces": 1, "w|us|cursor_raw_traces": 1000}),
        (5, {"w|ok|claude_raw_traces": 2, "w|failed|claude_raw_traces": 1, "h|ok|cursor/stop": 1}),
        (9, {"h|ok|cursor/stop": 1}),
        (70, {"w|failed|cursor_raw_traces": 50}),
    ):
        pipeline.client.hset(f"{PREFIX}recorded:{minute - ago}", mapping=fields)
    pipeline.client.hset(f"{PREFIX}recorded:{minute}:cursor_raw_traces", mapping={"0": 1})
    record = collected(DatabaseHealth, pipeline)
    assert (record.write_success_count, record.write_failure_count, record.write_success_rate) == (3, 1, 0.75)
    assert record.write_latency_p95_ms is not None
    assert (record.recorded_minutes, record.recorded_cause) == (2, "")


def test_without_the_recorder_it_says_why(pipeline: Pipeline) -> None:
    record = collected(DatabaseHealth, pipeline)
    assert (record.recorded_minutes, record.recorded_cause) == (0, "nothing was recorded in the last 60 min")
    pipeline.client.hset(f"{PREFIX}recorded:{int(time.time() // 60)}", mapping={"h|ok|cursor/stop": 1})
    assert collected(DatabaseHealth, pipeline).recorded_cause == "no write was recorded in the last 60 min"


@pytest.mark.parametrize(("recorded_ago", "logged_ago"), [(3, 40), (40, 3)])
def test_the_last_failure_is_the_later_of_log_and_recorder(
    pipeline: Pipeline, recorded_ago: int, logged_ago: int
) -> None:
    logged, counted = pipeline.ago(minutes=logged_ago), pipeline.ago(minutes=recorded_ago)
    pipeline.log("ERROR", "locked", at=logged, logger="src.processing.cursor.raw_traces_writer")
    fields = {"w|failed|t": 1, "w|failed_at|t": int(counted.timestamp() * 1000)}
    pipeline.client.hset(f"{PREFIX}recorded:{int(counted.timestamp() // 60)}", mapping=fields)
    record = collected(DatabaseHealth, pipeline)
    assert record.last_failed_write_timestamp is not None
    assert record.last_failed_write_timestamp.startswith(f"{max(logged, counted):%Y-%m-%dT%H:%M:%S}")
