"""What makes a writer fail is told by the types of values; what it passes over is not."""

import json

import pytest

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.poison import poison_reason


def _message(platform: str, payload: str, metadata: str = "{}") -> Message:
    fields = [b"platform", platform.encode(), b"metadata", metadata.encode(), b"payload", payload.encode()]
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
        ({"entry_data": {"message": {"usage": {"input_tokens": "3"}}}}, "usage.input_tokens is text"),
        ({"entry_data": {"message": {"usage": {"service_tier": []}}}}, "usage.service_tier is a list"),
        (
            {"entry_data": {"message": {"usage": {"cache_creation": {"ephemeral_1h_input_tokens": {}}}}}},
            "usage.cache_creation.ephemeral_1h_input_tokens is an object",
        ),
        ({"entry_data": {"message": {"stop_reason": {}}}}, "message.stop_reason is an object"),
        ({"entry_data": {"uuid": None}}, "uuid is null"),
        ({"entry_data": {"type": None}}, "type is null"),
        ({"entry_data": {"timestamp": None}}, "timestamp is null"),
        ({"entry_data": {"timestamp": []}}, "timestamp is a list"),
        ({"entry_data": {"cwd": ["a"], "uuid": "x"}}, "cwd is a list"),
        ({"entry_data": {"projectName": {}}}, "project_name is an object"),
        ({"entry_data": {}, "duration_ms": []}, "payload.duration_ms is a list"),
        ({"entry_data": {}, "duration_ms": 2**64}, "an integer over 64 bit"),
        ({"entry_data": {"cwd": None, "summary": None, "message": None}}, ""),
        ({"entry_data": {"message": {"content": [{}], "role": None}}, "duration_ms": None}, ""),
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
        ('{"full_data": {"timingInfo": null}}', "full_data.timingInfo is null"),
        ('{"full_data": {"timingInfo": {"clientEndTime": 1e30}}}', "clientEndTime is a number over 64 bit"),
        ('{"full_data": {"unixMs": "99999999999999999999"}}', "unixMs is a number over 64 bit"),
        ('{"full_data": {"linesAdded": Infinity}}', "linesAdded is a number over 64 bit"),
        ('{"full_data": {"createdAt": "soon", "unixMs": "12", "linesAdded": 1.5, "completedAt": []}}', ""),
        ('{"full_data": {"sessionId": {"a": 1}}}', "full_data.sessionId is an object"),
        ('{"full_data": {"sessionId": {}, "session_id": "s", "projectName": "p", "workspaceName": [1]}}', ""),
        ('{"full_data": {"text": {}, "richText": {}, "type": null}}', ""),
    ],
)
def test_what_stops_the_cursor_writer(payload: str, reason: str) -> None:
    assert poison_reason(_message("cursor", payload)) == reason


@pytest.mark.parametrize(
    ("platform", "metadata", "reason"),
    [
        ("cursor", {"workspace_hash": None}, "metadata.workspace_hash is null"),
        ("cursor", {"database_table": None}, "metadata.database_table is null"),
        ("cursor", {"item_key": None}, "metadata.item_key is null"),
        ("cursor", {"storage_level": None}, "metadata.storage_level is null"),
        ("cursor", {"storage_level": {}}, "metadata.storage_level is an object"),
        ("cursor", {"item_key": []}, "metadata.item_key is a list"),
        ("cursor", {"session_id": [1]}, "metadata.session_id is a list"),
        ("cursor", {"session_id": [], "project_name": {}, "workspace_name": None}, ""),
        ("cursor", {"project_name": {"a": 1}}, "metadata.project_name is an object"),
        ("cursor", {"workspace_hash": "", "source": None}, ""),
        ("claude_code", {"workspace_hash": {}}, "metadata.workspace_hash is an object"),
        ("claude_code", {"workspace_hash": 2**64}, "an integer over 64 bit"),
        ("claude_code", {"project_name": ["a"]}, "project_name is a list"),
        ("claude_code", {"workspace_hash": None, "project_name": []}, ""),
    ],
)
def test_what_of_the_metadata_the_database_refuses(platform: str, metadata: object, reason: str) -> None:
    assert poison_reason(_message(platform, '{"entry_data": {}}', json.dumps(metadata))) == reason
