"""The states of Cursor's items: each edge of the rule, and that every item is in exactly one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueplane_doctor.capture.cursor_states import ITEM_STATES, LATE_MS, YOUNG_MS, Moment, states_of
from blueplane_doctor.custody.carried import CarriedItems
from blueplane_doctor.sources.cursor_items import BUBBLE, COMPOSER, GENERATION, PROMPT, Item

NOW = 1_800_000_000_000
HOUR = 3_600_000
BUSY = Moment(NOW, NOW, NOW - 20 * HOUR, is_looked_at=True)
"""A database that is written at this very moment."""
QUIET = BUSY._replace(modified_ms=NOW - YOUNG_MS - 1)


def item(age_ms: int | None, kind: str = BUBBLE, *, is_global: bool = True, identity: str = "a") -> Item:
    changed_ms = None if age_ms is None else NOW - age_ms
    return Item(kind, is_global, identity, changed_ms, changed_ms)


def state(one: Item, moment: Moment = QUIET, read_ms: int | None = None) -> str:
    rows = {} if read_ms is None else {one: read_ms}
    (only,) = states_of([one], rows, CarriedItems(), moment)
    return only


@pytest.mark.parametrize(
    ("one", "moment", "read_ms", "expected"),
    [
        pytest.param(item(HOUR), QUIET, NOW - HOUR, "written", id="read when it changed"),
        pytest.param(item(HOUR), QUIET, NOW - HOUR - 1, "outdated", id="read before it changed"),
        pytest.param(item(YOUNG_MS - 1), BUSY, NOW - HOUR, "too_young", id="its last change is young"),
        pytest.param(item(HOUR), QUIET, None, "missing", id="no row"),
        pytest.param(item(HOUR), BUSY, None, "missing", id="no row, and old enough by its own account"),
        pytest.param(item(LATE_MS - 1), BUSY, None, "too_young", id="may have been saved a moment ago"),
        pytest.param(item(LATE_MS), BUSY, None, "missing", id="saved long ago"),
        pytest.param(item(YOUNG_MS - 1), BUSY, None, "too_young", id="the server may not have looked"),
        pytest.param(item(YOUNG_MS, is_global=False), BUSY, None, "missing", id="a workspace saves every minute"),
        pytest.param(item(21 * HOUR), QUIET, None, "before_capture", id="before capture began"),
        pytest.param(item(HOUR, GENERATION), QUIET, None, "never_captured", id="a generation"),
        pytest.param(item(HOUR, PROMPT), QUIET, None, "never_captured", id="a prompt"),
        pytest.param(item(HOUR, GENERATION), QUIET, NOW, "written", id="a generation of a server that sends them"),
        pytest.param(
            item(HOUR), QUIET._replace(is_looked_at=False), None, "never_captured", id="a database nobody looks at"
        ),
        pytest.param(item(HOUR)._replace(is_malformed=True), QUIET, None, "never_captured", id="of another form"),
    ],
)
def test_an_item_alone(one: Item, moment: Moment, read_ms: int | None, expected: str) -> None:
    assert state(one, moment, read_ms) == expected


def test_what_stands_before_an_item_that_was_read_a_minute_ago_was_seen_by_the_server() -> None:
    """Also where it tells no time of its own, and the database is never quiet."""
    first = item(10 * 60_000, identity="first")
    untimed = Item(BUBBLE, True, "untimed", None, first.changed_ms)
    last = item(5 * 60_000, identity="last")
    items = [first, untimed, last]
    assert states_of(items, {first: NOW - 9 * 60_000}, CarriedItems(), BUSY)[1] == "too_young"
    rows = {first: NOW - 9 * 60_000, last: NOW - 60_000}
    assert states_of(items, rows, CarriedItems(), BUSY) == ["written", "missing", "written"]
    rows[last] = NOW - 59_999
    assert states_of(items, rows, CarriedItems(), BUSY)[1] == "too_young", (
        "its row may come with the others of that look"
    )


def test_an_older_row_of_a_later_item_tells_nothing() -> None:
    """It was read before it was written anew, and so before what stands in front of it."""
    first = item(30 * 60_000, identity="first")
    untimed = Item(BUBBLE, True, "untimed", None, first.changed_ms)
    rewritten = Item(COMPOSER, True, "rewritten", NOW - 5 * HOUR, first.changed_ms)
    rows = {first: NOW - 29 * 60_000, rewritten: NOW - 4 * HOUR}
    assert states_of([first, untimed, rewritten], rows, CarriedItems(), BUSY)[1] == "too_young"


ITEMS = st.builds(
    Item,
    st.sampled_from([BUBBLE, COMPOSER, GENERATION, PROMPT]),
    st.booleans(),
    st.uuids().map(str),
    st.none() | st.integers(NOW - 30 * HOUR, NOW),
    st.none() | st.integers(NOW - 30 * HOUR, NOW),
    st.booleans(),
)


@given(st.lists(ITEMS, max_size=12), st.booleans(), st.data())
def test_every_item_is_in_exactly_one_state_and_what_was_read_since_is_written(
    items: list[Item], is_looked_at: bool, data: st.DataObject
) -> None:
    rows = {one: data.draw(st.integers(NOW - 30 * HOUR, NOW)) for one in items if data.draw(st.booleans())}
    moment = Moment(NOW, data.draw(st.integers(NOW - HOUR, NOW)), NOW - 20 * HOUR, is_looked_at)
    states = states_of(items, rows, CarriedItems(), moment)
    assert len(states) == len(items)
    assert set(states) <= set(ITEM_STATES)
    for one, its_state in zip(items, states, strict=True):
        has_row = one in rows
        assert (its_state == "written") == (has_row and rows[one] >= (one.changed_ms or 0))
        if its_state == "missing":
            assert not has_row and one.kind in (BUBBLE, COMPOSER) and not one.is_malformed and is_looked_at


SECOND = 1_000
LOOK_MS = 60 * SECOND
WRITES = st.lists(st.tuples(st.integers(0, 900), st.none() | st.integers(0, 700)), min_size=1, max_size=25)
"""Seconds between two writes, and by how much an item's own time is before its writing; None: it tells none."""


