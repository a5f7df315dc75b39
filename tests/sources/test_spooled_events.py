"""Events of the hook's spool, as the queue writer would have enqueued them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.sources.spooled_events import spooled_event, spooled_lines
from blueplane_hook.events import envelope
from blueplane_hook.spool import Spool

AT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def request(**event: Any) -> bytes:
    content = {"hook_type": "stop", "timestamp": "2026-11-28T11:00:00+00:00", **event}
    return json.dumps({"event": content, "platform": "cursor", "session_id": "s"}).encode()


def test_a_line_becomes_the_message_that_the_queue_writer_would_have_added() -> None:
    line = request(event_type="agent_stop", payload={"a": 1}, metadata={"pid": 2}, version="1", more=[1], none=None)
    event = spooled_event(line, AT)
    assert event.reason == ""
    assert event.fields == {
        b"event_id": event.id.encode(),
        b"enqueued_at": b"2026-11-28T12:00:00+00:00",
        b"retry_count": b"0",
        b"platform": b"cursor",
        b"session_id": b"s",
        b"external_session_id": b"s",
        b"hook_type": b"stop",
        b"timestamp": b"2026-11-28T11:00:00+00:00",
        b"event_type": b"agent_stop",
        b"payload": b'{"a": 1}',
        b"metadata": b'{"pid": 2}',
        b"version": b"1",
        b"more": b"[1]",
        b"none": b"None",
    }


def test_the_same_line_has_the_same_id_and_another_line_another() -> None:
    assert spooled_event(request(), AT).id == spooled_event(request(), AT.replace(hour=1)).id
    assert spooled_event(request(), AT).id != spooled_event(request(version="1"), AT).id


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{half", "the line is not JSON"),
        (b"[1]", "the line is no JSON object"),
        (b"{}", "event is missing"),
        (b'{"event": {"hook_type": "a"}, "platform": "cursor"}', "session_id is missing"),
        (b'{"event": [1], "platform": "cursor", "session_id": "s"}', "event is no object"),
        (b'{"event": {"hook_type": "a"}, "platform": "cursor", "session_id": "s"}', "event has no timestamp"),
        (request(other="\ud800"), "a field holds a lone surrogate"),
    ],
)
def test_what_the_server_would_refuse_says_why(line: bytes, reason: str) -> None:
    event = spooled_event(line, AT)
    assert (event.fields, event.reason, event.line) == ({}, reason, line)


def test_what_hooks_kept_apart_counts_too(tmp_path: Path) -> None:
    body = envelope("stop", b'{"conversation_id": "c"}', str(tmp_path))
    other = envelope("SessionStart", b'{"session_id": "c"}', str(tmp_path))
    assert body and other
    Spool(str(tmp_path)).add(body)
    (tmp_path / "hook-spool-1-a.own").write_bytes(other)
    (tmp_path / "hook-spool-dropped.own").write_bytes(b"dropped\n")
    found = [spooled_event(line, AT) for line in spooled_lines(tmp_path)]
    assert [event.line for event in found] == [body, other]
    assert [event.fields[b"platform"] for event in found] == [b"cursor", b"claude_code"]


def test_a_home_without_a_spool_has_none(tmp_path: Path) -> None:
    assert spooled_lines(tmp_path / "none") == []


def test_a_file_of_more_lines_than_events_is_not_gone_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blueplane_doctor.sources.spooled_events.MOST_LINES", 3)
    spool = tmp_path / "hook-spool.jsonl"
    spool.write_bytes(request() + b"\n\n\n")
    assert len(spooled_lines(tmp_path)) == 1
    spool.write_bytes(b"x: y\n" * 4)
    with pytest.raises(FileUnreadable, match="more than 3 lines"):
        spooled_lines(tmp_path)
