"""A plan is applied item by item; applied again, the end is the same."""

import os

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import ExitCode, RepairRefused
from blueplane_doctor.repair.plan import MARK, Action
from tests.helpers import examined
from tests.repair.pipelines import (
    applied,
    copies,
    planned,
    refuse_strange_events,
    result_of,
    stick,
    store_of,
    writers_at_work,
)


def test_a_copy_has_the_fields_of_its_original_byte_for_byte(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    plan = planned(live_pipeline)
    applied(live_pipeline, plan, patience=0)
    entries = dict(live_pipeline.client.xrange(live_pipeline.queue))  # type: ignore[arg-type]
    copied = 0
    for fields in list(entries.values()):
        origin = fields.pop(MARK.decode(), None)
        if origin:
            copied += 1
            assert fields == {name: value for name, value in entries[origin].items() if name != MARK.decode()}
    assert copied == 39


def test_all_messages_are_saved_before_anything_is_changed(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    plan = planned(live_pipeline)
    applied(live_pipeline, plan, patience=0)
    saved = store_of(live_pipeline).files(plan.id).saved()
    assert saved is not None
    assert len(saved) == 40
    entries = dict(live_pipeline.client.xrange(live_pipeline.queue))  # type: ignore[arg-type]
    fields_of = saved.fields_of(range(40))
    for number, item in enumerate(plan.items):
        assert {name.decode(): value.decode() for name, value in fields_of[number]} == entries[item.id]


def test_applied_twice_nothing_is_copied_twice(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    plan = planned(live_pipeline)
    applied(live_pipeline, plan, patience=0)
    first = copies(live_pipeline)
    applied(live_pipeline, plan, patience=0)
    assert copies(live_pipeline) == first
    assert result_of(live_pipeline, plan)["done"] == {"delivered": 39, "set aside": 1}


def test_without_its_journal_nothing_is_copied_twice(live_pipeline: Pipeline) -> None:
    """As after a power cut: what was done is told by the marks of the copies."""
    FAULTS["poison-duplicate"].apply(live_pipeline)
    plan = planned(live_pipeline)
    applied(live_pipeline, plan, patience=0)
    first = copies(live_pipeline)
    os.truncate(store_of(live_pipeline).files(plan.id).folder / "journal.jsonl", 0)
    with writers_at_work(live_pipeline):
        applied(live_pipeline, plan, patience=20)
    assert copies(live_pipeline) == first
    assert result_of(live_pipeline, plan)["rows_not_seen"] == 0


def test_a_message_trimmed_after_it_was_saved_is_delivered(live_pipeline: Pipeline) -> None:
    FAULTS["locked-database"].apply(live_pipeline)
    plan = planned(live_pipeline)
    applied(live_pipeline, plan, patience=0)
    live_pipeline.client.xtrim(live_pipeline.queue, minid=plan.read_to)
    with writers_at_work(live_pipeline):
        outcome = applied(live_pipeline, plan, patience=20)
    assert outcome.exit_code is ExitCode.OK, outcome.text


@pytest.mark.parametrize("change", ["run_id", "made_ms"])
def test_a_plan_of_another_redis_or_time_is_refused(live_pipeline: Pipeline, change: str) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    plan = planned(live_pipeline)
    values = {"run_id": "another", "made_ms": plan.made_ms - 600_001}
    other = plan.model_copy(update={"id": "ffff", change: values[change]})
    store_of(live_pipeline).keep(other)
    with pytest.raises(RepairRefused):
        applied(live_pipeline, other)
    assert copies(live_pipeline) == []


def test_what_cannot_be_written_goes_to_the_dead_letters(live_pipeline: Pipeline) -> None:
    """Acknowledged alone it would be lost."""
    live_pipeline.enqueue_cursor(3, at=live_pipeline.ago(minutes=2))
    (poison,) = live_pipeline.enqueue_cursor(1, at=live_pipeline.ago(minutes=2), payload={"storage_level": None})
    live_pipeline.deliver("processors")
    live_pipeline.age_pending("processors", milliseconds=60_000)
    plan = planned(live_pipeline)
    assert [item.id for item in plan.of(Action.SET_ASIDE)] == [poison]
    with writers_at_work(live_pipeline):
        applied(live_pipeline, plan, patience=20)
    ((_, letter),) = live_pipeline.client.xrange(plan.dead_letters)
    assert letter["original_entry_id"] == poison
    assert "4 messages" not in str(result_of(live_pipeline, plan)["after"])
    assert "1 dead lettered" in result_of(live_pipeline, plan)["after"]["equation"]  # type: ignore[index]


def test_a_session_does_not_begin_a_second_time(any_live_pipeline: Pipeline) -> None:
    (first, other) = any_live_pipeline.enqueue_claude_hook(2, at=any_live_pipeline.ago(minutes=5))
    any_live_pipeline.deliver("claude_processors", consumer="claude-consumer-4999999")
    any_live_pipeline.drain()
    any_live_pipeline.age_pending("claude_processors", milliseconds=300_000, consumer="claude-consumer-4999999")
    plan = planned(any_live_pipeline, "orphans")
    assert [item.id for item in plan.of(Action.DELIVER)] == [first, other]
    applied(any_live_pipeline, plan, patience=0.1)
    assert any_live_pipeline.deliver("session_monitors") == []
    assert any_live_pipeline.deliver("transcript_processors") == []
    assert len(any_live_pipeline.deliver("claude_processors")) == 2


@pytest.mark.slow
def test_a_poison_that_nothing_tells_is_found_by_delivering_alone(live_pipeline: Pipeline) -> None:
    refuse_strange_events(live_pipeline)
    live_pipeline.enqueue_cursor(4, at=live_pipeline.ago(minutes=2))
    live_pipeline.enqueue_cursor(1, at=live_pipeline.ago(minutes=2), event_type="strange")
    live_pipeline.enqueue_cursor(4, at=live_pipeline.ago(minutes=2))
    stick(live_pipeline)
    first = planned(live_pipeline)
    assert len(first.of(Action.DELIVER)) == 9
    applied(live_pipeline, first, patience=0)  # delivered all at once they fail all together, as before
    stick(live_pipeline)
    second = planned(live_pipeline)
    assert len(second.of(Action.DELIVER)) == 9
    with writers_at_work(live_pipeline):
        applied(live_pipeline, second, patience=0)
    assert result_of(live_pipeline, second)["rows_not_seen"] == 1
    stick(live_pipeline)
    third = planned(live_pipeline)
    (strange,) = third.items
    assert (strange.action, len(strange.origins)) == (Action.SET_ASIDE, 2)
    applied(live_pipeline, third, patience=0)
    states = examined(live_pipeline, select="chain").metrics["chain"]["states"]  # type: ignore[index]
    # Its dead letter names the event, and so the original and both copies.
    assert {state: count for state, count in states.items() if count} == {
        "written": 8,
        "duplicate": 16,
        "dead_lettered": 3,
    }


@pytest.mark.slow
def test_after_three_in_a_row_that_are_not_written_alone_it_stops(live_pipeline: Pipeline) -> None:
    live_pipeline.enqueue_cursor(5, at=live_pipeline.ago(minutes=2), **{MARK.decode(): "1-0"})
    live_pipeline.deliver("processors")
    live_pipeline.age_pending("processors", milliseconds=60_000)
    plan = planned(live_pipeline)
    applied(live_pipeline, plan, patience=0)
    result = result_of(live_pipeline, plan)
    assert result["done"] == {"delivered": 3}
    assert result["left_alone"] == {"the writer wrote none of the last messages that it was given alone": 2}
