"""Messages as the producers make them, without a server."""

import json
from datetime import UTC, datetime

import pytest

from blueplane_doctor.demo.messages import PRIVATE_TEXT, SHAPES, MessageMaker, Shape, dead_letter
from blueplane_doctor.layouts import CURRENT

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_seed_decides_all_identifiers() -> None:
    one = MessageMaker(3).from_hook(NOW, "cursor", "stop", "agent_stop")
    assert one == MessageMaker(3).from_hook(NOW, "cursor", "stop", "agent_stop")
    assert one["event_id"] != MessageMaker(4).from_hook(NOW, "cursor", "stop", "agent_stop")["event_id"]


def test_a_platform_has_its_own_session() -> None:
    messages = MessageMaker(3)
    assert messages.from_hook(NOW, "cursor", "stop", "x")["session_id"] == messages.cursor_session
    assert messages.from_hook(NOW, "claude_code", "Stop", "x")["session_id"] == messages.claude_session
    assert messages.from_transcript(NOW)["session_id"] == messages.claude_session


def test_a_source_and_a_uuid_are_only_there_when_given() -> None:
    messages = MessageMaker(3)
    assert "source" not in json.loads(messages.from_hook(NOW, "cursor", "stop", "x")["metadata"])
    monitored = messages.from_hook(NOW, "cursor", "stop", "x", source="unified_monitor")
    assert json.loads(monitored["metadata"])["source"] == "unified_monitor"
    assert "uuid" not in json.loads(messages.from_transcript(NOW)["payload"])["entry_data"]
    line = json.loads(messages.from_transcript(NOW, entry_uuid="u")["payload"])
    assert line["entry_data"]["uuid"] == "u"


def test_private_text_is_in_every_payload() -> None:
    messages = MessageMaker(3)
    for fields in (messages.from_hook(NOW, "cursor", "stop", "x"), messages.from_transcript(NOW)):
        assert PRIVATE_TEXT in fields["payload"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_dead_letter_names_its_message(shape: Shape) -> None:
    message = MessageMaker(3).from_hook(NOW, "cursor", "stop", "x", event_id="e")
    stream, fields = dead_letter(shape, "1-1", message, CURRENT, NOW, ValueError("why"))
    assert stream in CURRENT.dead_letters
    assert {"1-1", "e"} & set(fields.values())
