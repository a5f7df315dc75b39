"""Marks of copies, and keys of rows."""

from blueplane_doctor.repair.plan import MARK, Item, RowKey, flat, marked, origins_of

FIELDS = [(b"event_id", b"\xff\x00"), (b"payload", b"{}"), (b"payload", b"twice")]


def test_a_copy_has_the_same_fields_byte_for_byte_and_its_mark() -> None:
    copy = marked(FIELDS, "5-0")
    assert copy[:-1] == FIELDS
    assert copy[-1] == (MARK, b"5-0")
    assert flat(copy)[:2] == (b"event_id", b"\xff\x00")


def test_a_copy_of_a_copy_names_both_origins_in_one_mark() -> None:
    again = marked(marked(FIELDS, "5-0"), "9-0")
    assert origins_of(again) == ["5-0", "9-0"]
    assert [name for name, _ in again].count(MARK) == 1


def test_a_message_of_no_repair_has_no_origin() -> None:
    assert origins_of(FIELDS) == []


def test_only_keys_that_end_in_a_time_may_have_several_rows() -> None:
    unique = RowKey(table="cursor_raw_traces", columns=("event_id",), values=("e",))
    by_time = RowKey(table="claude_raw_traces", columns=("external_id", "timestamp"), values=("s", "t"))
    assert (unique.is_unique, by_time.is_unique) == (True, False)
    assert RowKey.of(unique.lookup) == unique


def test_an_origin_tells_a_dead_letter_from_a_message_of_the_same_id() -> None:
    message = Item(target="stuck", action="deliver", source="stream", id="5-0")
    letter = message.model_copy(update={"source": "dead letter", "stream": "telemetry:dlq"})
    assert (message.origin, letter.origin) == ("5-0", "telemetry:dlq/5-0")
