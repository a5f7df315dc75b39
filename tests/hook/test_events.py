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
        ("http://me:secret@host:1", ("host", 1)),
        ("http://host:0", events.NOWHERE),
        ("http://host:65536", events.NOWHERE),
        (f"http://host:{'9' * 5000}", events.NOWHERE),
        ("http://host:\N{SUPERSCRIPT TWO}", ("host", 8787)),
    ],
)
def test_addresses(url: str, address: tuple[str, int]) -> None:
    assert events.address_of(url) == address


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
