"""A line becomes the message that the transcript monitor makes of it: compared with one that its server made."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from blueplane_doctor.sources.transcript_messages import read_line, transcript_message

AT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
ENTRY = {"uuid": "u", "type": "user", "timestamp": "2026-11-28T10:00:00.000Z", "cwd": "/home/me/site", "n": 1.0}


def test_the_fields_are_those_of_the_monitor() -> None:
    message = transcript_message(json.dumps(ENTRY).encode(), "s", "", AT)
    assert message == {
        b"version": b"0.1.0",
        b"hook_type": b"JSONLTrace",
        b"event_type": b"user",
        b"timestamp": b"2026-11-28T10:00:00.000Z",
        b"platform": b"claude_code",
        b"session_id": b"s",
        b"external_session_id": b"s",
        b"metadata": b'{"workspace_hash": "9f76196d2b5a4603", "project_name": "site", "source": "jsonl_monitor"}',
        b"payload": b'{"entry_data": {"uuid": "u", "type": "user", "timestamp": "2026-11-28T10:00:00.000Z", '
        b'"cwd": "/home/me/site", "n": 1.0}}',
    }


def test_what_the_server_was_told_of_the_session_counts() -> None:
    message = transcript_message(json.dumps(ENTRY).encode(), "s", "/srv/other/", AT)
    assert message is not None
    assert json.loads(message[b"metadata"])["project_name"] == "other"


def test_a_line_without_type_time_and_folder() -> None:
    message = transcript_message(b'{"uuid": "u"}', "s", "", AT)
    assert message is not None
    assert (message[b"event_type"], message[b"timestamp"]) == (b"unknown", b"2026-11-28T12:00:00.000Z")
    assert json.loads(message[b"metadata"]) == {
        "workspace_hash": None,
        "project_name": None,
        "source": "jsonl_monitor",
    }


def test_a_long_name_is_shortened_as_the_monitor_does() -> None:
    message = transcript_message(b"{}", "s", f"/{'x' * 90}", AT)
    assert message is not None
    assert json.loads(message[b"metadata"])["project_name"] == "x" * 77 + "..."


@pytest.mark.parametrize("line", [b"not json", b"[1]", b'{"type": "\\ud800"}'])
def test_what_cannot_be_added_is_none(line: bytes) -> None:
    assert transcript_message(line, "s", "", AT) is None


def test_a_line_is_read_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_bytes(b'{"a":1}\n{"b":2}\n')
    assert read_line(file, 8, 7) == b'{"b":2}'
    assert read_line(file, 12, 7) is None
    assert read_line(tmp_path / "none", 0, 1) is None
