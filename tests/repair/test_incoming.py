"""Messages that never were in the stream; tests/repair/targets tries them from end to end."""

from blueplane_doctor.repair.incoming import message_of


def test_fields_become_a_message_without_an_id() -> None:
    message = message_of([(b"event_id", b"e"), (b"payload", b'{"a": 1}')])
    assert message.id == (0, 0)
    assert message.event_id == b"e"
    assert message.value("payload.a") == "1"
