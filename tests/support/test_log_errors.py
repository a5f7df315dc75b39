"""The log's error lines: their structure stays, and of their words only those that say nothing private."""

import pytest

from blueplane_doctor.support.log_errors import MOST_ENTRIES, MOST_LINES, log_errors, shape_of

ERROR = "2026-03-14 09:26:53 - blueplane.raw_traces_writer - ERROR - "


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        pytest.param(
            "Failed to write batch of 40 events: sqlite3.IntegrityError: UNIQUE constraint failed: "
            "cursor_raw_traces.event_id",
            "Failed to write batch of # events: sqlite3.IntegrityError: UNIQUE constraint failed: "
            "cursor_raw_traces.event_id",
            id="the pipeline's own words",
        ),
        pytest.param("cannot open /home/jo/plans/x.db", "cannot open /…", id="path"),
        pytest.param("redis://jo:hunter2@db1.corp:6380/0 refused", "redis://…:#/# refused", id="url"),
        pytest.param("event for jo@corp.example", "event for …", id="e-mail"),
        pytest.param("'buy the bank' is no object", "… is no object", id="quoted payload"),
        pytest.param("token sk-ant-api03-abc failed", "… failed", id="token"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_only_harmless_words_are_let_in(message: str, shown: str) -> None:
    assert shape_of(message.encode()) == shown


def test_a_traceback_keeps_its_lines_and_its_error_but_no_file_and_no_code() -> None:
    log = (
        f"{ERROR}Failed\nTraceback (most recent call last):\n"
        '  File "/home/jo/plan.py", line 12, in flush\n    write("buy the bank")\nValueError: buy the bank\n'
    )
    lines = log_errors(log.encode()).text.splitlines()
    assert lines[0] == f"{ERROR}Failed"
    assert lines[2:] == ["  File …, line 12, in flush", "  ValueError: … the …"]


def test_only_errors_are_kept_and_the_rest_is_counted() -> None:
    log = f"{ERROR}Failed\n2026-03-14 09:26:54 - x - INFO - all is well\n    more of it\n"
    found = log_errors(log.encode())
    assert (found.text, found.shown, found.older, found.others) == (f"{ERROR}Failed\n", 1, 0, 1)


def test_what_is_kept_is_bounded() -> None:
    entries = "".join(f"{ERROR}Failed {'x' * 10_000}\n" + "ValueError: y\n" * 100 for _ in range(MOST_ENTRIES + 5))
    found = log_errors(entries.encode())
    assert (found.shown, found.older) == (MOST_ENTRIES, 5)
    assert len(found.text.splitlines()) == MOST_ENTRIES * MOST_LINES
    assert max(map(len, found.text.splitlines())) < 200


@pytest.mark.parametrize("tail", [b"", b"\xff\xfe\x00", b"no log at all\n", ERROR.encode() + b"\xff\x00\x1b[31m\n"])
def test_any_bytes_are_a_log(tail: bytes) -> None:
    assert log_errors(tail).text.isascii() or "…" in log_errors(tail).text
