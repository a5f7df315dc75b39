"""An error's text is never repeated: what is shown of it stands in a table of ours."""

import socket
import sqlite3

import pytest

from blueplane_doctor.privacy.error_phrases import (
    MOST_CHARACTERS,
    NOT_SHOWN,
    error_text,
    phrase_of,
    redis_code,
    redis_text,
)

PROMPT = "please rename the client before anybody hears of it"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("database is locked", "database is locked"),
        (f"cannot write {PROMPT}: database is locked", "database is locked"),
        (
            "UNIQUE constraint failed: cursor_raw_traces.event_id",
            "UNIQUE constraint failed: cursor_raw_traces.event_id",
        ),
        (
            "UNIQUE constraint failed: claude_raw_traces.external_id, claude_raw_traces.uuid",
            "UNIQUE constraint failed: claude_raw_traces.external_id, claude_raw_traces.uuid",
        ),
        (f"UNIQUE constraint failed: {PROMPT}", "UNIQUE constraint failed"),
        (
            f"UNIQUE constraint failed: raw_traces.event_id {PROMPT}",
            "UNIQUE constraint failed: raw_traces.event_id",
        ),
        (
            f"UNIQUE constraint failed: raw_traces.event_id, {PROMPT}",
            "UNIQUE constraint failed: raw_traces.event_id",
        ),
        ("UNIQUE constraint failed: acme_mergers.client", "UNIQUE constraint failed"),
        ("UNIQUE constraint failed: raw_traces.merger", "UNIQUE constraint failed"),
        ("NOT NULL constraint failed: sk_live_abc.def", "NOT NULL constraint failed"),
        ("CHECK constraint failed: acme", "CHECK constraint failed"),
        ("no such table: raw_traces", "no such table: raw_traces"),
        ("no such table: acme_mergers", "no such table"),
        ("no such column: external_id", "no such column: external_id"),
        ("no such column: ghp_abcdef", "no such column"),
        ("malformed database schema (acme) - near x", "malformed database schema"),
        ("'NoneType' object has no attribute 'get'", "'NoneType' object has no attribute 'get'"),
        ("'Merger' object has no attribute 'get'", "an object has no such attribute"),
        ("'str' object has no attribute 'acme_bank'", "an object has no such attribute"),
        ("Expecting value: line 1 column 1 (char 0)", "Expecting value"),
        ("Error 111 connecting to db.corp.example:6379. Connection refused.", "Connection refused"),
        (PROMPT, None),
        ("", None),
    ],
)
def test_a_phrase_is_shown_with_known_names_alone(text: str, shown: str | None) -> None:
    assert phrase_of(text) == shown


def test_no_more_of_a_text_is_looked_at_than_a_phrase_can_need() -> None:
    assert phrase_of("x" * MOST_CHARACTERS + "database is locked") is None


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (sqlite3.OperationalError("no such table: acme"), "no such table"),
        (ValueError("invalid literal for int() with base 10: 'hunter2'"), "ValueError, whose text is not shown"),
        (type("AcmeError", (Exception,), {})("acme"), "another error, whose text is not shown"),
    ],
)
def test_an_error_is_told_by_its_phrase_or_its_class(error: Exception, shown: str) -> None:
    assert error_text(error) == shown


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        ("MOVED 3999 db1.corp.example:6381", "MOVED", "MOVED, with a text that is not shown"),
        ("ERR unknown command 'XINFO', with args beginning with: 'acme'", "ERR", "ERR unknown command"),
        ("NOGROUP No such key 'acme' or consumer group 'jo'", "NOGROUP", "NOGROUP No such key"),
        ("WRONGPASS invalid username-password pair or user is disabled.", "WRONGPASS", None),
        ("hunter2 is wrong", "", NOT_SHOWN),
    ],
)
def test_redis_is_told_by_its_code(text: str, code: str, shown: str | None) -> None:
    assert redis_code(text) == code
    assert redis_text(text) == (shown or text.rstrip("."))
