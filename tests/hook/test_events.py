"""An event's shape and its way, without a process of its own."""

import json
import time

import pytest

from blueplane_hook import events
from tests.hook.way_in import WayIn


def body(name: str, given: object, home: str = "/nowhere") -> dict[str, object]:
    """What is sent for this input."""
    raw = events.envelope(name, json.dumps(given).encode(), home)
    assert raw is not None
    decoded: dict[str, object] = json.loads(raw)
    return decoded


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8787", ("127.0.0.1", 8787)),
        ("http://host:1/some/path", ("host", 1)),
        ("host", ("host", 8787)),
        ("http://host", ("host", 8787)),
        ("http://host:word", ("host", 8787)),
        ("http://[::1]:99", ("::1", 99)),
        ("http://[::1]", ("::1", 8787)),
        ("unix:/run/user/1/server.sock", ("/run/user/1/server.sock", 0)),
        ("unix:///run/server.sock", ("/run/server.sock", 0)),
        ("https://127.0.0.1:8787", events.NOWHERE),
        ("HTTPS://host", events.NOWHERE),
        ("ftp://host", events.NOWHERE),
    ],
)
def test_addresses(url: str, address: tuple[str, int]) -> None:
    assert events.address_of(url) == address


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


NOT_UNDERSTOOD = {
    "empty": b"",
    "cut": b"{",
    "list": b"[]",
    "number": b"7",
    "null": b"null",
    "not UTF-8": b'{"a": "\xff"}',
    "5,000 digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "brackets": b"[" * 100_000,
    "deep": nested(100_000),
    "too deep for the server": nested(985),
    "one level too deep": nested(events.DEEPEST + 1),
    "mark in the middle": b'{"a"\xef\xbb\xbf: 1}',
}


@pytest.mark.parametrize("kind", NOT_UNDERSTOOD)
def test_what_is_not_understood_has_no_envelope(kind: str) -> None:
    assert events.envelope("stop", NOT_UNDERSTOOD[kind], "/nowhere") is None


def test_more_than_can_be_parsed_has_no_envelope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PARSED_LIMIT", 20)
    assert events.envelope("stop", b'{"a": 1}'.ljust(20), "/nowhere") is not None
    assert events.envelope("stop", b'{"a": 1}'.ljust(21), "/nowhere") is None


TEXT = '{"conversation_id": "c", "prompt": "ä"}'


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(TEXT.encode(), id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), id="a byte-order mark"),
        pytest.param(b"\xef\xbb\xbf\xef\xbb\xbf" + TEXT.encode(), id="two"),
        pytest.param(b"\xef\xbb\xbf" * 5 + b" \r\n" + TEXT.encode() + b"\r\n", id="five, and white space"),
        pytest.param(TEXT.encode("utf-16"), id="UTF-16"),
        pytest.param(("\ufeff" + TEXT).encode("utf-16"), id="UTF-16 with two"),
        pytest.param(TEXT.encode("utf-16-be"), id="UTF-16 without"),
        pytest.param(TEXT.encode("utf-32"), id="UTF-32"),
    ],
)
def test_byte_order_marks_and_encodings_are_understood(raw: bytes) -> None:
    body = events.envelope("stop", raw, "/nowhere")
    assert body is not None
    assert json.loads(body)["event"]["payload"]["full_data"]["hook_input"] == json.loads(TEXT)


@pytest.mark.parametrize("raw", [nested(events.DEEPEST), b'{"a": [' + b"[]," * 5_000 + b"[]]}"], ids=["deep", "wide"])
def test_what_is_deep_or_wide_within_bounds_is_sent(raw: bytes) -> None:
    body = events.envelope("stop", raw, "/nowhere")
    assert body is not None
    assert json.loads(body)["event"]["payload"]["full_data"]["hook_input"] == json.loads(raw)


@pytest.mark.parametrize(
    ("given", "workspace"),
    [
        ({"workspace_roots": ["/a", "/b"], "cwd": "/c"}, "/a"),
        ({"workspace_roots": [], "cwd": "/c"}, "/c"),
        ({"workspace_path": "/d"}, "/d"),
        ({"cwd": 7}, ""),
        ({}, ""),
    ],
)
def test_the_workspace_is_the_first_that_the_editor_names(given: dict[str, object], workspace: str) -> None:
    sent = body("SessionStart", given)
    event = sent["event"]
    assert isinstance(event, dict)
    assert event["payload"]["workspace_path"] == workspace
    assert ("workspace_hash" in event["metadata"]) is bool(workspace)


def test_a_session_of_cursor_is_taken_from_the_best_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CURSOR_SESSION_ID", raising=False)
    assert body("stop", {})["session_id"] == "unknown"
    assert body("stop", {"session_id": "s"})["session_id"] == "s"
    assert body("stop", {"session_id": "s", "conversation_id": "c"})["session_id"] == "c"
    monkeypatch.setenv("CURSOR_SESSION_ID", "e")
    assert body("stop", {"session_id": "s", "conversation_id": "c"})["session_id"] == "e"


def test_a_server_that_is_away_is_worth_another_try(nobody: str) -> None:
    assert events.post(events.address_of(nobody), b"{}", time.monotonic() + 5) == events.FAILED


def test_nothing_is_sent_after_the_deadline(server: WayIn) -> None:
    assert events.post(events.address_of(server.url), b"{}", time.monotonic() - 1) == events.FAILED
