"""The tail of the log: counts and times of errors, whatever else stands in it."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from blueplane_doctor.sources.server_log import LogTail, read_log
from tests.sources.log_lines import NOGROUP, NOW, WRITER, line


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


def test_without_a_log_nothing_is_known(log: Path) -> None:
    assert read_log(log, NOW) == LogTail()
    assert read_log(log, NOW).errors_per_minute is None
    log.mkdir()
    assert read_log(log, NOW) == LogTail(cause="Is a directory"), "a folder is no log"


def test_an_empty_log_has_no_errors(log: Path) -> None:
    log.touch()
    assert read_log(log, NOW) == LogTail(0, 0, 0, None, None)


def test_lines_are_of_local_time(log: Path, zone: str) -> None:
    log.write_text(line("ERROR", 4) + line("ERROR", 6) + line("INFO", 1) + line("WARNING", 1) + line("CRITICAL", 0))
    found = read_log(log, NOW)
    assert (found.lines, found.errors_in_window, found.errors_per_minute) == (5, 2, 0.4)
    assert found.last_error == NOW


def test_errors_are_told_apart_by_their_logger(log: Path) -> None:
    log.write_text(
        line("ERROR", 3, WRITER)
        + line("ERROR", 2, "src.capture.cursor_monitor")
        + line("ERROR", 1, "asyncio", "Task exception was never retrieved")
        + "future: <Task finished name='Task-7'>\n"
    )
    found = read_log(log, NOW)
    assert (found.lines, found.errors_in_window, found.monitor_errors) == (3, 3, 1)
    assert found.last_write_failure == NOW - timedelta(minutes=3)
    assert found.last_error == NOW - timedelta(minutes=1)


@pytest.mark.parametrize(
    "junk",
    [
        b"\x00\xff\xfe" * 1_000,
        b"2026-99-99 99:99:99 - x - ERROR - no such day\n",
        b"2026-02-30 10:00:00 - x - ERROR - no such day\n",
        b"0000-00-00 00:00:00 - x - ERROR - no such year\n",
        b"9999-12-31 23:59:59 - x - ERROR - far away\n",
        b"0001-01-01 00:00:00 - x - ERROR - long ago\n",
        b"2026-03-14 09:26:53 - \xff\xfe - ERROR - bad logger\n",
        b"2026-03-14 09:26:53 - x - ERROR -",
        b"\r\n\r\n",
    ],
)
def test_junk_does_not_stop_the_reading(log: Path, junk: bytes, zone: str) -> None:
    log.write_bytes(junk + b"\n" + line("ERROR", 0.5, WRITER).encode())
    found = read_log(log, NOW)
    assert (found.errors_in_window or 0) >= 1
    assert found.last_write_failure == NOW - timedelta(minutes=0.5)


def test_a_burst_that_does_not_fit_is_a_lower_bound_over_the_span_that_was_read(log: Path) -> None:
    with log.open("w") as file:
        for second in range(16, 0, -1):
            file.write(line("ERROR", second / 60, message=f"{NOGROUP} {second}") * 2_853)
    found = read_log(log, NOW)
    assert found.is_cut and found.window_seconds == 3
    assert 100_000 < (found.errors_per_minute or 0) <= 45_659 * 60 / 16


def test_two_errors_behind_a_line_of_megabytes_are_no_storm(log: Path) -> None:
    log.write_text("x" * 2_000_000 + "\n" + line("ERROR", 0.01) * 2)
    found = read_log(log, NOW)
    assert found.is_cut and found.errors_per_minute == 2.0


@pytest.mark.parametrize(("ahead", "errors"), [(timedelta(hours=5, minutes=30), 4), (timedelta(hours=5), 4)])
def test_lines_ahead_of_the_file_by_a_time_zone_are_read_in_that_zone(log: Path, ahead: timedelta, errors: int) -> None:
    """The server's container is in another zone than the doctor."""
    log.write_text(line("ERROR", -ahead.total_seconds() / 60 + 1) * 4)
    written = (NOW - timedelta(minutes=1)).timestamp()
    os.utime(log, (written, written))
    assert read_log(log, NOW).errors_in_window == errors


@pytest.mark.parametrize("minutes_ago", [60, 900, -7, -60 * 30])
def test_any_other_difference_is_no_time_zone(log: Path, minutes_ago: float) -> None:
    log.write_text(line("ERROR", minutes_ago) * 4)
    os.utime(log, (NOW.timestamp(), NOW.timestamp()))
    assert read_log(log, NOW).errors_in_window == 0


def test_a_log_that_began_lately_is_counted_over_its_own_time(log: Path) -> None:
    log.write_text(line("INFO", 2) + line("ERROR", 1.5) + line("ERROR", 1))
    found = read_log(log, NOW)
    assert (found.errors_per_minute, found.window_seconds, found.is_cut) == (1.0, 120, False)
    log.write_text(line("ERROR", 0.1))
    assert read_log(log, NOW).errors_per_minute == 1.0, "a rate a minute needs a minute"


