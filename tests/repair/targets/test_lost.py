"""Target `lost`."""

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import ExitCode
from blueplane_doctor.repair.plan import Action
from tests.repair.pipelines import planned, repaired


def test_what_its_writer_cannot_read_is_saved_only(live_pipeline: Pipeline) -> None:
    FAULTS["malformed-payloads"].apply(live_pipeline)
    plan = planned(live_pipeline, "lost")
    assert len(plan.of(Action.KEEP)) == len(plan.items) == 12
    assert not plan.changes
    assert {item.reason for item in plan.items} == {
        "its writer cannot read it: payload is text instead of an object",
        "its writer cannot read it: payload is a list instead of an object",
    }


def test_what_its_writer_can_read_is_delivered_again(live_pipeline: Pipeline) -> None:
    live_pipeline.enqueue_cursor(1, at=live_pipeline.ago(minutes=4))
    live_pipeline.drain()  # the table begins before them
    live_pipeline.enqueue_cursor(5, at=live_pipeline.ago(minutes=3))
    for group in live_pipeline.writer_groups:
        entries = live_pipeline.deliver(group)
        live_pipeline.acknowledge(group, [identity for identity, _ in entries])
    assert len(planned(live_pipeline, "lost").of(Action.DELIVER)) == 5
    assert repaired(live_pipeline, "lost").exit_code is ExitCode.OK
    assert planned(live_pipeline, "lost").items == ()
