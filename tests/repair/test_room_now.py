"""Only what is not finished takes room, also of what came after the plan was made."""

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.repair.applying import Applier
from blueplane_doctor.repair.plan import Action, Room
from tests.helpers import settings_for
from tests.repair.pipelines import planned, store_of


def test_what_came_since_takes_room_until_it_is_finished(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline, messages=8)
    plan = planned(live_pipeline).model_copy(update={"room": Room(used=0, limit=20)})  # 16 may be filled
    assert len(plan.of(Action.DELIVER)) == 7
    settings = settings_for(live_pipeline)

    def apply() -> int:
        applier = Applier(settings, store_of(live_pipeline), plan, write_url=settings.redis_url, patience=0)
        return applier.apply().counts["delivered"]

    live_pipeline.enqueue_cursor(10)
    with pytest.raises(RepairRefused, match="10 messages came since the plan was made, and there is no room for 7"):
        apply()
    live_pipeline.deliver("processors")
    with pytest.raises(RepairRefused, match="no room for 7"):
        apply()  # delivered, and neither written nor acknowledged
    live_pipeline.drain()
    entries = live_pipeline.client.xrange(live_pipeline.queue, f"({plan.read_to}", "+")
    live_pipeline.write(entries)  # type: ignore[arg-type]
    live_pipeline.acknowledge("processors", [identity for identity, _ in entries])
    assert apply() == 7
