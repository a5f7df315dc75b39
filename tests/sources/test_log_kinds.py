"""Errors in the log are named by words of our own."""

from datetime import timedelta
from pathlib import Path

import pytest

from blueplane_doctor.sources.log_kinds import NO_PERMISSION, OTHER, REFUSED_LOGIN
from blueplane_doctor.sources.server_log import read_log
from tests.sources.log_lines import NOGROUP, NOW, WRITER, line


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


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
        ("'utf-8' codec can't decode byte 0xff in position 26: invalid start byte", "payload is not UTF-8"),
        ("Expecting value: line 1 column 1 (char 0)", "invalid JSON"),
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
