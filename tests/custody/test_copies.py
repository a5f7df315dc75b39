"""A message that `repair` delivered again is not lost while its copy is on its way."""

import pytest

from blueplane_doctor.custody.copies import MARK, original_of, origins_in
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.demo.simulator import Pipeline
from tests.helpers import examined


def lose(pipeline: Pipeline, count: int) -> list[str]:
    """Messages that are acknowledged and not written, after some whose rows are there."""
    pipeline.enqueue_cursor(1, at=pipeline.ago(minutes=5))
    pipeline.drain()
    ids = pipeline.enqueue_cursor(count, at=pipeline.ago(minutes=4))
    for group in pipeline.writer_groups:
        pipeline.acknowledge(group, [identity for identity, _ in pipeline.deliver(group)])
    return ids


def copy(pipeline: Pipeline, identity: str) -> str:
    ((_, fields),) = pipeline.client.xrange(pipeline.queue, identity, identity)  # type: ignore[misc]
    return str(pipeline.client.xadd(pipeline.queue, {**fields, MARK.decode(): identity}))


def chain(pipeline: Pipeline) -> dict[str, object]:
    metrics = examined(pipeline, select="chain").metrics["chain"]
    assert metrics is not None
    return metrics


@pytest.mark.parametrize("copies", [0, 1, 2])
def test_what_has_a_copy_is_not_lost(pipeline: Pipeline, copies: int) -> None:
    ids = lose(pipeline, 2)
    for identity in ids[:copies]:
        copy(pipeline, identity)
    found = chain(pipeline)
    states = {state: count for state, count in found["states"].items() if count}  # type: ignore[attr-defined]
    expected = {"written": 1, "lost": 2 - copies, "duplicate": copies, "waiting": copies}
    assert states == {state: count for state, count in expected.items() if count}
    assert [one["id"] for one in found["breaks"]] == ids[copies:]  # type: ignore[attr-defined]
    assert found["chain_break_count"] == 2 - copies
    assert bool(found["last_chain_break_timestamp"]) is (copies < 2)


def test_where_rows_may_be_gone_an_original_is_no_riddle_either(pipeline: Pipeline) -> None:
    """No row is there at all: of what came before the first one nothing can be said."""
    ids = pipeline.enqueue_cursor(2, at=pipeline.ago(minutes=4))
    pipeline.acknowledge("processors", [identity for identity, _ in pipeline.deliver("processors")])
    assert chain(pipeline)["states"]["untraceable"] == 2  # type: ignore[index]
    copy(pipeline, ids[0])
    found = chain(pipeline)
    states = {state: count for state, count in found["states"].items() if count}  # type: ignore[attr-defined]
    assert states == {"untraceable": 1, "duplicate": 1, "waiting": 1}
    assert found["tables_begin_later"] == 1


def test_what_a_copy_of_the_same_key_waits_for_is_not_lost(pipeline: Pipeline) -> None:
    """Of two messages with one key a repair delivers one, and acknowledges the other, which cannot be written."""
    pipeline.enqueue_cursor(1, at=pipeline.ago(minutes=5))
    pipeline.drain()
    ids = pipeline.enqueue_cursor(3, at=pipeline.ago(minutes=4), event_ids=["same", "same", "other"])
    pipeline.acknowledge("processors", [identity for identity, _ in pipeline.deliver("processors")])
    copy(pipeline, ids[0])
    found = chain(pipeline)
    states = {state: count for state, count in found["states"].items() if count}  # type: ignore[attr-defined]
    assert states == {"written": 1, "duplicate": 2, "lost": 1, "waiting": 1}
    assert [one["id"] for one in found["breaks"]] == ids[2:]  # type: ignore[attr-defined]
    pipeline.drain("processors")
    assert chain(pipeline)["states"]["duplicate"] == 2  # type: ignore[index]


def test_a_copy_that_is_written_leaves_one_written_and_one_duplicate(pipeline: Pipeline) -> None:
    (identity,) = lose(pipeline, 1)
    copy(pipeline, identity)
    pipeline.drain()
    states = chain(pipeline)["states"]
    assert (states["written"], states["duplicate"], states["lost"]) == (2, 1, 0)  # type: ignore[index]


def test_a_mark_that_names_nothing_here(pipeline: Pipeline) -> None:
    lose(pipeline, 1)
    pipeline.enqueue_cursor(1, **{MARK.decode(): "1-0"})
    assert chain(pipeline)["states"]["lost"] == 1  # type: ignore[index]


def test_the_last_origin_is_the_message_that_was_copied() -> None:
    assert origins_in(b"5-0 9-0") == ["5-0", "9-0"]
    assert original_of(Message((b"10-0", [MARK, b"5-0 9-0"]))) == "9-0"
    assert original_of(Message((b"10-0", [b"event_id", b"x"]))) == ""
