"""Refusals of design.md's list on a live server, each with its sentence, in the plan and when it is applied."""

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.repair import refusals
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.plan import Action, Plan
from blueplane_doctor.repair.planning import make_plan
from tests.helpers import settings_for
from tests.repair.pipelines import applied, planned, store_of

NO_PROCESS = (1 << 31) - 1
"""No system gives a process so large a number."""


def hold(pipeline: Pipeline, count: int) -> list[str]:
    """Messages that Cursor's writer holds for five minutes."""
    ids = pipeline.enqueue_cursor(count, at=pipeline.ago(minutes=5))
    pipeline.drain("claude_processors")
    pipeline.deliver("processors")
    pipeline.age_pending("processors", milliseconds=300_000)
    return ids


def sentences(plan: Plan) -> str:
    return "\n".join(f"{refusal.what}: {refusal.reason}" for refusal in plan.refusals)


def test_a_key_that_an_unfinished_message_has(live_pipeline: Pipeline) -> None:
    live_pipeline.enqueue_cursor(1, at=live_pipeline.ago(minutes=5), event_ids=["same"])
    live_pipeline.deliver("processors")
    live_pipeline.age_pending("processors", milliseconds=300_000)
    (waiting,) = live_pipeline.enqueue_cursor(1, event_ids=["same"])
    (only,) = planned(live_pipeline).items
    assert (only.action, only.reason) == (Action.KEEP, f"{waiting}, which is not finished, has the same event_id")


def test_no_writer_and_no_room(live_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(live_pipeline, 9)
    plan = planned(live_pipeline)
    assert len(plan.of(Action.DELIVER)) == 9
    store = store_of(live_pipeline)
    settings = settings_for(live_pipeline)
    short = settings.model_copy(update={"streams": settings.streams.model_copy(update={"max_length": 10})})
    full = make_plan(short, Wanted(), store.new_id()).plan
    assert len(full.of(Action.DELIVER)) == 8
    assert sentences(full).startswith("deliver 1 message again: the stream would be more than 80% full of what is not")

    # Before Redis 7.2 a consumer that was claimed for looks as if it had asked.
    monkeypatch.setattr(refusals, "POLLED_MS", 0)
    (live_pipeline.home / "server.pid").write_text(str(NO_PROCESS))
    live_pipeline.configure(http_port=1)
    with pytest.raises(RepairRefused, match=r"no writer of the group processors runs; nothing is changed"):
        applied(live_pipeline, plan)
    alone = planned(live_pipeline)
    assert alone.of(Action.DELIVER) == []
    assert "deliver 9 messages again: no writer of the group processors runs; start the Blueplane" in sentences(alone)
    assert live_pipeline.client.xlen(live_pipeline.queue) == 9
