"""Single items of a plan: what came since it was made decides whether they are delivered, or left alone."""

from collections.abc import Sequence
from typing import Any

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import ExitCode
from blueplane_doctor.lookup.dead_letters import DeadLetterFilter
from blueplane_doctor.repair import scripts, steps
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.plan import MARK, Action
from blueplane_doctor.repair.scripts import Move
from blueplane_doctor.repair.steps import Steps
from tests.repair.pipelines import (
    applied,
    copies,
    planned,
    refuse_strange_events,
    result_of,
    stick,
    writers_at_work,
)


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
