"""Text that came from outside is harmless: no control characters, bounded, never private."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from blueplane_doctor.privacy.public_text import (
    consumer,
    error_class,
    event_type,
    group,
    hidden,
    identifier,
    place,
    platform,
    stream,
)
from blueplane_doctor.text.characters import plain


@pytest.mark.parametrize(
    "given",
    [
        "1773479901310-0",
        b"1-1",
        "5f0c6a52-0d2e-4b5e-9a35-000000000001",
        "5F0C6A52-0D2E-4B5E-9A35-000000000001",
        "curs_1773479901310_5f0c6a52",
    ],
)
def test_an_id_of_a_known_form_is_shown(given: str | bytes) -> None:
    assert identifier(given) == plain(given)


TOKENS = (
    *("sk_live_51HxAbCdEf", "sk-ant-api03-abcdef", "ASIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", "xapp-1-A02-abc"),
    *("xoxb-12-34-ab", "ya29.a0AfH6SMB", "SG.ngeVfQFYQlKU0.abc", "dop_v1_0123456789abcdef", "dapi0123456789abcdef"),
    *("ghp_abcdef", "github_pat_11AA", "glpat-abc", "npm_abc", "hf_abc", "AIzaSyabc", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"),
    *("0123456789abcdef0123456789abcdef", "anna", "db1.corp.example", "e-1", "consumer-4711"),
)
"""Credentials of services, and names of people and machines: none can be told from an ID by its look."""


@pytest.mark.parametrize(
    "given",
    [*TOKENS, "what is my password?", "trailing-1-1\n", "1-1\n", "x" * 129, "", b"\xff", "\ud800", "\u0661-\u0661"],
)
def test_any_other_id_is_shown_by_its_fingerprint(given: str | bytes) -> None:
    shown = identifier(given)
    assert re.fullmatch(r"<hidden-[0-9a-f]{8}>", shown)
    assert shown == identifier(given) != identifier(f"{given!r}x")


@pytest.mark.parametrize("name", [event_type, platform])
@pytest.mark.parametrize("token", [*TOKENS, "two words", "line\n", "9lives", "x" * 65])
def test_a_type_or_platform_that_is_not_known_is_not_shown(name: Callable[[str | bytes], str], token: str) -> None:
    assert name(token) == name(token.encode()) == "other"


def test_known_types_and_platforms_are_shown() -> None:
    assert event_type("JSONLTrace") == "JSONLTrace"
    assert event_type(b"session_start") == "session_start"
    assert platform("claude_code") == "claude_code"
    assert [event_type(None), event_type(""), platform(b"")] == ["none", "none", "none"]


@pytest.mark.parametrize("token", TOKENS)
def test_streams_and_groups_of_others_are_shown_by_their_fingerprint(token: str) -> None:
    assert stream(token) == group(token) == hidden(token)


def test_streams_and_groups_of_the_pipeline_are_shown() -> None:
    assert stream(b"telemetry:events") == "telemetry:events"
    assert group("processors") == "processors"
    assert group("") == "none"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("OperationalError", "OperationalError"),
        (b"sqlite3.IntegrityError", "sqlite3.IntegrityError"),
        ("redis.exceptions.ConnectionError", "redis.exceptions.ConnectionError"),
        ("", ""),
        (None, ""),
        ("AcmeMergerError", "another error"),
        ("acme.ValueError", "another error"),
        ("sk_live_abc", "another error"),
    ],
)
def test_error_class(given: str | bytes | None, expected: str) -> None:
    assert error_class(given) == expected


@pytest.mark.parametrize(
    "name",
    ["consumer-20876", "claude-consumer-20876", "cursor_session_monitor", "transcript_monitor-1"],
)
def test_the_pipeline_s_own_consumers_are_named(name: str) -> None:
    """As the server's own processes are called; see docs/PIPELINE.md."""
    assert consumer(name) == consumer(name.encode()) == name


@pytest.mark.parametrize("name", ["anna", "consumer-anna", "host-17", "", "consumer-\u0663", "consumer-0170123456789"])
def test_any_other_consumer_is_shown_by_its_fingerprint(name: str) -> None:
    assert consumer(name) == hidden(name)


def test_a_path_shows_no_more_than_it_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place(tmp_path / "x" / "telemetry.db") == "telemetry.db"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place(tmp_path / ".blueplane" / "telemetry.db") == "~/.blueplane/telemetry.db"
    assert place(tmp_path / ".cursor") == "~/.cursor"
    assert place(tmp_path / "a client" / "telemetry.db") == "telemetry.db"
    assert place(tmp_path / ".blueplane" / "a client" / "telemetry.db") == "telemetry.db"
    assert place(tmp_path / ".blueplane" / "client.db") == hidden(str(tmp_path / ".blueplane" / "client.db"))
    assert place(Path("checks/check_house.py")) == "check_house.py"
    assert place(Path("checks/check_\x1b[2J.py")) == hidden("checks/check_\x1b[2J.py")
