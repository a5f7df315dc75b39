"""Groups are made and moved in one step, and only where nothing changed since the plan."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.applying import writing_connection
from blueplane_doctor.repair.grouping import group_step
from blueplane_doctor.repair.plan import Action, Item, Source

GROUP = "processors"
TOKEN = "t"
MS = 60_000


@pytest.fixture
def writing(any_pipeline: Pipeline) -> Iterator[Connection]:
    with closing(writing_connection(any_pipeline.redis_url)) as connection:
        assert connection.ask_one(*scripts.hold(any_pipeline.queue, TOKEN, MS)) == 1
        yield connection


def item(action: Action, position: str, seen_at: str = "0-0", group: str = GROUP) -> Item:
    return Item(target="groups", action=action, source=Source.NONE, id=seen_at, group=group, position=position)


def test_a_group_is_moved_from_where_it_was_seen_alone(any_pipeline: Pipeline, writing: Connection) -> None:
    ids = any_pipeline.enqueue_cursor(5)
    wrong = item(Action.MOVE_GROUP, ids[3], seen_at=ids[0])
    assert writing.ask_one(*group_step(any_pipeline.queue, TOKEN, MS, wrong)) == scripts.MOVED
    right = item(Action.MOVE_GROUP, ids[3])
    assert writing.ask_one(*group_step(any_pipeline.queue, TOKEN, MS, right)) == scripts.DONE
    assert [entry for entry, _ in any_pipeline.deliver(GROUP)] == ids[4:]
    gone = item(Action.MOVE_GROUP, ids[3], group="nobody")
    assert writing.ask_one(*group_step(any_pipeline.queue, TOKEN, MS, gone)) == scripts.MOVED


def test_a_group_is_made_once_with_its_stream(any_pipeline: Pipeline, writing: Connection) -> None:
    any_pipeline.client.delete(any_pipeline.queue)
    made = item(Action.MAKE_GROUP, "0-0")
    assert writing.ask_one(*group_step(any_pipeline.queue, TOKEN, MS, made)) == scripts.DONE
    assert writing.ask_one(*group_step(any_pipeline.queue, TOKEN, MS, made)) == scripts.MOVED
    assert [group["name"] for group in any_pipeline.client.xinfo_groups(any_pipeline.queue)] == [GROUP]


def test_without_the_lock_nothing_is_done(any_pipeline: Pipeline, writing: Connection) -> None:
    for action in (Action.MAKE_GROUP, Action.MOVE_GROUP):
        step = group_step(any_pipeline.queue, "another", MS, item(action, "0-0"))
        assert writing.ask_one(*step) == scripts.LOCK_LOST
