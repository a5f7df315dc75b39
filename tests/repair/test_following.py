"""What came since a plan was made."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.repair.following import Follower
from blueplane_doctor.repair.plan import MARK, Plan
from tests.helpers import settings_for
from tests.repair.pipelines import planned


@pytest.fixture
def plan(live_pipeline: Pipeline) -> Plan:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    return planned(live_pipeline)


@pytest.fixture
def follower(live_pipeline: Pipeline, plan: Plan) -> Iterator[Follower]:
    with closing(Examination(settings_for(live_pipeline))) as examination:
        yield Follower(examination, plan)


def test_nothing_came(follower: Follower, plan: Plan) -> None:
    follower.catch_up()
    assert (follower.came_ids, follower.copies, follower.came) == ([], {}, {})
    assert follower.other_of(plan.items[0]) == ""


def test_a_message_of_the_same_key(live_pipeline: Pipeline, follower: Follower, plan: Plan) -> None:
    (event_id,) = plan.items[0].keys[0].values
    (identity,) = live_pipeline.enqueue_cursor(1, event_ids=[event_id])
    follower.catch_up()
    assert follower.other_of(plan.items[0]) == identity
    assert follower.other_of(plan.items[1]) == ""


def test_a_copy_of_the_item_itself_is_no_other_message(live_pipeline: Pipeline, follower: Follower, plan: Plan) -> None:
    item = plan.items[0]
    (event_id,) = item.keys[0].values
    (identity,) = live_pipeline.enqueue_cursor(1, event_ids=[event_id], **{MARK.decode(): f"1-0 {item.id}"})
    follower.catch_up()
    assert follower.copies == {item.id: identity}
    assert follower.other_of(item) == ""
