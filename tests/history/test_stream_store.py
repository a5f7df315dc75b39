"""The plain store's stream: what stands in it, also when somebody else writes, or Redis refuses."""

from collections.abc import Iterator

import pytest
import redis

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.errors import SourceUnusable
from blueplane_doctor.history.endpoint import history_endpoint
from blueplane_doctor.history.samples import Sample
from blueplane_doctor.history.stream_store import StreamStore

HOUR = 3600
BEGIN = 1_795_360_000 // HOUR * HOUR


@pytest.fixture
def client(valkey: RunningServer) -> Iterator[redis.Redis]:
    """To look at what is really there; nothing is at first."""
    with redis.Redis.from_url(valkey.url) as client:
        client.delete("it:samples", "it:names")
        yield client


@pytest.fixture
def stores(valkey: RunningServer, client: redis.Redis) -> Iterator[tuple[StreamStore, StreamStore]]:
    """Two writers of one history."""
    connections = Connection(history_endpoint(valkey.url)), Connection(history_endpoint(valkey.url))
    yield StreamStore(connections[0], "it:"), StreamStore(connections[1], "it:")
    for connection in connections:
        connection.close()


def fill(store: StreamStore, *minutes: int) -> None:
    for minute in minutes:
        store.write(Sample(BEGIN + 60 * minute, {"a": float(minute), "b": 1.0}))


def values(store: StreamStore, metric: str, first: int, last: int) -> list[float | None]:
    return [value for _, value in store.read([metric], BEGIN + 60 * first, BEGIN + 60 * last, 60)[metric]]


def kinds(client: redis.Redis) -> str:
    """The stream's entries in their order: s is a sample, h an hour."""
    return b"".join(field for _, fields in client.xrange("it:samples") for field in fields).decode()


def test_what_is_over_stands_in_hours(stores: tuple[StreamStore, StreamStore], client: redis.Redis) -> None:
    fill(stores[0], *range(60 * 26))
    assert kinds(client) == 25 * "h" + 60 * "s"
    assert values(stores[0], "a", 0, 60 * 26 - 1) == list(range(60 * 26))


