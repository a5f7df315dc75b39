"""A plan in words."""

from collections import Counter
from pathlib import Path

from blueplane_doctor.repair.plan import Item, Refusal, Room
from blueplane_doctor.repair.wording import counts_in_words, id_lines, plan_in_words
from tests.repair.test_store import PLAN


def test_a_plan_names_what_it_saves_delivers_and_leaves() -> None:
    keep = Item(target="lost", action="keep", source="stream", id="7-0", reason="its writer cannot read it")
    refusal = Refusal(what="deliver 3 messages again", reason="no writer runs")
    plan = PLAN.model_copy(
        update={"items": (*PLAN.items, keep), "refusals": (refusal,), "room": Room(used=120, limit=10_000)}
    )
    text = plan_in_words(plan)
    assert "Nothing is changed yet" in text
    assert "save        3 messages to /home/repair/0a1b/messages.jsonl (yours alone)" in text
    assert "deliver     2 messages (stuck) again, through the stream" in text
    assert "keep        1 message (lost) that are saved only: its writer cannot read it" in text
    assert "not         deliver 3 messages again: no writer runs" in text
    assert "Room: 9,880 of 10,000" in text
    assert "repair --apply 0a1b" in text
    assert "repair --undo 0a1b" in text


def test_a_plan_that_changes_nothing_is_not_offered() -> None:
    keep = Item(target="lost", action="keep", source="stream", id="7-0")
    assert "--apply" not in plan_in_words(PLAN.model_copy(update={"items": (keep,)}))


def test_an_empty_plan() -> None:
    assert plan_in_words(PLAN.model_copy(update={"items": ()})).startswith("Nothing to repair")


def test_a_plan_of_refusals_alone_has_no_name() -> None:
    refusal = Refusal(what="deliver 3 messages again", reason="no writer runs")
    text = plan_in_words(PLAN.model_copy(update={"items": (), "refusals": (refusal,)}))
    assert text.startswith("Nothing can be repaired now in the Redis at 127.0.0.1:1:\n  not ")
    assert "0a1b" not in text


def test_the_home_of_the_user_is_written_as_such(guarded_home: Path) -> None:
    plan = PLAN.model_copy(update={"home": f"{guarded_home}/.blueplane"})
    assert "to ~/.blueplane/repair/0a1b/messages.jsonl" in plan_in_words(plan)


def test_what_was_done_in_words() -> None:
    lines = counts_in_words(Counter({"delivered": 1_200}), Counter({"it is written already": 2}), 3)
    assert lines == [
        "  delivered   1,200",
        "  left alone  2: it is written already",
        "  not seen    3 rows yet; look again with: blueplane-doctor",
    ]


def test_each_item_has_a_line() -> None:
    assert list(id_lines(PLAN.items[:1])) == ["  deliver     5-0 (stuck)"]
