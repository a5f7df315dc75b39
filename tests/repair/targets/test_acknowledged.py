"""Target `acknowledged`: entries that need nothing but their acknowledgement."""

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import ExitCode
from blueplane_doctor.repair.plan import Action
from tests.repair.pipelines import applied, planned, repaired


def test_what_is_written_is_acknowledged_and_not_copied(live_pipeline: Pipeline) -> None:
    live_pipeline.enqueue_cursor(4, at=live_pipeline.ago(minutes=3))
    live_pipeline.write(live_pipeline.deliver("processors"))
    live_pipeline.age_pending("processors", milliseconds=120_000)
    live_pipeline.drain()
    plan = planned(live_pipeline)
    assert len(plan.of(Action.ACKNOWLEDGE)) == len(plan.items) == 4
    assert repaired(live_pipeline).exit_code is ExitCode.OK
    assert live_pipeline.client.xpending(live_pipeline.queue, "processors")["pending"] == 0
    assert live_pipeline.client.xlen(live_pipeline.queue) == 4


def test_what_has_only_the_row_of_another_message_is_set_aside(live_pipeline: Pipeline) -> None:
    live_pipeline.enqueue_cursor(1, at=live_pipeline.ago(minutes=4), event_ids=["same"])
    live_pipeline.drain()
    (second,) = live_pipeline.enqueue_cursor(1, at=live_pipeline.ago(minutes=3), event_ids=["same"])
    live_pipeline.deliver("processors")
    live_pipeline.age_pending("processors", milliseconds=120_000)
    plan = planned(live_pipeline)
    (only,) = plan.items
    assert (only.action, only.id) == (Action.SET_ASIDE, second)
    assert only.reason == "a row with the same event_id is there, and its time is another message's"
    assert applied(live_pipeline, plan).exit_code is ExitCode.OK
    ((_, letter),) = live_pipeline.client.xrange(plan.dead_letters)
    assert letter["original_entry_id"] == second


def test_what_nobody_is_meant_to_write_is_acknowledged(live_pipeline: Pipeline) -> None:
    live_pipeline.enqueue_skipped(2, at=live_pipeline.ago(minutes=3))
    live_pipeline.deliver("claude_processors")
    live_pipeline.age_pending("claude_processors", milliseconds=120_000)
    plan = planned(live_pipeline)
    assert {item.reason for item in plan.items} == {"by design nobody writes it"}
    # Without its writer beside it, which acknowledges them itself as soon as it looks at what it holds.
    assert applied(live_pipeline, plan).exit_code is ExitCode.OK
    assert live_pipeline.client.xpending(live_pipeline.queue, "claude_processors")["pending"] == 0
