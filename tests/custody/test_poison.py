"""What makes a writer fail is told by the types of values; what it passes over is not."""

import json

import pytest

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.poison import poison_reason


def _message(platform: str, payload: str) -> Message:
    fields = [b"platform", platform.encode(), b"metadata", b"{}", b"payload", payload.encode()]
    return Message((b"1-0", fields))


@pytest.mark.parametrize("field", [b"hook_type", b"\xff"])
@pytest.mark.parametrize("platform", [b"cursor", b"claude_code"])
def test_what_is_not_text_stops_either_writer(platform: bytes, field: bytes) -> None:
    message = Message((b"1-0", [b"platform", platform, field, b"\xff\xfe", b"payload", b"{}"]))
    assert poison_reason(message) == "a value is not UTF-8"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"entry_data": None}, "payload.entry_data is null"),
        ({"entry_data": {"summary": {}}}, "summary is an object"),
        ({"entry_data": {"message": {"usage": None}}}, "usage is null"),
        ({"entry_data": {"message": {"usage": {"cache_creation": None}}}}, "usage.cache_creation is null"),
        ({"entry_data": {"message": {"usage": {"input_tokens": None}}}}, "usage.input_tokens is null"),
        (
            {"entry_data": {"message": {"usage": {"cache_creation": {"ephemeral_5m_input_tokens": None}}}}},
            "a token count of usage.cache_creation is null",
        ),
        ({"entry_data": {"uuid": "x", "message": {"usage": {"input_tokens": 3}}}}, ""),
        ({}, ""),
    ],
)
def test_what_stops_the_claude_writer(payload: object, reason: str) -> None:
    assert poison_reason(_message("claude_code", json.dumps(payload))) == reason


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ('{"count": 1180591620717411303424}', "payload holds an integer over 64 bit"),
        ('{"count": [{"deep": -9223372036854775809}]}', "payload holds an integer over 64 bit"),
        ('{"count": 9223372036854775807, "least": -9223372036854775808}', ""),
        ('{"text": "\\ud800"}', "payload holds a lone surrogate"),
        ('{"text": "\\ud83d\\ude00"}', ""),
        ('{"storage_level": null}', "payload.storage_level is null"),
        ('{"external_session_id": {}}', "payload.external_session_id is an object"),
        ('{"timingInfo": null, "seconds": 1e400}', ""),
        ('"text"', ""),
    ],
)
def test_what_stops_the_cursor_writer(payload: str, reason: str) -> None:
    assert poison_reason(_message("cursor", payload)) == reason
