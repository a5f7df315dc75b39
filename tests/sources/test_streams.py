"""The state of the queue and its groups at one moment, on every server."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceMissing, SourceUnusable
from blueplane_doctor.layouts import CURRENT, EARLIER
from blueplane_doctor.settings.values import StreamSettings
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.entry_ids import BEGINNING, entry_id
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import StreamState, read_stream


@pytest.fixture
def source(any_pipeline: Pipeline) -> Iterator[RedisSource]:
    with closing(RedisSource(any_pipeline.redis_url, Deadline(20))) as source:
        yield source


def state(source: RedisSource, **names: object) -> StreamState:
    return read_stream(source, StreamSettings(**names))  # type: ignore[arg-type]


def test_counts_and_positions_are_those_of_the_server(any_pipeline: Pipeline, source: RedisSource) -> None:
    ids = any_pipeline.enqueue_cursor(10)
    any_pipeline.deliver("processors", count=4)
    any_pipeline.acknowledge("processors", ids[:1])
    read = state(source)
    assert (read.layout, read.queue, read.length) == (CURRENT, any_pipeline.queue, 10)
    assert (read.first, read.last_generated) == (entry_id(ids[0].encode()), entry_id(ids[-1].encode()))
    assert read.dead_letters == CURRENT.dead_letters
    group = read.group("processors")
    assert group is not None
    assert group.last_delivered == entry_id(ids[3].encode())
    assert group.first_pending == entry_id(ids[1].encode())
    assert group.pending == 3
    assert [consumer.pending for consumer in group.consumers] == [3]
    other = read.group("claude_processors")
    assert other is not None
    assert (other.last_delivered, other.pending, other.first_pending) == (BEGINNING, 0, None)
    assert read.group("nobody") is None


def test_an_emptied_stream_has_no_first_message_and_keeps_its_last_id(
    any_pipeline: Pipeline, source: RedisSource
) -> None:
    ids = any_pipeline.enqueue_cursor(5)
    any_pipeline.client.xtrim(any_pipeline.queue, maxlen=0, approximate=False)
    read = state(source)
    assert (read.length, read.first, read.last_generated) == (0, None, entry_id(ids[-1].encode()))
    assert read.entries_added == 5


def test_of_two_layouts_the_one_that_was_added_to_last_is_in_use(any_pipeline: Pipeline, source: RedisSource) -> None:
    (newest,) = any_pipeline.enqueue_cursor(1)
    before = int(newest.partition("-")[0]) - 60_000
    any_pipeline.client.xadd(EARLIER.queue, {"a": "b"}, id=f"{before}-0")
    read = state(source)
    assert (read.layout, read.other_queues) == (CURRENT, (EARLIER.queue,))
    any_pipeline.client.xadd(EARLIER.queue, {"a": "b"}, id=f"{before + 120_000}-0")
    read = state(source)
    assert (read.layout, read.other_queues) == (EARLIER, (CURRENT.queue,))


def test_a_name_from_the_settings_is_the_only_one(any_pipeline: Pipeline, source: RedisSource) -> None:
    any_pipeline.enqueue_cursor(1)
    any_pipeline.client.xadd("their:queue", {"a": "b"})
    read = state(source, queue="their:queue", dead_letters=["their:dead"])
    assert (read.queue, read.length, read.dead_letters) == ("their:queue", 1, ("their:dead",))
    assert read.other_queues == ()


def test_no_stream_is_missing_and_says_what_to_look_at(any_pipeline: Pipeline, source: RedisSource) -> None:
    any_pipeline.client.flushall()
    with pytest.raises(SourceMissing) as caught:
        state(source)
    assert CURRENT.queue in caught.value.message and EARLIER.queue in caught.value.message
    assert "--redis-url" in caught.value.hint


def test_a_key_of_another_type_is_no_queue(any_pipeline: Pipeline, source: RedisSource) -> None:
    any_pipeline.client.flushall()
    any_pipeline.client.set(CURRENT.queue, "text")
    with pytest.raises(SourceUnusable):
        state(source)


def test_a_group_that_is_removed_on_the_way_is_left_out(
    any_pipeline: Pipeline, source: RedisSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name was read in the first round trip, its particulars are asked for in the second."""
    any_pipeline.enqueue_cursor(1)
    original = source.ask

    def ask(*commands: object, together: bool = False) -> list[object]:
        if together:
            any_pipeline.client.xgroup_destroy(any_pipeline.queue, "claude_processors")
        return original(*commands, together=together)  # type: ignore[arg-type]

    monkeypatch.setattr(source, "ask", ask)
    read = state(source)
    assert read.group("claude_processors") is None
    assert read.group("processors") is not None
    assert read.length == 1
