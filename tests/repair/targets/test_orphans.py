"""Target `orphans`."""

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import ExitCode
from blueplane_doctor.repair.plan import Action, Source
from blueplane_doctor.repair.undoing import undo
from blueplane_doctor.repair.wording import plan_in_words
from tests.helpers import settings_for
from tests.repair.pipelines import applied, planned, store_of


def test_what_a_consumer_that_is_gone_holds_is_delivered_again(live_pipeline: Pipeline) -> None:
    FAULTS["orphaned-messages"].apply(live_pipeline)
    plan = planned(live_pipeline, "orphans")
    assert len(plan.of(Action.DELIVER)) == len(plan.items) == 300


def test_what_a_consumer_that_lives_holds_is_not_its_own(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    assert planned(live_pipeline, "orphans").items == ()


def test_of_what_left_the_stream_only_the_entry_is_acknowledged(live_pipeline: Pipeline) -> None:
    FAULTS["orphaned-messages"].apply(live_pipeline, messages=8)
    live_pipeline.client.xtrim(live_pipeline.queue, maxlen=3, approximate=False)
    plan = planned(live_pipeline, "orphans")
    gone = [item for item in plan.items if item.source is Source.GONE]
    assert [item.action for item in gone] == [Action.ACKNOWLEDGE] * 5
    assert len(plan.saved) == len(plan.of(Action.DELIVER)) == 3
    assert applied(live_pipeline, plan).result["done"] == {"delivered": 3, "acknowledged": 5}
    assert live_pipeline.client.xpending(live_pipeline.queue, "claude_processors")["pending"] == 0
    undone = undo(settings_for(live_pipeline), store_of(live_pipeline), plan, live_pipeline.redis_url)
    assert undone.taken_back == 3
    assert dict(undone.stays) == {"its content had left the stream before it was acknowledged": 5}


def test_where_all_left_the_stream_nothing_is_saved_or_promised_back(live_pipeline: Pipeline) -> None:
    FAULTS["orphaned-messages"].apply(live_pipeline, messages=8)
    live_pipeline.client.xtrim(live_pipeline.queue, maxlen=0, approximate=False)
    plan = planned(live_pipeline, "orphans")
    assert (len(plan.items), plan.saved, plan.may_be_taken_back) == (8, [], False)
    assert "8 messages (orphans) of which only the IDs are left" in plan_in_words(plan, "~")
    assert applied(live_pipeline, plan).exit_code is ExitCode.OK
    assert planned(live_pipeline).items == ()
