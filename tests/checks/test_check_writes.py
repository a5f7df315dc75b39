"""The checks of the writes: every edge of their scales."""

from typing import Any

import pytest

from blueplane_doctor.monitoring.connections import Reach
from tests.checks.builders import (
    HOUR,
    MINUTE,
    cases,
    connections,
    database,
    database_access,
    locations,
    queue,
    run,
    share,
)


def test_a_database_that_opens_is_green() -> None:
    found = run("database-reachable", connections=connections())
    assert found.status == "green"
    assert found.summary == "The database ~/.blueplane/telemetry.db can be read"


@pytest.mark.parametrize("hint", ["", "start the Blueplane server once, or name the right file with --database"])
def test_a_database_that_does_not_open_is_red_with_the_cause(hint: str) -> None:
    cause = "the telemetry database telemetry.db does not exist"
    given = connections(database=Reach(address="telemetry.db", reachable=False, cause=cause, hint=hint))
    found = run("database-reachable", connections=given)
    assert found.status == "red"
    assert found.summary == "The telemetry database telemetry.db does not exist"


@pytest.mark.parametrize(
    ("sentence", "milliseconds", "status"),
    cases(
        [
            ("fast", "4 ms is green", 4.0, "green"),
            ("below-yellow", "9.99 ms is green", 9.99, "green"),
            ("yellow-edge", "10 ms is the first yellow", 10.0, "yellow"),
            ("below-orange", "49.99 ms is yellow", 49.99, "yellow"),
            ("orange-edge", "50 ms is the first orange", 50.0, "orange"),
            ("last-orange", "100 ms is still orange", 100.0, "orange"),
            ("above-red", "100.01 ms is red", 100.01, "red"),
            ("no-data", "without the recorder it is unknown, never green", None, "unknown"),
        ]
    ),
)
def test_write_p95(sentence: str, milliseconds: float | None, status: str) -> None:
    assert (
        run("write-p95", database=database(write_latency_p95_ms=milliseconds, recorded_minutes=2)).status == status
    ), sentence


@pytest.mark.parametrize(
    ("sentence", "percent", "status"),
    cases(
        [
            ("all", "all succeed", 100.0, "green"),
            ("above-yellow", "99.01 % is green", 99.01, "green"),
            ("yellow-edge", "99 % is the first yellow", 99.0, "yellow"),
            ("last-yellow", "95 % is still yellow", 95.0, "yellow"),
            ("below-orange", "94.99 % is orange", 94.99, "orange"),
            ("last-orange", "90 % is still orange", 90.0, "orange"),
            ("below-red", "89.99 % is red", 89.99, "red"),
            ("none", "none succeeds", 0.0, "red"),
            ("no-data", "without the recorder it is unknown, never green", None, "unknown"),
        ]
    ),
)
def test_write_success(sentence: str, percent: float | None, status: str) -> None:
    given = database(write_success_rate=share(percent), recorded_minutes=2)
    assert run("write-success", database=given).status == status, sentence


@pytest.mark.parametrize("check_id", ["write-p95", "write-success"])
def test_one_recorded_minute_is_no_rate(check_id: str) -> None:
    given = database(write_success_rate=0.0, write_latency_p95_ms=900.0, recorded_minutes=1)
    found = run(check_id, database=given)
    assert (found.status, found.cause) == ("unknown", "recorded in 1 of at least 2 minutes")


@pytest.mark.parametrize("check_id", ["write-p95", "write-success"])
def test_without_the_recorder_it_says_why_and_how_to_start_it(check_id: str) -> None:
    found = run(check_id, database=database(recorded_cause="nothing was recorded in the last 60 min"))
    assert found.cause.endswith("nothing was recorded in the last 60 min")
    assert found.remedy and found.remedy.commands == []
    assert "in the folder of its checkout, blueplane-doctor instrument -- python" in found.remedy.text


def test_an_unmeasured_success_rate_shows_what_is_known() -> None:
    found = run("write-success", database=database(last_failed_write_timestamp="2026-03-14T09:00:00.000Z"))
    assert found.evidence["last write"] == "2026-03-14T09:26:51.204Z"
    assert found.evidence["last failure"] == "2026-03-14T09:00:00.000Z"


BUSY = {"waiting_messages": 100, "oldest_waiting_age_ms": MINUTE}