def working_server(writes: list[tuple[int, int | None]], phase_ms: int) -> tuple[list[Item], dict[Item, int], int]:
    """Cursor writes, and a server looks once a minute, waits for 10 s and sends what is new: a row a second later.

    The items, when the server read each that was sent, and when the last was written.
    """
    written_ms = NOW - 6 * HOUR
    items = []
    read_at: dict[Item, int] = {}
    highest: int | None = None
    for number, (gap, lag) in enumerate(writes):
        written_ms += gap * SECOND
        changed_ms = None if lag is None else written_ms - lag * SECOND
        if changed_ms is not None:
            highest = max(changed_ms, highest or 0)
        one = Item(BUBBLE, True, str(number), changed_ms, highest)
        items.append(one)
        look_ms = written_ms + (phase_ms - written_ms) % LOOK_MS
        read_at[one] = look_ms + 10 * SECOND
    return items, read_at, written_ms


@given(WRITES, st.integers(0, LOOK_MS - 1), st.integers(0, 7 * HOUR))
def test_while_the_server_works_nothing_is_missing_whenever_one_looks(
    writes: list[tuple[int, int | None]], phase_ms: int, after_ms: int
) -> None:
    items, read_at, _ = working_server(writes, phase_ms)
    now_ms = NOW - 6 * HOUR + after_ms
    # What Cursor has written by then is what is there; in the order of writing, so a first part of the list.
    there = []
    last_ms = NOW - 6 * HOUR
    for one, (gap, _) in zip(items, writes, strict=True):
        last_ms += gap * SECOND
        if last_ms > now_ms:
            last_ms -= gap * SECOND
            break
        there.append(one)
    rows = {one: read_at[one] for one in there if read_at[one] + SECOND <= now_ms}
    moment = Moment(now_ms, last_ms, NOW - 20 * HOUR, is_looked_at=True)
    assert "missing" not in states_of(there, rows, CarriedItems(), moment)


@given(WRITES, st.integers(0, LOOK_MS - 1), st.data())
def test_what_was_withheld_is_missing_once_cursor_rests_and_nothing_else(
    writes: list[tuple[int, int | None]], phase_ms: int, data: st.DataObject
) -> None:
    items, read_at, last_ms = working_server(writes, phase_ms)
    withheld = {one for one in items if data.draw(st.booleans())}
    rows = {one: read_ms for one, read_ms in read_at.items() if one not in withheld}
    moment = Moment(last_ms + YOUNG_MS + 1, last_ms, NOW - 20 * HOUR, is_looked_at=True)
    states = states_of(items, rows, CarriedItems(), moment)
    missing = {one for one, its_state in zip(items, states, strict=True) if its_state == "missing"}
    assert missing == {one for one in withheld if one.since_ms}
