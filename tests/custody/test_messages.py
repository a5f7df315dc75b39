"""One message: values at a path, whatever the JSON is, and what is wrong with its form."""

import json

import pytest

from blueplane_doctor.custody.messages import Message


def message(**fields: str | bytes) -> Message:
    flat = [part if isinstance(part, bytes) else part.encode() for pair in fields.items() for part in pair]
    return Message((b"1795358495737-3", flat))


def at(path: str) -> tuple[bytes, ...]:
    return tuple(part.encode() for part in path.split("."))


def test_its_id_compares_as_the_server_compares() -> None:
    assert message().id == (1_795_358_495_737, 3)
    assert Message((b"99-0", [])).id < Message((b"100-0", [])).id < Message((b"100-11", [])).id


@pytest.mark.parametrize(
    ("value", "text", "text_when_empty_serves"),
    [
        ("u-1", "u-1", "u-1"),
        ("", None, ""),
        (None, None, None),
        (12345, "12345", "12345"),
        (1.5, "1.5", "1.5"),
        (True, "1", "1"),
        (False, "0", "0"),
        (0, "0", "0"),
        ([], None, None),
        ({}, None, None),
        (["u"], None, None),
        ("\ud800", "?", "?"),
        ("ü€🦊", "ü€🦊", "ü€🦊"),
    ],
)
def test_a_value_inside_json_is_text_as_sqlite_would_store_it(
    value: object, text: str | None, text_when_empty_serves: str | None
) -> None:
    found = message(payload=json.dumps({"entry_data": {"uuid": value}}))
    path = at("payload.entry_data.uuid")
    assert found.value(path) == text
    assert found.value(path, empty_too=True) == text_when_empty_serves


@pytest.mark.parametrize(
    "payload",
    ["", "no json", "null", "[]", "7", '"text"', '{"entry_data": null}', '{"entry_data": "x"}', "{}", "[" * 90_000],
)
def test_a_path_through_what_is_no_object_leads_nowhere(payload: str) -> None:
    assert message(payload=payload).value(at("payload.entry_data.uuid"), empty_too=True) is None


def test_a_field_of_its_own() -> None:
    found = message(session_id="", event_id="e", junk=b"\xff\xfe")
    assert found.value(at("event_id")) == "e"
    assert found.value(at("session_id")) is None
    assert found.value(at("session_id"), empty_too=True) == ""
    assert found.value(at("missing"), empty_too=True) is None
    assert found.value(at("junk")) == "\ufffd\ufffd"


@pytest.mark.parametrize(
    ("field", "content", "said"),
    [
        ("payload", "{}", ""),
        ("payload", "text", "payload is not JSON"),
        ("payload", "", "payload is not JSON"),
        ("payload", '"text"', "payload is text instead of an object"),
        ("payload", "[1]", "payload is a list instead of an object"),
        ("payload", "null", "payload is null instead of an object"),
        ("payload", "7", "payload is a bare value instead of an object"),
        ("payload", "true", "payload is a bare value instead of an object"),
        ("metadata", "[]", "metadata is a list instead of an object"),
        ("metadata", b"\xff", "metadata is not JSON"),
        ("payload", "[" * 90_000, "payload is not JSON"),
        ("other", "text", ""),
    ],
)
def test_what_is_wrong_with_its_form(field: str, content: str | bytes, said: str) -> None:
    assert message(**{field: content}).malformed() == said


@pytest.mark.parametrize(
    ("stamp", "milliseconds"),
    [
        ("2026-03-14T09:26:53Z", 1_773_480_413_000),
        ("2026-03-14T10:26:53.250+01:00", 1_773_480_413_250),
        ("2026-03-14T09:26:53", 1_773_480_413_000),
        ("2026-03-14 09:26:53", 1_773_480_413_000),
        ("soon", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("9" * 100, None),
    ],
)
def test_when_it_happened_by_its_own_word(stamp: str, milliseconds: int | None) -> None:
    assert message(timestamp=stamp).event_ms() == milliseconds