def test_a_narrow_window_reads_few_entries(
    stores: tuple[StreamStore, StreamStore], client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(stores[0], *range(60 * 6))
    connection, sizes = stores[0]._connection, []
    ask = connection.ask
    monkeypatch.setattr(connection, "ask", lambda *commands: sizes.append(ask(*commands)) or sizes[-1])
    assert values(stores[0], "a", 350, 355) == list(range(350, 356))
    assert [[len(reply) for reply in replies[1:]] for replies in sizes] == [[10]]


def test_an_hour_that_could_not_be_kept_is_kept_later(
    stores: tuple[StreamStore, StreamStore], client: redis.Redis
) -> None:
    fill(stores[0], *range(60))
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(SourceUnusable, match="OOM"):
            fill(stores[0], 60)
    finally:
        client.config_set("maxmemory", 0)
    assert kinds(client) == 60 * "s", "nothing is taken away before it stands elsewhere"
    fill(stores[0], *range(61, 200))
    assert values(stores[0], "a", 0, 199) == [*range(60), None, *range(61, 200)]
    assert kinds(client) == "hhh" + 20 * "s"


def test_a_recorder_that_dies_between_an_hour_and_the_end_of_its_samples_harms_nothing(
    stores: tuple[StreamStore, StreamStore], client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = stores
    fill(store, *range(60))
    ask = store._connection.ask_one

    def die(*command: str | bytes | int) -> object:
        if command[0] == "XDEL":
            raise KeyboardInterrupt
        return ask(*command)

    monkeypatch.setattr(store._connection, "ask_one", die)
    with pytest.raises(KeyboardInterrupt):
        fill(store, 60)
    assert kinds(client) == 60 * "s" + "h"
    assert values(other, "a", 0, 59) == list(range(60))
    fill(other, 60, 61)
    assert kinds(client) == "hhss"
    assert values(other, "a", 0, 61) == list(range(62))


def test_two_writers_turn_the_hour_at_once(stores: tuple[StreamStore, StreamStore], client: redis.Redis) -> None:
    store, other = stores
    fill(store, *range(50, 60))
    turn = store._add

    def meet(*given: object) -> bool:
        store._add = turn  # type: ignore[method-assign]
        other.write(Sample(BEGIN + 59 * 60, {"c": 5.0}))  # late, into the hour that is being ended
        other.write(Sample(BEGIN + 60 * 60, {"b": 7.0}))
        return turn(*given)  # type: ignore[arg-type]

    store._add = meet  # type: ignore[method-assign, assignment]
    fill(store, 60)
    assert kinds(client) == "hss"
    fill(store, *range(61, 190))
    assert values(other, "a", 50, 189) == list(range(50, 190))
    assert values(other, "b", 58, 62) == [1, 1, 1, 1, 1]
    assert values(other, "c", 58, 60) == [None, 5, None]


def test_another_writer_begins_the_hour_while_the_last_one_is_ended(
    stores: tuple[StreamStore, StreamStore], client: redis.Redis
) -> None:
    store, other = stores
    fill(store, *range(50, 60))
    end_hour = store._end_hour

    def meet(end: bytes) -> bool:
        store._end_hour = end_hour  # type: ignore[method-assign]
        client.copy("it:samples", "it:before")
        other.write(Sample(BEGIN + 60 * 60, {"a": 60.0, "b": 1.0}))
        # As it was before the other one has ended the hour too, but with its sample.
        (newest,) = client.xrevrange("it:samples", count=1)
        client.rename("it:before", "it:samples")
        client.xadd("it:samples", newest[1], id=newest[0])
        return end_hour(end)

    store._end_hour = meet  # type: ignore[method-assign]
    fill(store, 61)
    assert values(other, "a", 50, 61) == list(range(50, 62))


def test_writers_that_meet_in_one_moment_both_get_their_sample(stores: tuple[StreamStore, StreamStore]) -> None:
    store, other = stores
    store.write(Sample(BEGIN, {"a": 100}))
    append, met = store._append, []

    def meet(*given: object) -> bool:
        if not met:
            met.append(True)
            other.write(Sample(BEGIN + 60, {"a": 7, "b": 3}))
        return append(*given)  # type: ignore[arg-type]

    store._append = meet  # type: ignore[method-assign, assignment]
    store.write(Sample(BEGIN + 60, {"a": 110}))
    store.write(Sample(BEGIN + 120, {"a": 111}))
    assert values(other, "a", 0, 2) == [100, 110, 111]
    assert values(other, "b", 0, 2) == [None, 3, None]


def test_a_sample_of_an_hour_that_is_over_is_kept(stores: tuple[StreamStore, StreamStore]) -> None:
    fill(stores[0], *range(130))
    fill(stores[0], 10)
    stores[0].write(Sample(BEGIN + 60 * 11, {"a": 99.0}))
    fill(stores[0], *range(130, 260))
    assert values(stores[0], "a", 9, 12) == [9, 10, 99, 12]
    assert values(stores[0], "b", 9, 12) == [1, 1, 1, 1]
    assert values(stores[0], "a", 120, 259) == list(range(120, 260))


NO_ENTRIES = {
    "another field": {b"x": b"y"},
    "a sample of no bytes": {b"s": b""},
    "a head alone": {b"s": b"\x01\x00\x01\x00\x00\x00\x00\x00"},
    "half an hour": {b"h": b"\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(90)},
    "text": {b"h": "a name of \u00fc".encode() * 9},
    "numbers that no metric has": {
        b"s": b"\x01\x00\xfd\x00\x00\x00\x00\x00" + bytes(2) + bytes(range(3, 256)) + bytes(253 * 8)
    },
    "two fields": {b"s": b"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", b"h": b""},
}


@pytest.mark.parametrize("fields", NO_ENTRIES.values(), ids=NO_ENTRIES)
def test_entries_that_no_recorder_wrote_are_left_out_and_counted(
    stores: tuple[StreamStore, StreamStore], client: redis.Redis, fields: dict[bytes, bytes]
) -> None:
    fill(stores[0], 0, 1)
    client.xadd("it:samples", fields)  # type: ignore[arg-type]
    store = stores[1]
    assert values(store, "a", 0, 1) == [0.0, 1.0]
    assert len(store.left_out) == 1


def test_a_recorder_goes_on_behind_such_an_entry(stores: tuple[StreamStore, StreamStore], client: redis.Redis) -> None:
    fill(stores[0], 0, 1)
    for fields in NO_ENTRIES.values():
        client.xadd("it:samples", fields, id=f"{(BEGIN + 120) * 1000}-*")  # type: ignore[arg-type]
    fill(stores[0], 3, 61)
    assert values(stores[0], "a", 0, 61)[::61] == [0.0, 61.0]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (b"\xff\xfe", b"1"),
        (b"c", b"many"),
        (b"c", b"9" * 5000),
        (b"c", b""),
        (b"c", b"250"),
        (b"c", b"99999"),
        (b"\x1b]52;c;QQ==\x07", b"1"),
        (b"", b"1"),
    ],
)
def test_names_that_no_recorder_wrote_are_left_out_and_counted(
    stores: tuple[StreamStore, StreamStore], client: redis.Redis, name: bytes, number: bytes
) -> None:
    fill(stores[0], 0)
    client.hset("it:names", name, number)  # type: ignore[arg-type]
    assert stores[0].metrics() == ["a", "b"]
    assert stores[0].left_out == {name}
    fill(stores[0], 1)
    assert values(stores[0], "a", 0, 1) == [0.0, 1.0]
