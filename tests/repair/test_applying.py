"""A plan is applied item by item; applied again, the end is the same."""

import os
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.schema import connect
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import ExitCode, RepairRefused
from blueplane_doctor.lookup.dead_letters import DeadLetterFilter
from blueplane_doctor.repair import scripts, steps
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.plan import MARK, Action
from blueplane_doctor.repair.scripts import Move
from blueplane_doctor.repair.steps import Steps
from tests.helpers import examined
from tests.repair.pipelines import applied, planned, result_of, store_of, writers_at_work


def copies(pipeline: Pipeline) -> list[str]:
    """What the copies in the stream are marked with."""
    entries = pipeline.client.xrange(pipeline.queue)
    return [fields[MARK.decode()] for _, fields in entries if MARK.decode() in fields]  # type: ignore[index]


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


def test_a_message_that_its_writer_acknowledged_meanwhile_is_left_alone(live_pipeline: Pipeline) -> None:
    FAULTS["locked-database"].apply(live_pipeline)
    plan = planned(live_pipeline)
    first = plan.of(Action.DELIVER)[0]
    live_pipeline.acknowledge(first.group, [first.id])
    outcome = applied(live_pipeline, plan, patience=0)
    assert outcome.exit_code is ExitCode.FINDINGS
    assert first.id not in copies(live_pipeline)
    assert len(copies(live_pipeline)) == 119


def test_another_writer_that_tries_its_own_batch_again_holds_up_no_delivery(live_pipeline: Pipeline) -> None:
    """It is given each message, and what it passes over stays pending with it while its own batch fails."""
    live_pipeline.enqueue_cursor(3, at=live_pipeline.ago(minutes=2))
    for group in ("processors", "claude_processors"):
        live_pipeline.deliver(group)
        live_pipeline.age_pending(group, milliseconds=60_000)
    plan = planned(live_pipeline)
    passed, *retried = [item.id for item in plan.of(Action.DELIVER)]
    live_pipeline.acknowledge("claude_processors", [passed])
    consumer = live_pipeline.consumers["claude_processors"]
    live_pipeline.client.xclaim(live_pipeline.queue, "claude_processors", consumer, 0, retried)
    applied(live_pipeline, plan, patience=0)
    assert copies(live_pipeline) == [passed, *retried]
    for group in ("processors", "claude_processors"):
        assert live_pipeline.client.xpending(live_pipeline.queue, group)["pending"] == 0  # type: ignore[index]


def test_what_another_message_is_written_for_is_set_aside_only_with_it(live_pipeline: Pipeline) -> None:
    live_pipeline.enqueue_cursor(2, event_ids=["twin", "twin"], at=live_pipeline.ago(minutes=2))
    live_pipeline.deliver("processors")
    live_pipeline.age_pending("processors", milliseconds=60_000)
    plan = planned(live_pipeline)
    (first,), (second,) = plan.of(Action.DELIVER), plan.of(Action.SET_ASIDE)
    consumer = live_pipeline.consumers["processors"]
    live_pipeline.client.xclaim(live_pipeline.queue, "processors", consumer, 0, [first.id])
    applied(live_pipeline, plan, patience=0)
    assert live_pipeline.client.xpending(live_pipeline.queue, "processors")["pending"] == 2  # type: ignore[index]
    assert f"{second.reason}, which was not delivered" in result_of(live_pipeline, plan)["left_alone"]  # type: ignore[operator]
    live_pipeline.age_pending("processors", milliseconds=60_000)
    plan = planned(live_pipeline)
    applied(live_pipeline, plan, patience=0)
    ((_, letter),) = live_pipeline.client.xrange(plan.dead_letters)  # until then it is lost to nobody
    assert letter["original_entry_id"] == second.id
    with writers_at_work(live_pipeline):
        applied(live_pipeline, plan, patience=20)
    assert live_pipeline.client.xlen(plan.dead_letters) == 0


def test_a_message_whose_row_came_meanwhile_is_acknowledged_and_not_copied(live_pipeline: Pipeline) -> None:
    FAULTS["locked-database"].apply(live_pipeline)
    plan = planned(live_pipeline)
    first = plan.of(Action.DELIVER)[0]
    live_pipeline.write(live_pipeline.client.xrange(live_pipeline.queue, first.id, first.id))  # type: ignore[arg-type]
    applied(live_pipeline, plan, patience=0)
    assert first.id not in copies(live_pipeline)
    assert result_of(live_pipeline, plan)["done"] == {"acknowledged": 1, "delivered": 119}


