"""The tail of the log: counts and times of errors, whatever else stands in it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blueplane_doctor.sources.server_source import TAIL_BYTES, LogTail, read_log

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
    assert read_log(log, NOW) == LogTail(), "a folder is no log"


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
        + line("ERROR", 1, "asyncio", "Task was destroyed but it is pending!")
        + "task: <Task pending name='Task-7'>\n"
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