@pytest.mark.parametrize(
    ("sentence", "rate", "demand", "status"),
    cases(
        [
            ("above-yellow", "100.01 rows a second is green", 100.01, BUSY, "green"),
            ("yellow-edge", "100 is the first yellow", 100.0, BUSY, "yellow"),
            ("last-yellow", "50 is still yellow", 50.0, BUSY, "yellow"),
            ("below-orange", "49.99 is orange", 49.99, BUSY, "orange"),
            ("last-orange", "10 is still orange", 10.0, BUSY, "orange"),
            ("below-red", "9.99 is red", 9.99, BUSY, "red"),
            ("stopped", "nothing is written while a hundred wait", 0.0, BUSY, "red"),
            ("idle", "with nothing to write, nothing written is green", 0.0, {}, "green"),
            ("small-backlog", "99 messages are no demand", 0.0, {**BUSY, "waiting_messages": 99}, "green"),
            ("young-backlog", "a backlog of a moment is none", 0.0, {**BUSY, "oldest_waiting_age_ms": 59_999}, "green"),
            (
                "stuck",
                "what is stuck is no demand on writers that keep up beside it",
                3.3,
                {"queue_depth": 140, "consumer_lag_ms": 10 * MINUTE, "waiting_messages": 0},
                "green",
            ),
            (
                "uncounted-backlog",
                "where the backlog was not counted to its end, the stream's length serves",
                0.0,
                {**BUSY, "waiting_messages": None},
                "red",
            ),
        ]
    ),
)
def test_write_throughput(sentence: str, rate: float, demand: dict[str, Any], status: str) -> None:
    found = run("write-throughput", database=database(write_throughput_events_per_sec=rate), queue=queue(**demand))
    assert found.status == status, sentence


def test_throughput_without_demand_is_reported_and_not_graded() -> None:
    found = run("write-throughput", database=database(last_successful_write_age_ms=5 * HOUR), queue=queue())
    assert found.observed == 3.25
    assert found.unit == "rows/s"
    assert found.scale is None
    assert found.summary == "No backlog to keep up with; last write 5 h ago"


def test_throughput_of_a_new_database() -> None:
    found = run("write-throughput", database=database(last_successful_write_age_ms=None), queue=queue())
    assert found.summary == "No backlog to keep up with; nothing was ever written"


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (1.0, "1 row a second is written while 100 messages wait"),
        (0.5, "0.5 rows a second are written while 100 messages wait"),
        (42.0, "42 rows a second are written while 100 messages wait"),
    ],
)
def test_throughput_under_demand_says_both_numbers(rate: float, said: str) -> None:
    found = run("write-throughput", database=database(write_throughput_events_per_sec=rate), queue=queue(**BUSY))
    assert found.summary == said


@pytest.mark.parametrize(
    ("sentence", "megabytes", "status"),
    cases(
        [
            ("none", "no log is green", 0.0, "green"),
            ("below-yellow", "63.999 MB is green", 63.999, "green"),
            ("yellow-edge", "64 MB is the first yellow", 64.0, "yellow"),
            ("below-orange", "255.999 MB is yellow", 255.999, "yellow"),
            ("orange-edge", "256 MB is the first orange", 256.0, "orange"),
            ("below-red", "1,023.999 MB is orange", 1_023.999, "orange"),
            ("red-edge", "1,024 MB is the first red", 1_024.0, "red"),
        ]
    ),
)
def test_wal_size(sentence: str, megabytes: float, status: str) -> None:
    assert run("wal-size", database=database(wal_size_mb=megabytes)).status == status, sentence


def test_what_is_delivered_and_stuck_is_no_demand() -> None:
    given = queue(queue_depth=152, pending_messages=152, consumer_lag_ms=600_000)
    finding = run("write-throughput", database=database(write_throughput_events_per_sec=3.3), queue=given)
    assert finding.status == "green"


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({}, "green", "may write the database"),
        ({"writable": None, "cause": "there is no database"}, "green", "there is no database"),
        ({"writable": False, "refused": ["database", "-wal"]}, "red", "its file and its write-ahead log"),
        ({"writable": False, "refused": ["folder"]}, "red", "only as long as the write-ahead log"),
        ({"writable": False, "read_only_mount": True}, "red", "mounted read-only"),
    ],
)
def test_database_writable(given: dict[str, Any], status: str, words: str) -> None:
    finding = run("database-writable", database_access=database_access(**given), locations=locations())
    assert finding.status == status
    assert words in finding.summary
