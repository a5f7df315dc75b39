"""The newest entries of the log, each once, whatever is cut or doubled."""

from pathlib import Path

import pytest

from blueplane_doctor.sources.log_entries import TAIL_BYTES
from blueplane_doctor.sources.server_log import read_log
from tests.sources.log_lines import NOGROUP, NOW, WRITER, line


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


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


def test_a_log_that_was_just_rotated_tells_of_what_came_since(log: Path) -> None:
    log.with_name("server.log.1").write_text(line("ERROR", 2) * 30)
    log.write_text(line("INFO", 1))
    found = read_log(log, NOW)
    assert found.errors_in_window is not None and found.lines is not None
    assert found.errors_in_window == 30, "the window of five minutes reaches into the rotated file"


def test_a_line_with_milliseconds_is_understood(log: Path) -> None:
    log.write_text(line("ERROR", 1).replace(" - server", ",123 - server"))
    assert read_log(log, NOW).errors_in_window == 1


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