def test_a_copy_that_another_repair_made_meanwhile_is_not_made_twice(
    live_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    FAULTS["dead-letter-growth"].apply(live_pipeline)
    plan = planned(live_pipeline, wanted=Wanted(filter=DeadLetterFilter(older_than_ms=0)))
    first = plan.of(Action.DELIVER)[0]
    move = Steps._move

    def slow_move(self: Steps, moves: Sequence[Move], **more: Any) -> int | list[str | None]:
        if moves[0].original == first.id and not copies(live_pipeline):
            key = first.keys[0].values[0]
            live_pipeline.enqueue_cursor(1, event_ids=[key], **{MARK.decode(): first.origin})
        return move(self, moves, **more)

    monkeypatch.setattr(Steps, "_move", slow_move)
    applied(live_pipeline, plan, patience=0)
    assert copies(live_pipeline).count(first.origin) == 1


def test_a_key_that_came_meanwhile_is_not_delivered(live_pipeline: Pipeline) -> None:
    FAULTS["locked-database"].apply(live_pipeline)
    plan = planned(live_pipeline)
    first = plan.of(Action.DELIVER)[0]
    live_pipeline.enqueue_cursor(1, event_ids=list(first.keys[0].values))
    applied(live_pipeline, plan, patience=0)
    assert first.id not in copies(live_pipeline)


def test_a_message_that_left_the_stream_before_it_was_saved(live_pipeline: Pipeline) -> None:
    FAULTS["locked-database"].apply(live_pipeline)
    plan = planned(live_pipeline)
    first = plan.of(Action.DELIVER)[0]
    live_pipeline.client.xdel(live_pipeline.queue, first.id)
    applied(live_pipeline, plan, patience=0)
    assert len(copies(live_pipeline)) == 119
    left_alone = result_of(live_pipeline, plan)["left_alone"]
    assert left_alone == {"it left the stream before it could be saved": 1}


@pytest.mark.parametrize("more", [0, 1])
def test_a_message_with_more_fields_than_a_step_can_add_holds_up_no_other(live_pipeline: Pipeline, more: int) -> None:
    refuse_strange_events(live_pipeline)  # and with it the whole batch
    old = live_pipeline.ago(minutes=2)
    (first,) = live_pipeline.enqueue_cursor(1, at=old)
    live_pipeline.enqueue_cursor(1, at=old, event_type="strange")
    live_pipeline.enqueue_cursor(1, at=old)
    ((_, fields),) = live_pipeline.client.xrange(live_pipeline.queue, first, first)  # type: ignore[misc]
    live_pipeline.client.xdel(live_pipeline.queue, first)
    own = scripts.MOST_FIELDS + more - len(fields)
    wide = {**fields, **{f"f{number}": "x" for number in range(own)}}
    live_pipeline.client.xadd(live_pipeline.queue, wide, id=f"{int(old.timestamp() * 1000) + 9_000}-0")
    stick(live_pipeline)
    plan = planned(live_pipeline)
    assert len(plan.of(Action.DELIVER)) == 3
    applied(live_pipeline, plan, patience=0)
    assert len(copies(live_pipeline)) == 3 - more


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


def test_where_the_readers_are_behind_a_session_is_left_alone(
    live_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "_TRIES", 3)
    live_pipeline.enqueue_claude_hook(1, at=live_pipeline.ago(minutes=5))
    live_pipeline.deliver("claude_processors", consumer="claude-consumer-4999999")
    live_pipeline.age_pending("claude_processors", milliseconds=300_000, consumer="claude-consumer-4999999")
    outcome = applied(live_pipeline, planned(live_pipeline, "orphans"), patience=0.1)
    assert "would begin or end this session again" in outcome.text
    assert live_pipeline.client.xlen(live_pipeline.queue) == 1


def stick(pipeline: Pipeline) -> None:
    """What its writer holds is held for a minute."""
    pipeline.drain()
    pipeline.age_pending("processors", milliseconds=60_000)


def refuse_strange_events(pipeline: Pipeline) -> None:
    """Make a message fail for a reason that nothing in it tells."""
    with closing(connect(pipeline.database)) as connection:
        connection.execute(
            "CREATE TRIGGER strange BEFORE INSERT ON cursor_raw_traces WHEN NEW.event_type = 'strange' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )


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
