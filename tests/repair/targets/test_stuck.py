"""Target `stuck`: Cursor's messages are delivered again, Claude's writer is left to write its own."""

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.repair.plan import Action, Source
from tests.repair.pipelines import planned


def test_what_cursors_writer_holds_is_delivered_again(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    plan = planned(live_pipeline, "stuck")
    assert (len(plan.of(Action.DELIVER)), len(plan.of(Action.SET_ASIDE))) == (39, 1)


def test_what_claudes_writer_tries_again_is_left_to_it(live_pipeline: Pipeline) -> None:
    FAULTS["retry-storm"].apply(live_pipeline)
    plan = planned(live_pipeline, "stuck")
    assert (len(plan.of(Action.RELEASE)), len(plan.of(Action.SET_ASIDE)), len(plan.items)) == (29, 1, 30)


def test_a_poison_that_is_known_by_its_values(live_pipeline: Pipeline) -> None:
    live_pipeline.enqueue_cursor(2, at=live_pipeline.ago(minutes=1))
    live_pipeline.enqueue_cursor(1, at=live_pipeline.ago(minutes=1), payload={"n": 2**70})
    live_pipeline.deliver("processors")
    live_pipeline.age_pending("processors", milliseconds=60_000)
    (poison,) = planned(live_pipeline, "stuck").of(Action.SET_ASIDE)
    assert poison.reason == "payload holds an integer over 64 bit"


def test_orphans_are_another_target(live_pipeline: Pipeline) -> None:
    FAULTS["orphaned-messages"].apply(live_pipeline)
    assert planned(live_pipeline, "stuck").items == ()


def test_messages_on_their_way_are_none(live_pipeline: Pipeline) -> None:
    live_pipeline.enqueue_cursor(3)
    live_pipeline.deliver("processors")
    assert planned(live_pipeline).items == ()


def test_of_what_left_the_stream_only_the_entry_is_acknowledged(live_pipeline: Pipeline) -> None:
    FAULTS["retry-storm"].apply(live_pipeline)
    live_pipeline.client.xtrim(live_pipeline.queue, maxlen=20, approximate=False)
    plan = planned(live_pipeline, "stuck")
    assert {item.source for item in plan.of(Action.ACKNOWLEDGE)} == {Source.GONE}
    assert len(plan.of(Action.ACKNOWLEDGE)) == 10
    assert len(plan.saved) == 20
