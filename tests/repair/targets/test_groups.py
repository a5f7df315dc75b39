"""Groups are put behind what is written and before the first message that is not."""

import sqlite3
from contextlib import closing

import pytest

from blueplane_doctor.custody.states import WAITING, WRITTEN, WRITTEN_NOT_DELIVERED
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.repair.plan import Action
from blueplane_doctor.repair.targets.groups import Walk
from tests.repair.pipelines import applied, planned

CURSOR, CLAUDE = "processors", "claude_processors"


def rows(pipeline: Pipeline) -> int:
    with closing(sqlite3.connect(pipeline.database)) as connection:
        return sum(
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("cursor_raw_traces", "claude_raw_traces")
        )


def position(pipeline: Pipeline, group: str) -> str:
    return next(g["last-delivered-id"] for g in pipeline.client.xinfo_groups(pipeline.queue) if g["name"] == group)


def test_groups_that_were_moved_back_are_moved_on(any_live_pipeline: Pipeline) -> None:
    ids = [*any_live_pipeline.enqueue_cursor(20), *any_live_pipeline.enqueue_claude(20)]
    any_live_pipeline.drain()
    waiting = any_live_pipeline.enqueue_cursor(3)
    any_live_pipeline.client.xgroup_setid(any_live_pipeline.queue, CURSOR, ids[4])
    any_live_pipeline.client.xgroup_setid(any_live_pipeline.queue, CLAUDE, ids[30])
    plan = planned(any_live_pipeline, "groups")
    assert {(item.action, item.group, item.id, item.position) for item in plan.items} == {
        (Action.MOVE_GROUP, CURSOR, ids[4], ids[19]),
        (Action.MOVE_GROUP, CLAUDE, ids[30], ids[39]),
    }
    outcome = applied(any_live_pipeline, plan)
    assert outcome.exit_code == 0, outcome.text
    any_live_pipeline.drain()
    assert rows(any_live_pipeline) == 43
    assert any_live_pipeline.client.xpending(any_live_pipeline.queue, CURSOR)["pending"] == 0
    assert waiting[-1] == position(any_live_pipeline, CURSOR)


def test_a_group_that_is_gone_is_made_behind_what_is_written(any_live_pipeline: Pipeline) -> None:
    any_live_pipeline.enqueue_cursor(20)
    any_live_pipeline.drain()
    last = any_live_pipeline.enqueue_cursor(1)[0]
    any_live_pipeline.drain()
    any_live_pipeline.enqueue_cursor(5)
    any_live_pipeline.client.xgroup_destroy(any_live_pipeline.queue, CURSOR)
    plan = planned(any_live_pipeline, "groups")
    assert [(item.action, item.group, item.position) for item in plan.items] == [(Action.MAKE_GROUP, CURSOR, last)]
    applied(any_live_pipeline, plan)
    any_live_pipeline.drain()
    assert rows(any_live_pipeline) == 26


def test_all_groups_of_a_stream_that_was_made_anew(any_live_pipeline: Pipeline) -> None:
    any_live_pipeline.enqueue_cursor(5)
    any_live_pipeline.drain()
    any_live_pipeline.client.delete(any_live_pipeline.queue)
    any_live_pipeline.enqueue_cursor(2)
    for group in any_live_pipeline.client.xinfo_groups(any_live_pipeline.queue):
        any_live_pipeline.client.xgroup_destroy(any_live_pipeline.queue, group["name"])
    any_live_pipeline.enqueue_claude(3)
    plan = planned(any_live_pipeline, "groups")
    assert {item.group: item.position for item in plan.items} == dict.fromkeys(any_live_pipeline.groups, "0-0")
    applied(any_live_pipeline, plan)
    any_live_pipeline.drain()
    assert rows(any_live_pipeline) == 10


def test_a_stream_that_is_gone_is_made_with_its_groups(any_live_pipeline: Pipeline) -> None:
    any_live_pipeline.enqueue_cursor(5)
    any_live_pipeline.drain()
    any_live_pipeline.client.delete(any_live_pipeline.queue)
    plan = planned(any_live_pipeline)
    assert {item.group for item in plan.items} == set(any_live_pipeline.groups)
    outcome = applied(any_live_pipeline, plan)
    assert outcome.exit_code == 0, outcome.text
    any_live_pipeline.enqueue_cursor(2)
    any_live_pipeline.drain()
    assert rows(any_live_pipeline) == 7


def test_no_stream_is_made_unasked_while_it_may_be_in_another_database(any_live_pipeline: Pipeline) -> None:
    any_live_pipeline.enqueue_cursor(5)
    any_live_pipeline.drain()
    any_live_pipeline.client.move(any_live_pipeline.queue, 3)
    plan = planned(any_live_pipeline)
    assert plan.items == ()
    assert [refusal.what for refusal in plan.refusals] == ["make the stream and its groups"]
    assert {item.group for item in planned(any_live_pipeline, "groups").items} == set(any_live_pipeline.groups)
    any_live_pipeline.client.flushall()


def test_a_group_that_read_on_meanwhile_is_left_alone(any_live_pipeline: Pipeline) -> None:
    ids = any_live_pipeline.enqueue_cursor(20)
    any_live_pipeline.drain()
    any_live_pipeline.client.xgroup_setid(any_live_pipeline.queue, CURSOR, ids[4])
    plan = planned(any_live_pipeline, "groups")
    any_live_pipeline.client.xgroup_setid(any_live_pipeline.queue, CURSOR, ids[7])
    outcome = applied(any_live_pipeline, plan)
    assert "read from since" in outcome.text
    assert position(any_live_pipeline, CURSOR) != ids[19]


def test_a_healthy_pipeline_and_one_that_waits_have_nothing_to_move(any_live_pipeline: Pipeline) -> None:
    any_live_pipeline.enqueue_cursor(20)
    any_live_pipeline.drain()
    any_live_pipeline.enqueue_cursor(5)
    assert planned(any_live_pipeline, "groups").items == ()


def test_without_a_server_a_missing_group_is_made_only_behind_written_messages(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(3)
    any_pipeline.client.xgroup_destroy(any_pipeline.queue, CURSOR)
    assert planned(any_pipeline, "groups").items == (), "a server that starts makes it at the beginning"


@pytest.mark.parametrize(
    ("states", "position", "passed"),
    [
        ([], 0, 0),
        ([WRITTEN_NOT_DELIVERED], 1, 1),
        ([WRITTEN_NOT_DELIVERED, WRITTEN_NOT_DELIVERED, WAITING, WRITTEN_NOT_DELIVERED], 2, 2),
        ([WAITING, WRITTEN_NOT_DELIVERED], 0, 0),
        ([WRITTEN, WRITTEN_NOT_DELIVERED], 2, 1),
    ],
)
def test_nothing_that_is_not_written_is_passed_over(states: list[str], position: int, passed: int) -> None:
    walk = Walk({"group": (0, 0), "other": (9, 9)})
    walk.take([("group", (number, 0), state) for number, state in enumerate(states, start=1)])
    assert walk.positions["group"] == (position, 0)
    assert walk.passed == {"group": passed, "other": 0}
