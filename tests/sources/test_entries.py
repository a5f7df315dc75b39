"""Pages of a stream: no reply above the limit, however large messages are; large where arithmetic allows it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, cast

import pytest

from blueplane_doctor.connection.base import Limits
from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceError, SourceReplyTooLarge, SourceTimeout, SourceTooFull
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.entries import ASSUMED_LARGEST, PAGE, RawEntry, pages
from blueplane_doctor.sources.entry_ids import EntryId, entry_id
from blueplane_doctor.sources.redis_room import LARGEST_REPLY, Room
from blueplane_doctor.sources.redis_source import RedisSource

LARGE = ASSUMED_LARGEST
SMALL = 900


class Stream:
    """Answers XRANGE … COUNT as a server would, from sizes alone; remembers how heavy the replies were."""

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sizes
        self.replies: list[int] = []
        self.asked: Any = None
        self.address = "localhost:6379"
        self.refused = False
        self.most_bytes = Limits().reply_bytes
        self.refused_replies: list[int] = []
        """Of those that were larger than that, the messages."""
        self.failure: SourceError | None = None
        self.rooms: list[Room] = []
        """What is left of the memory, at each look; the last one stays."""

    def room(self) -> Room | None:
        if not self.rooms:
            return None
        return self.rooms.pop(0) if len(self.rooms) > 1 else self.rooms[0]

    def remember_failure(self, error: SourceError) -> None:
        self.failure = error

    @contextmanager
    def conversation(self) -> "Iterator[Stream]":
        yield self

    def ask(self, *command: Any) -> None:
        assert self.asked is None, "one reply at a time: two could not be bounded"
        self.asked = command

    def answer(self) -> list[RawEntry]:
        command, self.asked = self.asked, None
        assert command
        name, _, start, end, _, count = command
        assert name == "XRANGE"
        first, last = entry_id(start.encode())[0], entry_id(end.encode())[0]
        first += entry_id(start.encode())[1] > 0
        chosen = range(first, min(last, first + count - 1, len(self.sizes)) + 1)
        weight = sum(self.sizes[number - 1] for number in chosen)
        if weight > self.most_bytes:
            self.refused_replies.append(len(chosen))
            raise SourceReplyTooLarge("a reply of more than is read came")
        self.replies.append(weight)
        return [(f"{number}-0".encode(), [b"payload", bytes(self.sizes[number - 1])]) for number in chosen]


def evenly(length: int, large: int) -> list[int]:
    every = max(1, length // large)
    return [LARGE if number % every == 0 else SMALL for number in range(length)]


def clustered(length: int, large: int, start: int) -> list[int]:
    return [LARGE if start <= number < start + large else SMALL for number in range(length)]


def at_random(length: int, large: int, seed: int) -> list[int]:
    sizes = [LARGE] * large + [SMALL] * (length - large)
    Random(seed).shuffle(sizes)
    return sizes


ARRANGEMENTS = {
    "all small": [SMALL] * 10_000,
    "all large": [LARGE] * 60,
    "evenly": evenly(3_000, 30),
    "at the start": clustered(3_000, 30, 0),
    "in the middle": clustered(3_000, 30, 1_500),
    "at the end": clustered(3_000, 30, 2_970),
    "four together": clustered(2_000, 4, 700),
    "some at random": at_random(2_000, 25, 1),
    "growing": [number * 700 for number in range(1, 3_000)],
    "shrinking": [number * 700 for number in range(2_999, 0, -1)],
    "one empty, then all large": [0, *[LARGE] * 40],
    "one": [LARGE],
}


def read(sizes: list[int], dataset: int | None, after: EntryId = (0, 0)) -> tuple[Stream, list[bytes]]:
    stream = Stream(sizes)
    found = [
        entry[0]
        for page in pages(
            cast("RedisSource", stream), "s", (len(sizes), 0), after=after, length=len(sizes), dataset_bytes=dataset
        )
        for entry in page
    ]
    return stream, found


@pytest.mark.parametrize("name", ARRANGEMENTS)
@pytest.mark.parametrize("overhead", [1.0, 1.4, None], ids=["exact", "with overhead", "unknown"])
def test_no_reply_is_heavier_than_the_limit(name: str, overhead: float | None) -> None:
    sizes = ARRANGEMENTS[name]
    stream, found = read(sizes, None if overhead is None else int(sum(sizes) * overhead))
    assert found == [f"{number}-0".encode() for number in range(1, len(sizes) + 1)], "all, once, in order"
    assert max(stream.replies) <= LARGEST_REPLY


@pytest.mark.parametrize("dataset", [9_000_000, 9_200_000, 12_000_000])
def test_pages_of_small_messages_are_large(dataset: int) -> None:
    stream, _ = read(ARRANGEMENTS["all small"], dataset)
    assert len(stream.replies) <= 10_000 / PAGE + 6


def test_pages_stay_small_where_nothing_is_known() -> None:
    stream, _ = read([SMALL] * 300, None)
    assert len(stream.replies) >= 300 / (LARGEST_REPLY // LARGE)


def test_pages_grow_while_they_are_light_and_begin_anew_after_a_heavy_one() -> None:
    sizes = [SMALL] * 100 + [LARGE] + [SMALL] * 100
    stream, _ = read(sizes, None)
    most = LARGEST_REPLY // LARGE
    assert len(stream.replies) <= len(sizes) / most + 10
    heavy = next(place for place, weight in enumerate(stream.replies) if weight >= LARGE)
    assert stream.replies[heavy + 1] == 3 * SMALL
    assert max(stream.replies[heavy + 2 :]) == most * SMALL


def test_heavy_messages_that_come_together_are_read_a_few_at_a_time() -> None:
    stream, _ = read([SMALL] * 100 + [LARGE] * 60 + [SMALL] * 100, None)
    heavy = [weight for weight in stream.replies if weight >= LARGE]
    assert max(heavy[1:]) <= 3 * LARGE


def test_a_message_above_all_limits_is_still_read() -> None:
    stream, found = read([SMALL, 50_000_000, SMALL, 50_000_000, SMALL], 100_100_000)
    assert len(found) == 5
    assert max(stream.replies) < 2 * 50_000_000, "after the first, one at a time"


EVICTS = Room(used=0, limit=2_000_000_000, policy="allkeys-lru", expiring_keys=0)


def read_with_rooms(sizes: list[int], *rooms: Room, dataset: int | None = None) -> Stream:
    stream = Stream(sizes)
    stream.rooms = list(rooms)
    last = (len(sizes), 0)
    dataset = sum(sizes) if dataset is None else dataset
    reading = pages(cast("RedisSource", stream), "s", last, length=len(sizes), dataset_bytes=dataset)
    try:
        for _ in reading:
            pass
    except SourceTooFull as error:
        assert "allkeys-lru" in error.message
        assert "redis-durability" in error.hint
        stream.refused = True
    return stream


UNLIMITED = Room(used=0, limit=None, policy="noeviction", expiring_keys=0)
MEDIUM = 9_000
MANY = 40_000
BESIDE = 1_000
"""Bytes beside a message of that size; of all of them together more than a reply may have."""
DATASET = MANY * (MEDIUM + BESIDE)


def test_pages_are_large_where_messages_like_those_that_came_explain_the_data_set() -> None:
    stream = read_with_rooms([MEDIUM] * MANY, UNLIMITED, dataset=DATASET)
    assert len(stream.replies) <= MANY / 100, "each about as heavy as a light page"


@pytest.mark.parametrize(
    ("room", "hidden"),
    [(UNLIMITED, 100 * LARGE), (EVICTS, 0), (EVICTS._replace(policy="noeviction", limit=500_000_000), 0)],
    ids=["more is there", "the queue could be evicted", "others' writes could be refused"],
)
def test_else_no_page_is_larger_than_with_large_messages_alone(room: Room, hidden: int) -> None:
    stream = read_with_rooms([MEDIUM] * 9_000, room, dataset=DATASET + hidden)
    assert max(stream.replies) <= LARGEST_REPLY // LARGE * MEDIUM


def test_after_a_heavy_message_that_nobody_expected_pages_begin_anew_at_once() -> None:
    sizes = [MEDIUM] * MANY
    sizes[20_000:20_003] = [LARGE] * 3
    stream = read_with_rooms(sizes, UNLIMITED, dataset=DATASET)
    heavy = next(place for place, weight in enumerate(stream.replies) if weight >= LARGE)
    assert stream.replies[heavy - 1] > 50 * MEDIUM
    assert stream.replies[heavy + 1] == 3 * MEDIUM


def test_a_reply_that_is_too_large_is_asked_for_again_with_one_message() -> None:
    """Sixty in a row where all before were small, and the data set too small for them: others send them meanwhile."""
    sizes = [MEDIUM] * 30_000
    sizes[20_000:20_060] = [LARGE] * 60
    stream = read_with_rooms(sizes, UNLIMITED, dataset=30_000 * (MEDIUM + BESIDE))
    assert sum(stream.replies) == sum(sizes)
    assert max(stream.replies) <= stream.most_bytes
    assert len(stream.refused_replies) == 1
    assert stream.failure is None


def test_one_message_that_is_too_large_ends_the_reading() -> None:
    with pytest.raises(SourceReplyTooLarge):
        read_with_rooms([SMALL, Limits().reply_bytes + 1], UNLIMITED)


def test_a_stream_is_read_where_the_queue_could_be_evicted_and_there_is_room() -> None:
    stream = read_with_rooms([SMALL] * 5_000, EVICTS)
    assert not stream.refused
    assert sum(stream.replies) == 5_000 * SMALL


@pytest.mark.parametrize("free", [0, 300_000, 4_000_000])
def test_nothing_is_read_where_it_could_evict_the_queue(free: int) -> None:
    stream = read_with_rooms([SMALL] * 5_000, EVICTS._replace(used=2_000_000_000 - free))
    assert stream.refused
    assert stream.replies == []


def test_reading_ends_when_others_fill_the_memory_meanwhile() -> None:
    stream = read_with_rooms([LARGE] * 60, EVICTS, EVICTS, EVICTS._replace(used=1_999_000_000))
    assert stream.refused
    assert 0 < len(stream.replies) < 10


@pytest.mark.parametrize("policy", ["noeviction", "volatile-lru"])
def test_where_the_queue_cannot_be_evicted_a_full_server_is_read_in_small_pages(policy: str) -> None:
    stream = read_with_rooms([SMALL] * 500, EVICTS._replace(used=2_000_000_000, policy=policy))
    assert not stream.refused
    assert max(stream.replies) <= 256 * 1024


def test_reading_begins_after_an_entry() -> None:
    assert read([SMALL] * 10, 100_000, after=(7, 0))[1] == [b"8-0", b"9-0", b"10-0"]


@pytest.mark.server
def test_every_entry_of_a_real_stream_comes_once(pipeline: Pipeline, valkey: RunningServer) -> None:
    added = pipeline.enqueue_cursor(1_203, at=pipeline.ago(seconds=2))
    source = RedisSource(valkey.url, Deadline(10))
    try:
        for dataset in (None, 600_000):
            found = [
                entry[0].decode()
                for page in pages(
                    source, pipeline.queue, entry_id(added[-2].encode()), length=1_203, dataset_bytes=dataset
                )
                for entry in page
            ]
            assert found == added[:-1]
    finally:
        source.close()


def test_reading_ends_with_the_time_of_the_run(pipeline: Pipeline, valkey: RunningServer) -> None:
    """Also where nobody but the source looks at the clock, as for dead letters."""
    added = pipeline.enqueue_cursor(3 * PAGE)
    deadline = Deadline(60)
    source = RedisSource(valkey.url, deadline)
    try:
        reading = pages(source, pipeline.queue, entry_id(added[-1].encode()), length=3 * PAGE, dataset_bytes=None)
        assert next(reading)
        deadline.end = time.monotonic()
        with pytest.raises(SourceTimeout, match="used up"):
            list(reading)
    finally:
        source.close()
