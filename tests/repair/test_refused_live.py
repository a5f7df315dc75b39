"""Refusals of design.md's list on a live server, each with its sentence, in the plan and when it is applied."""

import os
import signal
import sqlite3
from contextlib import closing

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import RepairRefused, SourceTimeout
from blueplane_doctor.repair import refusals
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.plan import Action, Plan
from blueplane_doctor.repair.planning import make_plan
from tests.helpers import settings_for
from tests.repair.pipelines import applied, planned, store_of
from tests.service.support import locked

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
    full = make_plan(short, Wanted(), store.new_id())
    assert len(full.of(Action.DELIVER)) == 8
    assert sentences(full).startswith("deliver 1 message again: unfinished messages would fill more than 80% of")

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


def test_a_server_that_is_stopped(live_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes what it holds when it goes on: a copy of that would be a second message of the same key."""
    hold(live_pipeline, 3)
    plan = planned(live_pipeline)
    # Before Redis 7.2 a consumer that was claimed for looks as if it had asked.
    monkeypatch.setattr(refusals, "POLLED_MS", 0)
    os.kill(live_pipeline.pid, signal.SIGSTOP)
    try:
        stopped = planned(live_pipeline)
        with pytest.raises(RepairRefused, match=r"no writer of the group processors runs; nothing is changed"):
            applied(live_pipeline, plan)
    finally:
        os.kill(live_pipeline.pid, signal.SIGCONT)
    assert len(plan.of(Action.DELIVER)) == 3
    assert stopped.of(Action.DELIVER) == []
    assert f"process {live_pipeline.pid} runs and does not answer, and may still write what it holds" in sentences(
        stopped
    )
    assert live_pipeline.client.xlen(live_pipeline.queue) == 3


def test_an_old_plan_and_one_of_another_redis(live_pipeline: Pipeline) -> None:
    hold(live_pipeline, 3)
    plan = planned(live_pipeline)
    store = store_of(live_pipeline)
    old = plan.model_copy(update={"id": store.new_id(), "made_ms": plan.made_ms - 11 * 60_000})
    other = plan.model_copy(update={"id": store.new_id(), "run_id": "0" * 40})
    for one, said in ((old, "is older than 10 minutes"), (other, r"was made for another Redis, or .* restarted since")):
        store.keep(one)
        with pytest.raises(RepairRefused, match=said):
            applied(live_pipeline, one)
    assert live_pipeline.client.xlen(live_pipeline.queue) == 3
    assert live_pipeline.client.xpending(live_pipeline.queue, "processors")["pending"] == 3


def test_what_has_a_row_is_acknowledged_and_not_delivered(live_pipeline: Pipeline) -> None:
    (identity,) = live_pipeline.enqueue_cursor(1, at=live_pipeline.ago(minutes=5), event_ids=["written"])
    live_pipeline.drain("claude_processors")
    live_pipeline.write(live_pipeline.deliver("processors"))
    live_pipeline.age_pending("processors", milliseconds=300_000)
    (only,) = planned(live_pipeline).items
    assert (only.action, only.id) == (Action.ACKNOWLEDGE, identity)


def test_a_locked_database(live_pipeline: Pipeline) -> None:
    hold(live_pipeline, 2)
    with closing(sqlite3.connect(live_pipeline.database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        plan = planned(live_pipeline)
    assert plan.of(Action.DELIVER) == []
    assert f"process {os.getpid()} holds the write lock of the database" in sentences(plan)
    with locked(live_pipeline.database), pytest.raises(SourceTimeout, match="stayed locked"):
        planned(live_pipeline)
    assert live_pipeline.client.xlen(live_pipeline.queue) == 2
