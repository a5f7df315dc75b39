"""One message: its values at a path, and what is wrong with its JSON."""

import pytest

from blueplane_doctor.custody.messages import Message


def message(**fields: str) -> Message:
    flat: list[bytes] = []
    for name, value in fields.items():
        flat += [name.encode(), value.encode()]
    return Message((b"1795358495737-3", flat))


def test_its_id_compares_as_the_server_compares() -> None:
    assert message().id == (1_795_358_495_737, 3)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, ""),
        ({"payload": "{}", "metadata": "{}"}, ""),
        ({"payload": "not json"}, "payload is not JSON"),
        ({"payload": "[1]"}, "payload is a list instead of an object"),
        ({"payload": '"text"'}, "payload is text instead of an object"),
        ({"payload": "null"}, "payload is null instead of an object"),
        ({"payload": "7"}, "payload is a bare value instead of an object"),
        ({"metadata": "[]", "payload": "null"}, "metadata is a list instead of an object"),
    ],
)
def test_what_is_wrong_with_its_json(fields: dict[str, str], text: str) -> None:
    assert message(**fields).malformed() == text


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        ('{"a": {"b": "text"}}', "text"),
        ('{"a": {"b": true}}', "1"),
        ('{"a": {"b": 7}}', "7"),
        ('{"a": {"b": ""}}', None),
        ('{"a": {"b": []}}', None),
        ('{"a": []}', None),
        ('{"a": {"b": "\\ud800"}}', "?"),
        ("[" * 100_000, None),
    ],
    ids=["text", "a truth value as SQLite stores it", "number", "empty", "list", "no object", "surrogate", "too deep"],
)
def test_the_value_at_a_path(payload: str, value: str | None) -> None:
    assert message(payload=payload).value("payload.a.b") == value


@pytest.mark.parametrize(("timestamp", "expected"), [("2026-01-01T00:00:00Z", 1_767_225_600_000), ("never", None)])
def test_its_own_time(timestamp: str, expected: int | None) -> None:
    assert message(timestamp=timestamp).event_ms() == expected
    assert message().event_ms() is None
