"""Which stuck messages cannot be written, and which only wait with them."""

import json

import pytest

from blueplane_doctor.custody.blockers import KEPT_BLOCKERS, BlockerFinder
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.sources.entry_ids import id_text
from blueplane_doctor.sources.trace_tables import Lookup

TABLE = "cursor_raw_traces"


def message(number: int, payload: str = "{}") -> Message:
    return Message((id_text((number, 0)).encode(), [b"payload", payload.encode()]))


def by_event_id(value: str) -> Lookup:
    return Lookup(TABLE, ("event_id",), (value,))


def by_timestamp(value: str) -> Lookup:
    return Lookup("claude_raw_traces", ("session_id", "timestamp"), ("s", value))


def test_a_message_that_can_be_written_is_no_blocker() -> None:
    finder = BlockerFinder()
    finder.examine(message(1), "g", [by_event_id("a")], {})
    finder.examine(message(2), "g", [by_event_id("b")], {})
    assert finder.blockers == []


def test_the_second_of_two_with_the_same_key_blocks_and_names_the_first() -> None:
    finder = BlockerFinder()
    finder.examine(message(1), "processors", [by_event_id("a")], {})
    finder.examine(message(2), "processors", [by_event_id("a")], {})
    finder.examine(message(3), "claude_processors", [by_event_id("a")], {})
    assert [(one.id, one.group, one.reason) for one in finder.blockers] == [
        ("2-0", "processors", "same event_id as 1-0"),
        ("3-0", "claude_processors", "same event_id as 1-0"),
    ]


def test_a_message_whose_row_is_there_blocks() -> None:
    finder = BlockerFinder()
    finder.examine(message(1), "g", [by_event_id("a")], {by_event_id("a"): [17]})
    (blocker,) = finder.blockers
    assert blocker.reason == "a row with the same event_id is there already"


def test_rows_of_one_session_may_have_the_same_time() -> None:
    """No unique index forbids that, so the second one can be written."""
    finder = BlockerFinder()
    finder.examine(message(1), "g", [by_timestamp("t")], {})
    finder.examine(message(2), "g", [by_timestamp("t")], {})
    assert finder.blockers == []


@pytest.mark.parametrize(
    ("payload", "reason"), [("{", "payload is not JSON"), ("[1]", "payload is a list instead of an object")]
)
def test_a_malformed_message_blocks(payload: str, reason: str) -> None:
    finder = BlockerFinder()
    finder.examine(message(1, payload), "g", [by_event_id("a")], {})
    assert [blocker.reason for blocker in finder.blockers] == [reason]


def test_no_value_of_a_message_is_in_the_reason() -> None:
    finder = BlockerFinder()
    secret = json.dumps({"prompt": "buy milk"})
    for number in (1, 2):
        finder.examine(message(number, secret), "g", [by_event_id("buy-milk")], {})
    assert "milk" not in finder.blockers[0].model_dump_json()


def test_their_number_is_bounded() -> None:
    finder = BlockerFinder()
    for number in range(1, KEPT_BLOCKERS + 1):
        finder.examine(message(number, "["), "g", [], {})
    finder.examine(message(10_000, "["), "g", [], {})
    assert len(finder.blockers) == KEPT_BLOCKERS
    assert finder.blockers[-1].id == f"{KEPT_BLOCKERS}-0", "the first ones are kept"
    assert finder.counts["g"] == KEPT_BLOCKERS + 1, "all of them are counted"
