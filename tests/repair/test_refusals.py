"""What is refused, each with its reason."""

from collections import defaultdict

import pytest

from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.repair.plan import Action, Holding, Item, Room, RowKey
from blueplane_doctor.repair.refusals import (
    beside_written,
    refuse_another_redis,
    refuse_old,
    settled,
    with_writers,
    within_pipeline,
    within_room,
)
from blueplane_doctor.repair.survey import Survey
from tests.repair.test_store import PLAN

KEY = RowKey(table="cursor_raw_traces", columns=("event_id",), values=("e1",))
OTHER_KEY = RowKey(table="cursor_raw_traces", columns=("event_id",), values=("e2",))
BY_TIME = RowKey(table="claude_raw_traces", columns=("external_id", "timestamp"), values=("s", "t"))
HOLDING = Holding(group="processors", consumer="c", delivered_ms=1, deliveries=1)


def item(identity: str, key: RowKey = KEY, **more: object) -> Item:
    values = {"target": "stuck", "action": "deliver", "source": "stream", "id": identity, "group": "processors"}
    values |= {"keys": (key,), "holdings": (HOLDING,)}
    return Item.model_validate(values | more)


def survey(**unfinished: list[str]) -> Survey:
    keys = defaultdict(list, {KEY.lookup: unfinished.get("key", []), BY_TIME.lookup: unfinished.get("by_time", [])})
    return Survey(unfinished=keys)


def actions(items: list[Item]) -> list[Action]:
    return [one.action for one in items]


def test_the_only_unfinished_message_of_its_key_is_delivered() -> None:
    assert actions(settled([item("1-0")], survey(key=["1-0"]))) == [Action.DELIVER]


def test_the_second_of_one_key_is_set_aside() -> None:
    first, second = settled([item("1-0"), item("2-0")], survey(key=["1-0", "2-0"]))
    assert actions([first, second]) == [Action.DELIVER, Action.SET_ASIDE]
    assert second.reason == "same event_id as 1-0"
    assert second.is_written


def test_the_second_of_one_key_is_kept_where_nobody_holds_it() -> None:
    _, second = settled([item("1-0"), item("2-0", holdings=())], survey(key=["1-0"]))
    assert second.action is Action.KEEP


def test_an_unfinished_message_outside_the_plan_with_the_same_key() -> None:
    (only,) = settled([item("1-0")], survey(key=["1-0", "9-0"]))
    assert only.action is Action.KEEP
    assert only.reason == "9-0, which is not finished, has the same event_id"


def test_a_dead_letter_with_the_id_of_an_unfinished_message_is_not_that_message() -> None:
    letter = item("9-0", OTHER_KEY, source="dead letter", stream="telemetry:dlq", holdings=())
    only, _ = settled([item("1-0"), letter], survey(key=["1-0", "9-0"]))
    assert only.action is Action.KEEP
    assert only.reason == "9-0, which is not finished, has the same event_id"


def test_messages_of_one_session_and_time_are_no_duplicates() -> None:
    items = settled([item("1-0", BY_TIME), item("2-0", BY_TIME)], survey(by_time=["1-0", "2-0", "3-0"]))
    assert actions(items) == [Action.DELIVER, Action.DELIVER]


def test_a_message_without_a_key_is_kept() -> None:
    (only,) = settled([item("1-0", keys=())], survey())
    assert only.action is Action.KEEP
    assert "nothing by which its row" in only.reason


@pytest.mark.parametrize(("origins", "action"), [((), "deliver"), (("1-0",), "deliver"), (("1-0", "2-0"), "set aside")])
def test_what_was_delivered_twice_is_not_delivered_a_third_time(origins: tuple[str, ...], action: str) -> None:
    (only,) = settled([item("3-0", origins=origins)], survey())
    assert only.action == action
    assert not only.is_written
    (letter,) = settled([item("3-0", origins=origins, holdings=(), source="dead letter")], survey())
    assert letter.action == action.replace("set aside", "keep")


def test_what_a_writer_tries_again_is_left_to_it_where_something_is_set_aside() -> None:
    release = {"action": "release"}
    items = settled([item("1-0", **release), item("2-0", **release)], survey())
    assert actions(items) == [Action.RELEASE, Action.SET_ASIDE]
    (only,) = settled([item("1-0", **release)], survey())
    assert only.action is Action.KEEP
    assert "not known" in only.reason
    (only,) = settled([item("1-0", **release)], survey(), "process 7 holds the write lock of the database")
    assert only.reason == "process 7 holds the write lock of the database; its writer tries it again by itself"


