"""What is shown of a dead letter: the phrase or the fingerprint of its error, and nothing private."""

import random
import re

import pytest

from blueplane_doctor.lookup.dead_letters import reason
from blueplane_doctor.privacy.error_phrases import MOST_CHARACTERS
from blueplane_doctor.sources import letter_errors


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("database is locked", "OperationalError: database is locked"),
        ("UNIQUE constraint failed: cursor_raw_traces.event_id", None),
        ("could not store the prompt buy milk", "OperationalError: (text is private)"),
        ("no such file /home/somebody/secret.txt", "OperationalError: (text is private)"),
    ],
)
def test_only_phrases_of_libraries_are_shown(message: str, shown: str | None) -> None:
    told, _ = reason({b"error_type": b"OperationalError", b"error_message": message.encode()})
    assert told == (shown or f"OperationalError: {message}")


def test_the_same_error_has_the_same_fingerprint_whatever_its_particulars() -> None:
    def fingerprint(text: str) -> str:
        return reason({b"error_type": b"OperationalError", b"error_message": text.encode()})[1]

    assert fingerprint("row 17 of 'abc' failed") == fingerprint("row 23 of 'xyz' failed")
    assert fingerprint("row 17 failed") != fingerprint("column 17 failed")


def test_a_class_of_error_that_nobody_knows_is_not_shown() -> None:
    told, _ = reason({b"error_type": b"AcmeMergerError", b"error_message": b"UNIQUE constraint failed: buy the bank"})
    assert told == "another error: UNIQUE constraint failed"


@pytest.mark.parametrize("text", [*"{[(a/'\" \\", "a@", "a-", "://", "0f", "aaaaaaaa-aaaa-"])
def test_of_an_endless_text_only_the_beginning_is_looked_at(text: str) -> None:
    """What is behind it costs nothing, and changes nothing."""
    long = (text * 400_000)[:400_000].encode()
    cut = long[:MOST_CHARACTERS]
    assert reason({b"error_message": long}) == reason({b"error_message": cut})


OLD = re.compile(r"\S+@\S+|\w+://\S+")
"""What takes the square of the text's length."""


def test_addresses_are_left_out_as_by_the_pattern_that_looks_everywhere() -> None:
    chance = random.Random(7)
    for _ in range(3_000):
        text = "".join(chance.choices("ab_ @:/\u00e9.", weights=(4, 2, 1, 2, 1, 4, 6, 1, 1), k=chance.randrange(1, 24)))
        assert letter_errors._RUN.sub(letter_errors._without_address, text) == OLD.sub("#", text), text
