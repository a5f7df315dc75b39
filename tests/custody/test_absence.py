"""Why a message without a row may have been handled all the same."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.custody.absence import (
    LETTER_DROPPED,
    LETTERS_UNREADABLE,
    ROWS_DELETED,
    TABLES_BEGIN_LATER,
    Absence,
    DroppedLetters,
)
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.deleted_rows import DeletedRows, TableBeginning
from blueplane_doctor.sources.trace_tables import Lookup

KEY = [Lookup("cursor_raw_traces", ("event_id",), ("k",))]
CLAUDE_KEY = [Lookup("claude_raw_traces", ("external_id", "uuid"), ("s", "u"))]


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
    absence = Absence({"cursor_raw_traces": TableBeginning(beginning)}, DroppedLetters())
    assert absence.reason(message(5_000, payload), KEY) == reason
    assert sum(absence.counts.values()) == bool(reason)


def test_a_table_does_not_begin_after_a_message_that_has_its_row() -> None:
    absence = Absence({"cursor_raw_traces": TableBeginning(9_000)}, DroppedLetters())
    absence.has_row(KEY)
    assert absence.reason(message(5_000), KEY) == ""


@pytest.mark.parametrize(("milliseconds", "reason"), [(9_999, TABLES_BEGIN_LATER), (10_000, "")])
def test_of_one_second_some_rows_may_be_gone(milliseconds: int, reason: str) -> None:
    absence = Absence({"cursor_raw_traces": TableBeginning(9_000, 7)}, DroppedLetters())
    assert absence.reason(message(milliseconds), KEY) == reason


def test_of_a_table_whose_beginning_is_not_known_nothing_is_said() -> None:
    assert Absence({}, DroppedLetters()).reason(message(5_000), KEY) == ""


@pytest.mark.parametrize(("milliseconds", "reason"), [(4_999, LETTER_DROPPED), (5_000, LETTER_DROPPED), (5_001, "")])
def test_dropped_letters_are_older_than_those_that_are_left(milliseconds: int, reason: str) -> None:
    absence = Absence({}, DroppedLetters(7, 5_000))
    assert absence.reason(message(milliseconds, b"[]"), KEY) == reason


def test_a_letter_that_may_not_be_read_may_be_there() -> None:
    absence = Absence({}, DroppedLetters(may_hold_unseen=True))
    assert absence.reason(message(5_000), KEY) == LETTERS_UNREADABLE


@pytest.mark.parametrize(
    ("last_row", "payload", "reasons"),
    [
        pytest.param(1, b"{}", [ROWS_DELETED, ROWS_DELETED, ""], id="two were deleted behind the row before it"),
        pytest.param(4, b"{}", ["", "", ""], id="none was"),
        pytest.param(5, b"{}", [ROWS_DELETED, "", ""], id="the last row was"),
        pytest.param(None, b"{}", [ROWS_DELETED, ROWS_DELETED, ""], id="no message before it has a row"),
        pytest.param(1, b"[]", ["", "", ""], id="a malformed message never had a row"),
    ],
)
def test_each_deleted_row_is_that_of_one_message(
    last_row: int | None, payload: bytes, reasons: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "telemetry.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE cursor_raw_traces (sequence INTEGER PRIMARY KEY AUTOINCREMENT, ingested_at)")
        times = ["1970-01-01 00:00:01", *["1970-01-01 00:00:06"] * 5]
        connection.executemany("INSERT INTO cursor_raw_traces (ingested_at) VALUES (?)", [(when,) for when in times])
        connection.execute("DELETE FROM cursor_raw_traces WHERE sequence IN (2, 3, 6)")
        connection.commit()
    database = DatabaseSource(file, Deadline(60))
    absence = Absence({}, DroppedLetters(), DeletedRows(database))
    if last_row is not None:
        absence.last_rows["cursor_raw_traces"] = last_row
    assert [absence.reason(message(5_000, payload), KEY) for _ in reasons] == reasons
    database.close()


@pytest.mark.parametrize(
    ("rows_before", "has_newer_row", "pruned"),
    [
        pytest.param(2, True, 2, id="as many rows were written before"),
        pytest.param(500, True, 2, id="more were"),
        pytest.param(1, True, 0, id="fewer were: the table was made anew"),
        pytest.param(0, True, 0, id="it begins at 1"),
        pytest.param(2, False, 0, id="no message that is newer has its row"),
    ],
)
def test_sequence_numbers_tell_pruned_rows(rows_before: int, has_newer_row: bool, pruned: int) -> None:
    absence = Absence({"cursor_raw_traces": TableBeginning(9_000, rows_before)}, DroppedLetters())
    absence.reason(message(5_000), KEY)
    absence.reason(message(5_001), KEY)
    if has_newer_row:
        absence.has_row(KEY)
    assert absence.pruned() == pruned


@pytest.mark.parametrize(("newest", "pruned"), [(8_999, 1), (9_000, 0)])
def test_an_emptied_table_was_pruned_as_far_as_another(newest: int, pruned: int) -> None:
    beginnings = {"cursor_raw_traces": TableBeginning(9_000, 40), "claude_raw_traces": TableBeginning(None, 40)}
    absence = Absence(beginnings, DroppedLetters())
    absence.reason(message(newest), CLAUDE_KEY)
    absence.has_row(KEY)
    assert absence.pruned() == pruned


def test_a_message_older_than_its_table_is_not_counted_among_dropped_letters() -> None:
    absence = Absence({"cursor_raw_traces": TableBeginning(9_000, 40)}, DroppedLetters(1, 7_000))
    assert absence.reason(message(5_000), KEY) == TABLES_BEGIN_LATER
    assert absence.reason(message(5_000, b"[]"), KEY) == LETTER_DROPPED


@pytest.mark.parametrize(("rows_before", "expected"), [(1, False), (2, True), (3, False)])
def test_exactly_as_many_rows_as_messages_were_those_of_these_messages(rows_before: int, expected: bool) -> None:
    absence = Absence({"cursor_raw_traces": TableBeginning(9_000, rows_before)}, DroppedLetters())
    absence.reason(message(5_000), KEY)
    absence.reason(message(5_001), KEY)
    assert absence.have_as_many_rows() is expected


def test_without_messages_of_that_time_nothing_is_proven() -> None:
    assert not Absence({"cursor_raw_traces": TableBeginning(9_000, 0)}, DroppedLetters()).have_as_many_rows()
