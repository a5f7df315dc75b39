from blueplane_doctor.sources.letter_errors import MALFORMED, NO_REASON, SET_ASIDE, SET_ASIDE_FIELD, letter_error


def test_the_same_error_with_other_particulars_is_the_same() -> None:
    first = letter_error({b"error_type": b"OperationalError", b"error_message": b"no such table: 'a' in /x/y 17"})
    second = letter_error({b"error_type": b"OperationalError", b"error_message": b"no such table: 'b' in /z 4711"})
    assert first.general == second.general


def test_without_an_error_it_says_so() -> None:
    assert letter_error({}).shown == NO_REASON


def test_a_message_that_its_writer_could_not_decode_is_malformed() -> None:
    letter = {b"message_id": b"1773479901310-0", b"retry_count": b"3", b"event": b"null"}
    assert letter_error(letter).shown == MALFORMED
    assert letter_error(letter).general == letter_error({**letter, b"message_id": b"1773479901311-0"}).general
    assert letter_error({**letter, b"event": b'{"a": 1}'}).shown == NO_REASON
    assert letter_error({**letter, b"error_type": b"ValueError"}).shown == "ValueError"


def test_what_repair_set_aside_is_no_error_of_a_writer() -> None:
    fields = {b"error_type": b"ValueError", b"error_message": b"private", SET_ASIDE_FIELD: b"7f3a"}
    assert letter_error(fields).shown == SET_ASIDE
