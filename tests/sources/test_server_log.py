"""The tail of the log: counts and times of errors, whatever else stands in it."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blueplane_doctor.sources.server_log import NO_PERMISSION, OTHER, REFUSED_LOGIN, TAIL_BYTES, LogTail, read_log

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
WRITER = "src.processing.cursor.raw_traces_writer"


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


def line(level: str, minutes_ago: float, logger: str = "server", message: str = "said") -> str:
    when = (NOW - timedelta(minutes=minutes_ago)).astimezone()
    return f"{when:%Y-%m-%d %H:%M:%S} - {logger} - {level} - {message}\n"


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


def test_a_traceback_is_one_error(log: Path) -> None:
    log.write_text(
        line("ERROR", 2, WRITER, "Failed to write Claude Code batch: UNIQUE constraint failed")
        + "Traceback (most recent call last):\n"
        + '  File "/x/writer.py", line 7, in write\n    connection.execute(sql)\n'
        + "sqlite3.IntegrityError: UNIQUE constraint failed: claude_raw_traces.uuid - ERROR - x\n"
    )
    assert read_log(log, NOW).errors_in_window == 1


def test_a_message_that_looks_like_an_error_is_none(log: Path) -> None:
    log.write_text(line("INFO", 1, message="2026-03-14 09:26:00 - x - ERROR - y") + line("INFO", 1, message="ERROR"))
    assert read_log(log, NOW).errors_in_window == 0


def test_only_the_tail_is_read(log: Path) -> None:
    with log.open("w") as file:
        file.write(line("ERROR", 1))
        for _ in range(3):
            file.write(line("INFO", 1, message="x" * 400_000))
        file.write(line("ERROR", 1))
    assert read_log(log, NOW).errors_in_window == 1


def test_one_line_longer_than_the_tail_is_no_line(log: Path) -> None:
    log.write_text(line("ERROR", 1, message="x" * (TAIL_BYTES + 1_000)) + line("ERROR", 1))
    assert read_log(log, NOW).errors_in_window == 1


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


def test_a_log_that_was_just_rotated_tells_of_what_came_since(log: Path) -> None:
    log.with_name("server.log.1").write_text(line("ERROR", 2) * 30)
    log.write_text(line("INFO", 1))
    found = read_log(log, NOW)
    assert found.errors_in_window is not None and found.lines is not None
    assert found.errors_in_window == 30, "the window of five minutes reaches into the rotated file"


def test_a_line_with_milliseconds_is_understood(log: Path) -> None:
    log.write_text(line("ERROR", 1).replace(" - server", ",123 - server"))
    assert read_log(log, NOW).errors_in_window == 1


NOGROUP = "Error consuming events: NOGROUP No such key 'telemetry:message_queue' or consumer group 'processors'"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("sqlite3.OperationalError: database is locked", "database is locked"),
        ("sqlite3.IntegrityError: UNIQUE constraint failed: cursor_raw_traces.event_id", "UNIQUE constraint failed"),
        ("NOT NULL constraint failed: cursor_raw_traces.storage_level", "another constraint failed"),
        ("attempt to write a readonly database", "database is read-only"),
        ("database or disk is full", "disk is full"),
        ("[Errno 28] No space left on device", "disk is full"),
        ("[Errno 30] Read-only file system", "file system is read-only"),
        ("database disk image is malformed", "database is damaged"),
        ("no such table: cursor_raw_traces", "no such table or column"),
        ("unable to open database file", "unable to open the database"),
        ("Python int too large to convert to SQLite INTEGER", "value that SQLite refuses"),
        (NOGROUP, "NOGROUP"),
        ("UNBLOCKED the stream key no longer exists", "stream key is gone"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "Redis memory is full (OOM)"),
        ("READONLY You can't write against a read only replica.", "Redis is a read-only replica (READONLY)"),
        ("command not allowed when used memory > 'maxmemory'.", "Redis memory is full (OOM)"),
        ("You can't write against a read only replica.", "Redis is a read-only replica (READONLY)"),
        ("Redis is loading the dataset in memory", "Redis is loading"),
        (
            "Link with MASTER is down and replica-serve-stale-data is set",
            "Redis replica without its master (MASTERDOWN)",
        ),
        ("Authentication required.", REFUSED_LOGIN),
        ("invalid username-password pair or user is disabled.", REFUSED_LOGIN),
        ("User blueplane has no permissions to run the 'xadd' command", NO_PERMISSION),
        ("No permissions to access a key", NO_PERMISSION),
        ("Keys in request don't hash to the same slot", "Redis Cluster names another node"),
        ("MISCONF Redis is configured to save RDB snapshots", "Redis cannot save (MISCONF)"),
        ("NOREPLICAS Not enough good replicas to write.", "Redis has too few replicas (NOREPLICAS)"),
        ("Error 111 connecting to localhost:18455. Connection refused.", "connection refused"),
        ("Connection closed by server.", "connection lost"),
        ("Timeout reading from socket", "timeout"),
        ("a sentence that nobody knows", OTHER),
    ],
)
def test_an_error_is_named_by_a_word_of_our_own(log: Path, text: str, kind: str) -> None:
    log.write_text(line("ERROR", 3, message=text) + line("ERROR", 1, message=text))
    (found,) = read_log(log, NOW).kinds
    assert (found.kind, found.times, found.lately) == (kind, 2, 2)
    assert (found.first, found.last) == (NOW - timedelta(minutes=3), NOW - timedelta(minutes=1))


def test_a_refused_login_is_an_error_though_it_is_only_warned_of(log: Path) -> None:
    refused = "Network error writing to Redis: HELLO must be called with the client already authenticated, otherwise"
    log.write_text(line("WARNING", 2, message=refused) + line("WARNING", 1, message="Network error: Error 111"))
    assert [(found.kind, found.times) for found in read_log(log, NOW).kinds] == [(REFUSED_LOGIN, 1)]


def test_the_end_of_a_traceback_names_what_the_line_does_not(log: Path) -> None:
    log.write_text(
        line("ERROR", 2, WRITER, "the batch failed")
        + "Traceback (most recent call last):\n    raise x\nsqlite3.OperationalError: database is locked\n"
    )
    assert [found.kind for found in read_log(log, NOW).kinds] == ["database is locked"]


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


def doubled(*lines: str) -> str:
    return "".join(one * 2 for one in lines)


def test_lines_of_daemon_mode_count_once(log: Path) -> None:
    errors = [line("ERROR", minutes, message=NOGROUP) for minutes in (4, 3, 2, 1)]
    log.write_text(doubled(line("INFO", 5), line("INFO", 4.5, message="other"), *errors))
    found = read_log(log, NOW)
    assert (found.is_doubled, found.errors_in_window) == (True, 4)


def test_a_storm_of_daemon_mode_counts_once(log: Path) -> None:
    loops = [line("ERROR", 1, message=f"{NOGROUP} {group}") for group in "abc"]
    log.write_text(doubled(*(loops * 100)))
    assert read_log(log, NOW).errors_in_window == 300


@pytest.mark.parametrize("times", [750, 2, 1, 3])
def test_equal_lines_of_one_second_are_no_doubled_lines(log: Path, times: int) -> None:
    log.write_text(line("INFO", 5) + line("ERROR", 2) * times + line("INFO", 1))
    found = read_log(log, NOW)
    assert (found.is_doubled, found.errors_in_window) == (False, times)


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
