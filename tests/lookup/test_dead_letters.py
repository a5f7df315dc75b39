"""What is shown of a dead letter: the phrase or the fingerprint of its error, and nothing private."""

import pytest

from blueplane_doctor.lookup.dead_letters import reason
from blueplane_doctor.text import identifier


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("database is locked", "E: database is locked"),
        ("UNIQUE constraint failed: cursor_raw_traces.event_id", None),
        ("could not store the prompt buy milk", "E: (text is private)"),
        ("no such file /home/somebody/secret.txt", "E: (text is private)"),
    ],
)
def test_only_phrases_of_libraries_are_shown(message: str, shown: str | None) -> None:
    told, _ = reason({b"error_type": b"E", b"error_message": message.encode()})
    assert told == (shown or f"E: {message}")


def test_the_same_error_has_the_same_fingerprint_whatever_its_particulars() -> None:
    def fingerprint(text: str) -> str:
        return reason({b"error_type": b"E", b"error_message": text.encode()})[1]

    assert fingerprint("row 17 of 'abc' failed") == fingerprint("row 23 of 'xyz' failed")
    assert fingerprint("row 17 failed") != fingerprint("column 17 failed")


def test_an_id_that_is_none_is_only_described() -> None:
    assert identifier("buy milk and bread") == "(not an ID, 18 characters)"
