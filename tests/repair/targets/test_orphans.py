"""Target `orphans`."""

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.repair.plan import Action
from tests.repair.pipelines import planned


def test_what_a_consumer_that_is_gone_holds_is_delivered_again(live_pipeline: Pipeline) -> None:
    FAULTS["orphaned-messages"].apply(live_pipeline)
    plan = planned(live_pipeline, "orphans")
    assert len(plan.of(Action.DELIVER)) == len(plan.items) == 300


def test_what_a_consumer_that_lives_holds_is_not_its_own(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    assert planned(live_pipeline, "orphans").items == ()
