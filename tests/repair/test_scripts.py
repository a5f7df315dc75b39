"""The steps that Redis runs as one: each happens wholly or not at all."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.applying import writing_connection
from blueplane_doctor.repair.plan import Holding
from blueplane_doctor.sources.entry_ids import entry_id

GROUP = "processors"
TOKEN = "t"
MS = 60_000
FIELDS = [(b"event_id", b"e"), (b"payload", b"\xff")]


@pytest.fixture
def writing(any_pipeline: Pipeline) -> Iterator[Connection]:
    with closing(writing_connection(any_pipeline.redis_url)) as connection:
        assert connection.ask_one(*scripts.hold(any_pipeline.queue, TOKEN, MS)) == 1
        yield connection


@pytest.fixture
def held(any_pipeline: Pipeline) -> tuple[str, Holding]:
    """A message that its writer holds."""
    (identity,) = any_pipeline.enqueue_cursor(1)
    any_pipeline.deliver(GROUP)
    return identity, Holding(group=GROUP, consumer=any_pipeline.consumers[GROUP], delivered_ms=1_000, deliveries=1)


def pending(pipeline: Pipeline) -> list[dict[str, object]]:
    return pipeline.client.xpending_range(pipeline.queue, GROUP, "-", "+", 10)  # type: ignore[return-value]


def move(pipeline: Pipeline, identity: str, holding: Holding, **more: object) -> tuple[object, ...]:
    moves = [scripts.Move(identity, [holding], FIELDS)]
    values = {"moves": moves, "looked_to": entry_id(identity.encode())}
    return scripts.move(pipeline.queue, TOKEN, MS, **(values | more))  # type: ignore[arg-type]


def test_a_copy_is_added_and_the_original_acknowledged(
    any_pipeline: Pipeline, writing: Connection, held: tuple[str, Holding]
) -> None:
    copy_id = writing.ask_one(*move(any_pipeline, *held))
    page = writing.ask_one("XRANGE", any_pipeline.queue, copy_id, copy_id)
    assert page == [[copy_id, [b"event_id", b"e", b"payload", b"\xff"]]]
    assert pending(any_pipeline) == []


def test_nothing_happens_when_a_message_came_meanwhile(
    any_pipeline: Pipeline, writing: Connection, held: tuple[str, Holding]
) -> None:
    any_pipeline.enqueue_cursor(1)
    assert writing.ask_one(*move(any_pipeline, *held)) == scripts.NEWER
    assert len(pending(any_pipeline)) == 1
    assert any_pipeline.client.xlen(any_pipeline.queue) == 2


@pytest.mark.parametrize("change", ["acknowledged", "tried again", "claimed"])
def test_nothing_happens_when_its_pending_entry_changed(
    any_pipeline: Pipeline, writing: Connection, held: tuple[str, Holding], change: str
) -> None:
    identity, holding = held
    if change == "acknowledged":
        any_pipeline.acknowledge(GROUP, [identity])
    elif change == "tried again":
        any_pipeline._read(GROUP, holding.consumer, "0", 1)
    else:
        any_pipeline.client.xclaim(any_pipeline.queue, GROUP, "another", 0, [identity], justid=True)
    assert writing.ask_one(*move(any_pipeline, *held)) == b"-3"
    assert any_pipeline.client.xlen(any_pipeline.queue) == 1


def test_what_is_not_delivered_again_may_have_been_tried_again(
    any_pipeline: Pipeline, writing: Connection, held: tuple[str, Holding]
) -> None:
    any_pipeline._read(GROUP, held[1].consumer, "0", 1)
    any_pipeline.enqueue_cursor(1)
    moves = [scripts.Move(held[0], [held[1]])]
    assert writing.ask_one(*move(any_pipeline, *held, looked_to=None, moves=moves)) == b"0"
    assert pending(any_pipeline) == []


def test_of_several_messages_each_is_judged_for_itself(any_pipeline: Pipeline, writing: Connection) -> None:
    first, second, third = any_pipeline.enqueue_cursor(3)
    any_pipeline.deliver(GROUP)
    any_pipeline.acknowledge(GROUP, [second])
    holding = Holding(group=GROUP, consumer=any_pipeline.consumers[GROUP], delivered_ms=1_000, deliveries=1)
    moves = [scripts.Move(identity, [holding], FIELDS) for identity in (first, second, third)]
    moves.append(scripts.Move("of a letter", [], [(b"n", b"1")]))
    reply = writing.ask_one(*move(any_pipeline, third, holding, moves=moves))
    assert isinstance(reply, bytes)
    copies = reply.decode().split()
    assert copies[1] == str(scripts.MOVED)
    added = any_pipeline.client.xrange(any_pipeline.queue, f"({third}", "+")
    assert [identity for identity, _ in added] == [copies[0], *copies[2:]]  # type: ignore[misc]
    assert added[-1][1] == {"n": "1"}  # type: ignore[index]
    assert pending(any_pipeline) == []


def test_nothing_happens_without_the_lock(
    any_pipeline: Pipeline, writing: Connection, held: tuple[str, Holding]
) -> None:
    any_pipeline.client.delete(scripts.lock_key(any_pipeline.queue))
    assert writing.ask_one(*move(any_pipeline, *held)) == scripts.LOCK_LOST
    assert len(pending(any_pipeline)) == 1


def test_one_owner_of_the_lock(any_pipeline: Pipeline, writing: Connection) -> None:
    queue = any_pipeline.queue
    assert writing.ask_one(*scripts.hold(queue, "other", MS)) == 0
    assert writing.ask_one(*scripts.hold(queue, TOKEN, MS)) == 1
    assert writing.ask_one(*scripts.release(queue, "other")) == 0
    assert writing.ask_one(*scripts.release(queue, TOKEN)) == 1
    assert writing.ask_one(*scripts.hold(queue, "other", MS)) == 1


def take_back(pipeline: Pipeline, copy_id: bytes, identity: str, holding: Holding) -> tuple[object, ...]:
    return scripts.take_back(
        pipeline.queue,
        TOKEN,
        MS,
        copy_id=copy_id.decode(),
        copy_stream="",
        original=identity,
        holdings=[holding.model_copy(update={"deliveries": 3})],
    )


def test_a_copy_that_nobody_was_given_is_taken_back(
    any_pipeline: Pipeline, writing: Connection, held: tuple[str, Holding]
) -> None:
    copy_id = writing.ask_one(*move(any_pipeline, *held))
    assert writing.ask_one(*take_back(any_pipeline, copy_id, *held)) == 1
    (entry,) = pending(any_pipeline)
    assert (entry["message_id"], entry["consumer"], entry["times_delivered"]) == (held[0], held[1].consumer, 3)
    assert any_pipeline.client.xlen(any_pipeline.queue) == 1


def test_a_copy_that_somebody_was_given_stays(
    any_pipeline: Pipeline, writing: Connection, held: tuple[str, Holding]
) -> None:
    copy_id = writing.ask_one(*move(any_pipeline, *held))
    any_pipeline.deliver(GROUP)
    assert writing.ask_one(*take_back(any_pipeline, copy_id, *held)) == scripts.DELIVERED
    assert any_pipeline.client.xlen(any_pipeline.queue) == 2


def test_no_pending_entry_is_made_for_a_message_that_is_gone(
    any_pipeline: Pipeline, writing: Connection, held: tuple[str, Holding]
) -> None:
    copy_id = writing.ask_one(*move(any_pipeline, *held))
    any_pipeline.client.xdel(any_pipeline.queue, held[0])
    assert writing.ask_one(*take_back(any_pipeline, copy_id, *held)) == scripts.ORIGINAL_GONE
    assert any_pipeline.client.xlen(any_pipeline.queue) == 1


def test_no_pending_entry_is_made_for_what_its_group_was_not_given(
    any_pipeline: Pipeline, writing: Connection, held: tuple[str, Holding]
) -> None:
    copy_id = writing.ask_one(*move(any_pipeline, *held))
    for group in any_pipeline.groups:
        any_pipeline.client.xgroup_setid(any_pipeline.queue, group, "0")
    assert writing.ask_one(*take_back(any_pipeline, copy_id, *held)) == scripts.MOVED
    assert pending(any_pipeline) == []


def test_the_keys_of_a_step_are_on_one_node_of_a_cluster() -> None:
    assert scripts.lock_key("telemetry:message_queue").endswith("{telemetry:message_queue}")
    assert scripts.lock_key("a{b}c").endswith(":a{b}c")


def test_groups_are_moved_past_what_they_must_not_be_given(
    any_pipeline: Pipeline, writing: Connection, held: tuple[str, Holding]
) -> None:
    command = move(any_pipeline, *held, past=("session_monitors", "of no stream"))
    assert writing.ask_one(*command) == scripts.READERS_BEHIND
    assert len(pending(any_pipeline)) == 1, "nothing was changed"
    any_pipeline.drain("session_monitors")
    assert isinstance(writing.ask_one(*command), bytes)
    assert any_pipeline.deliver("session_monitors") == []
    assert len(any_pipeline.deliver("transcript_processors")) == 2
    assert len(any_pipeline.deliver(GROUP)) == 1