def test_what_has_no_message_any_more_held_up_nothing() -> None:
    items = [item("1-0", action="acknowledge", source="gone", keys=()), item("2-0", action="release")]
    assert actions(settled(items, survey())) == [Action.ACKNOWLEDGE, Action.KEEP]


def test_without_a_place_for_its_dead_letter_a_message_is_not_set_aside() -> None:
    poison, same = item("1-0", OTHER_KEY, action="set aside"), item("3-0", action="set aside", is_written=True)
    items = [poison, item("2-0", action="release"), same]
    assert actions(settled(items, survey(), "", "no place")) == [Action.KEEP, Action.RELEASE, Action.SET_ASIDE]
    assert actions(settled(items[:2], survey(), "", "no place")) == [Action.KEEP, Action.KEEP]


def test_no_writer_of_the_group() -> None:
    items = [item("1-0"), item("2-0", action="acknowledge")]
    left, refusals = with_writers(items, frozenset(["claude_processors"]), "")
    assert actions(left) == [Action.ACKNOWLEDGE]
    (refusal,) = refusals
    assert "no writer of the group processors runs" in refusal.reason
    assert with_writers(items, frozenset(["processors"]), "") == (items, [])


def test_what_another_message_is_written_for_stays_where_that_one_is_not_delivered() -> None:
    items = settled([item("1-0"), item("2-0")], survey())
    assert beside_written(items) == items
    left, _ = with_writers(items, frozenset(), "")
    (kept,) = beside_written(left)
    assert (kept.action, kept.reason) == (Action.KEEP, "same event_id as 1-0, which is not delivered now")


def test_what_a_writer_tries_again_is_tried_by_nobody_where_none_runs() -> None:
    items = settled([item("1-0", action="release"), item("2-0", action="release")], survey())
    left, _ = with_writers(items, frozenset(), "")
    assert actions(beside_written(left)) == [Action.KEEP, Action.KEEP]
    assert left[0].reason == "no writer of the group processors runs that would try it again"


def test_nothing_is_changed_where_the_server_uses_another_pipeline() -> None:
    group = item("0-0", action="make group", source="none", keys=(), holdings=())
    kept = item("4-0", action="keep")
    items = [group, item("1-0"), item("2-0", action="acknowledge"), item("3-0", action="set aside"), kept]
    left, refusals = within_pipeline(items, "The server uses Redis 127.0.0.1:1, but 127.0.0.1:2 is examined")
    assert left == [kept]
    assert [refusal.what for refusal in refusals] == ["change 1 group", "change 3 messages"]
    assert refusals[0].reason.startswith("The server uses Redis 127.0.0.1:1, but")
    assert within_pipeline(items, "") == (items, [])


def test_something_is_in_the_way() -> None:
    left, refusals = with_writers([item("1-0"), item("2-0")], frozenset(["processors"]), "process 7 holds the lock")
    assert left == []
    assert [refusal.what for refusal in refusals] == ["deliver 2 messages again"]
    assert refusals[0].reason.startswith("process 7 holds the lock")


@pytest.mark.parametrize(
    ("used", "delivered"),
    [
        pytest.param(6, 2, id="all fit"),
        pytest.param(7, 1, id="one fits"),
        pytest.param(8, 0, id="none fits"),
        pytest.param(12, 0, id="more than full"),
    ],
)
def test_room_is_never_filled_past_80_percent(used: int, delivered: int) -> None:
    left, refusals = within_room([item("1-0"), item("2-0", OTHER_KEY)], Room(used=used, limit=10))
    assert len(left) == delivered
    assert bool(refusals) is (delivered < 2)


def test_a_plan_is_good_for_ten_minutes() -> None:
    refuse_old(PLAN, PLAN.made_ms + 600_000)
    with pytest.raises(RepairRefused, match="older than 10 minutes"):
        refuse_old(PLAN, PLAN.made_ms + 600_001)
    with pytest.raises(RepairRefused):
        refuse_old(PLAN, PLAN.made_ms - 1)


def test_a_plan_that_was_begun_names_the_way_on() -> None:
    with pytest.raises(RepairRefused) as old:
        refuse_old(PLAN, PLAN.made_ms + 600_001, is_begun=True)
    assert f"--undo {PLAN.id}, or make another plan, which goes on" in (old.value.hint or "")
    with pytest.raises(RepairRefused) as restarted:
        refuse_another_redis(PLAN, "other", is_begun=True)
    assert "another plan, which goes on" in (restarted.value.hint or "")


def test_a_plan_is_for_one_run_of_one_redis() -> None:
    refuse_another_redis(PLAN, PLAN.run_id)
    with pytest.raises(RepairRefused, match="another Redis"):
        refuse_another_redis(PLAN, "other")
