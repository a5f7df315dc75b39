"""Events of the hook's spool: enqueued as the queue writer would have done it, and taken from the hooks before."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import RepairRefused, SourceError
from blueplane_doctor.repair import applying
from blueplane_doctor.repair.plan import Action, Plan, Refusal
from blueplane_doctor.repair.scripts import Move
from blueplane_doctor.repair.spool_taking import taken_lines
from blueplane_doctor.repair.steps import Steps
from blueplane_doctor.repair.store import PLAN_FILE
from blueplane_doctor.repair.undoing import undo
from blueplane_hook.events import envelope
from blueplane_hook.spool import SPOOL_FILE, Spool
from tests.helpers import settings_for
from tests.repair.pipelines import applied, planned, repaired, store_of, writers_at_work


def spool(pipeline: Pipeline, name: str = "stop", count: int = 1) -> list[bytes]:
    events = []
    for _ in range(count):
        event = envelope(name, b'{"conversation_id": "c", "session_id": "s"}', str(pipeline.home))
        assert event is not None
        Spool(str(pipeline.home)).add(event)
        events.append(event)
    return events


def waiting(pipeline: Pipeline) -> list[bytes]:
    path = pipeline.home / SPOOL_FILE
    if not path.exists():
        return []
    return path.read_bytes().splitlines()


def rows(pipeline: Pipeline, table: str = "cursor_raw_traces") -> int:
    with closing(sqlite3.connect(pipeline.database)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_events_are_written_once_and_leave_the_spool(live_pipeline: Pipeline) -> None:
    spool(live_pipeline, count=4)
    spool(live_pipeline, "SessionStart")
    outcome = repaired(live_pipeline, "spool")
    assert outcome.exit_code == 0, outcome.text
    assert (rows(live_pipeline), rows(live_pipeline, "claude_raw_traces")) == (4, 1)
    assert waiting(live_pipeline) == []
    again = planned(live_pipeline, "spool")
    assert again.items == () and again.refusals == ()


def test_readers_are_given_what_was_never_in_the_stream(live_pipeline: Pipeline) -> None:
    spool(live_pipeline, "SessionStart")
    applied(live_pipeline, planned(live_pipeline, "spool"), patience=0.1)
    (entry,) = live_pipeline.deliver("session_monitors")
    assert entry[1]["hook_type"] == "SessionStart"


def test_what_came_after_the_plan_stays_with_the_hooks(live_pipeline: Pipeline) -> None:
    spool(live_pipeline, count=2)
    plan = planned(live_pipeline, "spool")
    later = spool(live_pipeline)
    with writers_at_work(live_pipeline):
        applied(live_pipeline, plan, patience=20)
    assert waiting(live_pipeline) == later
    assert rows(live_pipeline) == 2


def test_what_a_hook_delivered_meanwhile_is_not_delivered_again(live_pipeline: Pipeline) -> None:
    events = spool(live_pipeline, count=3)
    plan = planned(live_pipeline, "spool")
    (live_pipeline.home / SPOOL_FILE).write_bytes(events[2] + b"\n")
    with writers_at_work(live_pipeline):
        outcome = applied(live_pipeline, plan, patience=20)
    assert "it left the spool since the plan was made" in outcome.text
    assert rows(live_pipeline) == 1


def test_what_nobody_writes_and_what_is_broken_stays_there(live_pipeline: Pipeline) -> None:
    spool(live_pipeline, "PostToolUse")
    Spool(str(live_pipeline.home)).add(b"{broken")
    plan = planned(live_pipeline, "spool")
    assert plan.items == ()
    assert set(plan.refusals) == {
        Refusal(what="deliver 1 spooled event", reason="by design nobody writes them"),
        Refusal(what="deliver 1 spooled event", reason="the line is not JSON"),
    }


@pytest.mark.parametrize("target", ["buffer", "stuck", "lost"])
def test_another_target_leaves_the_spool_alone(live_pipeline: Pipeline, target: str) -> None:
    spool(live_pipeline)
    assert planned(live_pipeline, target).items == ()
    assert [item.action for item in planned(live_pipeline).items] == [Action.DELIVER]


def test_what_is_taken_back_is_in_the_spool_again(live_pipeline: Pipeline) -> None:
    events = spool(live_pipeline, count=3)
    plan = planned(live_pipeline, "spool")
    applied(live_pipeline, plan, patience=0.1)
    assert waiting(live_pipeline) == []
    undone = undo(settings_for(live_pipeline), store_of(live_pipeline), plan, live_pipeline.redis_url)
    assert (undone.taken_back, undone.stays) == (3, {})
    assert sorted(waiting(live_pipeline)) == sorted(events)
    assert live_pipeline.client.xlen(live_pipeline.queue) == 0
    repaired(live_pipeline, "spool")
    assert (rows(live_pipeline), waiting(live_pipeline)) == (3, [])


@pytest.fixture
def interrupted(live_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> tuple[Plan, list[bytes]]:
    """A plan of which one event was delivered when Redis was gone, and two were only taken out of the spool."""
    events = spool(live_pipeline, count=3)
    plan = planned(live_pipeline, "spool")
    move = Steps._move
    moved = []

    def fail_after_one(self: Steps, moves: Sequence[Move], **more: Any) -> int | list[str | None]:
        if moved:
            raise SourceError("Redis is gone")
        moved.append(moves[0].original)
        return move(self, moves, **more)

    with monkeypatch.context() as during:
        during.setattr(applying, "MOST_TOGETHER", 1)
        during.setattr(Steps, "_move", fail_after_one)
        with pytest.raises(SourceError):
            applied(live_pipeline, plan, patience=0)
    assert not waiting(live_pipeline)
    return plan, events


def test_what_was_taken_and_could_not_be_delivered_is_given_back(
    live_pipeline: Pipeline, interrupted: tuple[Plan, list[bytes]]
) -> None:
    plan, events = interrupted
    undone = undo(settings_for(live_pipeline), store_of(live_pipeline), plan, live_pipeline.redis_url)
    assert undone.taken_back == 3
    assert sorted(waiting(live_pipeline)) == sorted(events)


def test_the_next_plan_delivers_what_an_interrupted_one_took(
    live_pipeline: Pipeline, interrupted: tuple[Plan, list[bytes]]
) -> None:
    first, _ = interrupted
    # A hook adds another event meanwhile, which is its own and goes with the others.
    spool(live_pipeline)
    plan = planned(live_pipeline, "spool")
    assert len(plan.items) == 3, "the copy of the one that was delivered is judged for itself"
    with writers_at_work(live_pipeline):
        applied(live_pipeline, plan, patience=20)
    assert (rows(live_pipeline), waiting(live_pipeline)) == (4, [])
    store = store_of(live_pipeline)
    assert [len(taken_lines(store.files(one.id).folder)) for one in (first, plan)] == [1, 0]
    assert planned(live_pipeline, "spool").items == ()


def test_after_a_restart_of_redis_what_was_only_taken_goes_back(
    live_pipeline: Pipeline, interrupted: tuple[Plan, list[bytes]]
) -> None:
    plan, events = interrupted
    restarted = plan.model_copy(update={"run_id": "before the restart"})
    files = store_of(live_pipeline).files(plan.id)
    (files.folder / PLAN_FILE).write_text(restarted.model_dump_json())
    with pytest.raises(RepairRefused) as refused:
        applied(live_pipeline, restarted)
    assert "another plan, which goes on" in (refused.value.hint or "")
    undone = undo(settings_for(live_pipeline), store_of(live_pipeline), restarted, live_pipeline.redis_url)
    assert (undone.taken_back, sum(undone.stays.values())) == (2, 1)
    assert len(waiting(live_pipeline)) == 2
    assert set(waiting(live_pipeline)) < set(events)


def test_a_copy_that_a_restart_of_redis_lost_goes_back_too(
    live_pipeline: Pipeline, interrupted: tuple[Plan, list[bytes]]
) -> None:
    plan, events = interrupted
    restarted = plan.model_copy(update={"run_id": "before the restart"})
    live_pipeline.client.flushall()
    undone = undo(settings_for(live_pipeline), store_of(live_pipeline), restarted, live_pipeline.redis_url)
    assert undone.taken_back == 3
    assert sorted(waiting(live_pipeline)) == sorted(events)
    elsewhere = restarted.model_copy(update={"address": "another"})
    with pytest.raises(RepairRefused, match="made for another Redis"):
        undo(settings_for(live_pipeline), store_of(live_pipeline), elsewhere, live_pipeline.redis_url)