def start_and_stop(minutes_ago: float) -> str:
    closed = "I/O operation on closed file."
    return (
        line("ERROR", minutes_ago, "src.processing.cursor.event_consumer", f"Error consuming events: {closed}")
        + line("INFO", minutes_ago, message="Starting")
        + line("ERROR", minutes_ago, "src.database.sqlite_client", "Database error: duplicate column name: x")
        + line("ERROR", minutes_ago, "asyncio", "Task was destroyed but it is pending!") * 3
    )


def test_errors_of_a_normal_start_and_stop_do_not_count(log: Path) -> None:
    log.write_text(line("INFO", 9) + start_and_stop(2))
    found = read_log(log, NOW)
    assert (found.errors_in_window, found.last_error, found.kinds) == (0, None, ())
    log.write_text(line("INFO", 9) + start_and_stop(2) + line("ERROR", 1))
    assert read_log(log, NOW).errors_in_window == 1


def test_a_server_that_starts_again_and_again_is_not_ordinary(log: Path) -> None:
    log.write_text(line("INFO", 9) + "".join(start_and_stop(4 - number / 5) for number in range(20)))
    assert (read_log(log, NOW).errors_in_window or 0) >= 50


def test_what_the_server_said_of_its_redis_and_its_database(log: Path) -> None:
    for port in (6379, 7001):
        with log.open("a") as file:
            file.write(line("INFO", 1, message=f"Successfully connected to Redis at localhost:{port}"))
            file.write(line("INFO", 1, message=f"Initialized SQLite database at /x/y {port}/telemetry.db"))
            file.write(line("ERROR", 1, message="Successfully connected to Redis at localhost:1"))
    found = read_log(log, NOW)
    assert (found.redis, found.database) == (("localhost", 7001), "/x/y 7001/telemetry.db")


STARTED = "Acquired PID lock: 4711"


def test_errors_of_an_earlier_run_are_no_complaints_of_the_one_that_runs(log: Path) -> None:
    storm = line("ERROR", 3, message="NOGROUP No such key") * 500
    log.write_text(storm + line("INFO", 2, "src.processing.server", STARTED) + line("ERROR", 1, WRITER))
    tail = read_log(log, NOW)
    assert (tail.errors_in_window, tail.window_seconds) == (1, 120)
    assert {kind.kind: kind.lately for kind in tail.kinds}["NOGROUP"] == 0
    assert tail.last_error == NOW - timedelta(minutes=1)


def test_a_start_that_another_logger_tells_of_is_none(log: Path) -> None:
    log.write_text(line("ERROR", 3) * 5 + line("INFO", 2, "somebody", STARTED))
    assert read_log(log, NOW).errors_in_window == 5


def test_errors_of_an_earlier_fault_do_not_tell_when_this_one_began(log: Path) -> None:
    text = "Redis connection error: Connection refused"
    minutes = (240, 239, 40, 30, 2)
    log.write_text("".join(line("ERROR", ago, WRITER, text) for ago in minutes))
    (found,) = read_log(log, NOW).kinds
    assert (found.times, found.first, found.may_be_older) == (5, NOW - timedelta(minutes=40), False)


def test_a_log_that_is_cut_within_the_errors_tells_so(log: Path) -> None:
    log.write_text("".join(line("ERROR", 2, WRITER, NOGROUP) for _ in range(20_000)))
    assert [found.may_be_older for found in read_log(log, NOW).kinds] == [True]
    log.write_text(line("INFO", 60, "x", "y" * 1_000_000) + line("INFO", 59) + line("ERROR", 2, WRITER, NOGROUP))
    assert [found.may_be_older for found in read_log(log, NOW).kinds] == [False]


def test_when_the_server_stopped_and_last_logged(log: Path) -> None:
    server = "src.processing.server"
    stop = line("INFO", 9, server, "Stopping server...") + line("INFO", 8, server, "Server stopped")
    log.write_text(line("INFO", 60, server, "Acquired PID lock") + stop)
    found = read_log(log, NOW)
    assert (found.stopped, found.last_line) == (NOW - timedelta(minutes=9), NOW - timedelta(minutes=8))
    assert found.servers == frozenset(), "this line names no process"
    log.write_text(stop + line("INFO", 3, server, "Acquired PID lock"))
    assert read_log(log, NOW).stopped is None


def test_servers_name_themselves_when_they_start(log: Path) -> None:
    server = "src.processing.server"
    starts = line("INFO", 9, server, "Acquired PID lock: 100") + line("INFO", 3, server, "Acquired PID lock: 300")
    log.write_text(line("INFO", 60, server, "Processing") + starts)
    found = read_log(log, NOW)
    assert (found.servers, found.first_start) == (frozenset((100, 300)), NOW - timedelta(minutes=9))
