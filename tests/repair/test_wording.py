"""A plan in words."""

import json
from collections import Counter

import pytest

from blueplane_doctor.repair.plan import Holding, Item, Refusal, Room, RowKey
from blueplane_doctor.repair.wording import (
    KeptPlan,
    counts_in_words,
    id_lines,
    kept_plans,
    plan_as_json,
    plan_in_words,
    stage_of,
)
from tests.repair.test_store import PLAN

HOME = "<home>"


def test_a_plan_names_what_it_saves_delivers_and_leaves() -> None:
    keep = Item(target="lost", action="keep", source="stream", id="7-0", reason="its writer cannot read it")
    refusal = Refusal(what="deliver 3 messages again", reason="no writer runs")
    plan = PLAN.model_copy(
        update={"items": (*PLAN.items, keep), "refusals": (refusal,), "room": Room(used=120, limit=10_000)}
    )
    text = plan_in_words(plan, HOME)
    assert "Nothing is changed yet" in text
    assert "save        3 messages to <home>/repair/0a1b/messages.jsonl (yours alone)" in text
    assert "deliver     2 messages (stuck) again, through the stream" in text
    assert "keep        1 message (lost) that is saved only: its writer cannot read it" in text
    assert "refused     deliver 3 messages again: no writer runs" in text
    assert "Room: 9,880 of 10,000" in text
    assert "repair --apply 0a1b" in text
    assert "repair --undo 0a1b" in text


def test_a_plan_that_changes_nothing_is_not_offered() -> None:
    keep = Item(target="lost", action="keep", source="stream", id="7-0")
    assert "--apply" not in plan_in_words(PLAN.model_copy(update={"items": (keep,)}), HOME)


@pytest.mark.parametrize(
    ("kept", "heading", "steps"),
    [
        pytest.param(KeptPlan(PLAN, None), "Nothing is changed yet", ("Do it", "Take it back"), id="new"),
        pytest.param(KeptPlan(PLAN, None, is_begun=True), "It was begun", ("Go on", "Take it back"), id="killed"),
        pytest.param(
            KeptPlan(PLAN, {"done": {"delivered": 1}, "interrupted": True}, is_begun=True),
            "It was begun",
            ("Go on", "Take it back"),
            id="interrupted",
        ),
        pytest.param(
            KeptPlan(PLAN, {"done": {"delivered": 1}}, is_begun=True), "It was applied", ("Take it back",), id="ended"
        ),
    ],
)
def test_a_plan_says_how_far_it_came_and_offers_what_is_left(
    kept: KeptPlan, heading: str, steps: tuple[str, ...]
) -> None:
    text = plan_in_words(PLAN, HOME, stage_of(kept))
    assert heading in text
    for step in ("Do it", "Go on", "Take it back"):
        assert (f"{step}: blueplane-doctor" in text) is (step in steps), step


def test_a_plan_that_did_not_come_to_its_end_stands_in_the_list() -> None:
    assert kept_plans([KeptPlan(PLAN, None)]).endswith(" not applied\n")
    assert kept_plans([KeptPlan(PLAN, None, is_begun=True)]).endswith(" begun, and not ended\n")
    text = kept_plans([KeptPlan(PLAN, None, is_begun=True, taken_events=1)])
    assert text.endswith("1 event of the hook's spool kept here until delivered: blueplane-doctor repair spool\n")


def test_what_was_taken_back_stands_in_the_list() -> None:
    result = {"done": {"delivered": 14, "set aside": 1}, "taken_back": 15}
    assert kept_plans([KeptPlan(PLAN, result)]).endswith("14 delivered, 1 set aside, 15 of them taken back\n")


def test_an_empty_plan() -> None:
    empty = PLAN.model_copy(update={"items": ()})
    assert plan_in_words(empty, HOME).startswith("Nothing to repair of what was asked for")
    assert plan_in_words(empty, HOME, is_of_all=True).startswith("Nothing to repair: no message is stuck")


def test_a_plan_of_refusals_alone_has_no_name() -> None:
    refusal = Refusal(what="deliver 3 messages again", reason="no writer runs")
    text = plan_in_words(PLAN.model_copy(update={"items": (), "refusals": (refusal,)}), HOME)
    assert text.startswith("Nothing can be repaired now in the Redis at 127.0.0.1:1:\n  refused ")
    assert "0a1b" not in text


def test_what_was_done_in_words() -> None:
    lines = counts_in_words(Counter({"delivered": 1_200}), Counter({"it is written already": 2}), 3)
    assert lines == [
        "  delivered   1,200",
        "  left alone  2: it is written already",
        "  not seen    3 rows yet; look again with: blueplane-doctor",
    ]


def test_each_item_has_a_line() -> None:
    assert list(id_lines(PLAN.items[:1])) == ["  deliver     5-0 (stuck)"]


def test_a_plan_for_programs_holds_nothing_private() -> None:
    private = "name@example.com"
    key = RowKey(table="cursor_raw_traces", columns=("event_id",), values=(private,))
    holding = Holding(group="processors", consumer=private, delivered_ms=1, deliveries=1)
    item = PLAN.items[0].model_copy(
        update={"id": private, "stream": private, "group": private, "keys": (key,), "holdings": (holding,)}
    )
    plan = PLAN.model_copy(update={"items": (item,), "home": f"/{private}"})
    assert private not in json.dumps(plan_as_json(plan))
    assert private not in "".join(id_lines(plan.items))
