"""Why a message without a row may have been handled all the same."""

import pytest

from blueplane_doctor.custody.absence import LETTER_DROPPED, TABLES_BEGIN_LATER, Absence, DroppedLetters
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.sources.trace_tables import Lookup

KEY = [Lookup("cursor_raw_traces", ("event_id",), ("k",))]


def message(milliseconds: int, payload: bytes = b"{}") -> Message:
    return Message((b"%d-0" % milliseconds, [b"payload", payload]))


@pytest.mark.parametrize(
    ("beginning", "payload", "reason"),
    [
        pytest.param(None, b"{}", TABLES_BEGIN_LATER, id="a table without a row"),
        pytest.param(5_001, b"{}", TABLES_BEGIN_LATER, id="it begins later"),
        pytest.param(5_000, b"{}", "", id="it begins earlier"),
        pytest.param(None, b"[]", "", id="a malformed message never had a row"),
    ],
)
def test_a_table_that_begins_later(beginning: int | None, payload: bytes, reason: str) -> None:
    absence = Absence({"cursor_raw_traces": beginning}, DroppedLetters())
    assert absence.reason(message(5_000, payload), KEY) == reason
    assert sum(absence.counts.values()) == bool(reason)


def test_a_table_does_not_begin_after_a_message_that_has_its_row() -> None:
    absence = Absence({"cursor_raw_traces": 9_000}, DroppedLetters())
    absence.has_row(KEY)
    assert absence.reason(message(5_000), KEY) == ""


def test_of_a_table_whose_beginning_is_not_known_nothing_is_said() -> None:
    assert Absence({}, DroppedLetters()).reason(message(5_000), KEY) == ""


@pytest.mark.parametrize(("milliseconds", "reason"), [(4_999, LETTER_DROPPED), (5_000, LETTER_DROPPED), (5_001, "")])
def test_dropped_letters_are_older_than_those_that_are_left(milliseconds: int, reason: str) -> None:
    absence = Absence({}, DroppedLetters(7, 5_000))
    assert absence.reason(message(milliseconds, b"[]"), KEY) == reason
