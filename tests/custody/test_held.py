"""What groups hold: each pending entry by what became of its message, in the group that has to write it."""

from collections.abc import Collection

import pytest

from blueplane_doctor.custody.held import KEPT_IDS, SHOWN_IDS, HeldMessages
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import CompiledRoute, Router
from blueplane_doctor.custody.states import IN_FLIGHT, STUCK, WRITTEN_NOT_ACKNOWLEDGED, PendingEntry
from blueplane_doctor.layouts import CURRENT
from blueplane_doctor.sources.entry_ids import id_text

OWNER = "processors"
OTHER = "claude_processors"
ROUTES = Router(CURRENT.routes, None).routes
"""The routes of today's pipeline."""


def message(number: int) -> Message:
    return Message((id_text((number, 0)).encode(), []))


def entry(number: int, idle_ms: int = 60_000, consumer: bytes = b"c") -> PendingEntry:
    return PendingEntry((number, 0), consumer, idle_ms, 1)


@pytest.fixture
def route() -> CompiledRoute:
    """The route whose messages `processors` writes."""
    return next(route for route in ROUTES if route.group == OWNER)


def counted(
    route: CompiledRoute | None, *rows: tuple[int, str, dict[str, PendingEntry]], others: Collection[int] = ()
) -> HeldMessages:
    """One page of (number, state, holders); `others`: numbers of those that have another message's row."""
    held = HeldMessages()
    pending: dict[str, dict[tuple[int, int], PendingEntry]] = {OWNER: {}, OTHER: {}}
    for number, _, holders in rows:
        for group, one in holders.items():
            pending[group][number, 0] = one
    messages = [message(number) for number, _, _ in rows]
    states = [state for _, state, _ in rows]
    held.count(messages, [route] * len(rows), states, pending, [(number, 0) for number in others])
    return held


def test_a_message_that_two_groups_hold_is_one_and_owed_by_its_writer(route: CompiledRoute) -> None:
    held = counted(route, (1, STUCK, {OWNER: entry(1), OTHER: entry(1)}))
    assert held.messages == 1
    assert (held.of(OWNER).stuck, held.of(OWNER).owed_by_consumer) == (1, {b"c": 1})
    assert (held.of(OTHER).stuck, held.of(OTHER).owed_by_consumer) == (0, {})


def test_a_message_whose_row_is_there_is_owed_by_nobody(route: CompiledRoute) -> None:
    held = counted(route, (1, "written", {OWNER: entry(1), OTHER: entry(1)}))
    assert (held.of(OWNER).written, held.of(OTHER).written) == (1, 0)
    assert held.of(OWNER).longest_owed_ms is None
    assert held.of(OWNER).to_acknowledge == held.of(OTHER).to_acknowledge == ["1-0"]


def test_what_is_fresh_is_owed_and_not_stuck(route: CompiledRoute) -> None:
    held = counted(route, (1, IN_FLIGHT, {OWNER: entry(1, idle_ms=5)}), (2, IN_FLIGHT, {OWNER: entry(2, idle_ms=9)}))
    assert (held.of(OWNER).stuck, held.of(OWNER).stuck_ids) == (0, [])
    assert held.of(OWNER).longest_owed_ms == 9


def test_a_message_that_nobody_has_to_write_is_owed_by_nobody() -> None:
    held = counted(None, (1, "skipped", {OWNER: entry(1)}))
    assert (held.messages, held.of(OWNER).owed_by_consumer) == (1, {})


def test_what_left_the_stream_is_owed_and_counted_as_gone() -> None:
    held = HeldMessages()
    held.lose([(OWNER, entry(1)), (OWNER, entry(2, consumer=b"d"))])
    assert held.of(OWNER).owed_by_consumer == {b"c": 1, b"d": 1}
    assert held.of(OWNER).gone_by_consumer == {b"c": 1, b"d": 1}


def test_ids_are_bounded_and_the_first_are_kept(route: CompiledRoute) -> None:
    rows = [(number, STUCK, {OWNER: entry(number)}) for number in range(1, SHOWN_IDS + 3)]
    held = counted(route, *rows)
    assert held.of(OWNER).stuck == SHOWN_IDS + 2
    assert held.of(OWNER).stuck_ids == [f"{number}-0" for number in range(1, SHOWN_IDS + 1)]
    rows = [(number, "written", {OWNER: entry(number)}) for number in range(1, KEPT_IDS + 2)]
    held = counted(route, *rows)
    assert held.of(OWNER).written == KEPT_IDS + 1
    assert len(held.of(OWNER).to_acknowledge) == KEPT_IDS


def test_what_has_another_messages_row_is_not_to_be_acknowledged_by_its_writer(route: CompiledRoute) -> None:
    rows = [(number, WRITTEN_NOT_ACKNOWLEDGED, {OWNER: entry(number), OTHER: entry(number)}) for number in (1, 2)]
    held = counted(route, *rows, others=[2])
    owner = held.of(OWNER)
    assert (owner.written, owner.written_by_others) == (2, 1)
    assert (owner.to_acknowledge, owner.others_ids) == (["1-0"], ["2-0"])
    assert held.of(OTHER).to_acknowledge == ["1-0", "2-0"], "no writer of its own"


def test_what_is_stuck_is_told_by_its_consumer(route: CompiledRoute) -> None:
    held = counted(route, (1, STUCK, {OWNER: entry(1)}), (2, STUCK, {OWNER: entry(2, consumer=b"d")}))
    assert held.of(OWNER).stuck_by_consumer == {b"c": 1, b"d": 1}
