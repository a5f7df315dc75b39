"""The message inside a dead letter."""

import json

import pytest

from blueplane_doctor.repair.letters import message_in
from blueplane_doctor.sources.dead_letters import parse_dead_letter_entry


def letter(**fields: str | bytes) -> object:
    flat = []
    for name, value in fields.items():
        flat += [name.encode(), value if isinstance(value, bytes) else value.encode()]
    return parse_dead_letter_entry("telemetry:dlq", (b"5-0", flat))


def test_the_cursor_consumers_letter_holds_the_fields_byte_for_byte() -> None:
    fields = message_in(
        letter(  # type: ignore[arg-type]
            event_id="e",
            payload=b"\xff{",
            original_entry_id="1-0",
            moved_to_dlq_at="t",
            stream="telemetry:message_queue",
            consumer_group="processors",
        )
    )
    assert fields == [(b"event_id", b"e"), (b"payload", b"\xff{")]


@pytest.mark.parametrize(
    ("mark", "holder"),
    [({"message_id": "1-0"}, "event"), ({"original_event_id": "e"}, "original_data")],
)
def test_objects_become_json_text_again(mark: dict[str, str], holder: str) -> None:
    event = {"platform": "cursor", "payload": {"a": [1]}, "metadata": {}, "n": 3, "none": None}
    fields = message_in(letter(**mark, **{holder: json.dumps(event)}))  # type: ignore[arg-type]
    assert fields == [(b"platform", b"cursor"), (b"payload", b'{"a": [1]}'), (b"metadata", b"{}"), (b"n", b"3")]


def test_a_lone_surrogate_does_not_break_it() -> None:
    fields = message_in(letter(message_id="1-0", event='{"session_id": "\\ud800"}'))  # type: ignore[arg-type]
    assert fields is not None


@pytest.mark.parametrize(
    "fields",
    [{"message_id": "1-0", "event": "null"}, {"message_id": "1-0", "event": "["}, {"message_id": "1-0"}, {"x": "y"}],
)
def test_letters_without_a_message(fields: dict[str, str]) -> None:
    assert message_in(letter(**fields)) is None  # type: ignore[arg-type]
