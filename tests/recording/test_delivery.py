"""Delivering batches: what is stored, what is refused, and what nobody knows; never twice."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.recording.delivery import Delivery, Outcome, is_cluster
from blueplane_doctor.recording.minutes import Counts, MinuteBucket, key_of
from tests.connection.hostile import says, speaking

MINUTE = 5_000


@pytest.fixture
def delivery(store: redis.Redis, valkey: RunningServer) -> Iterator[Delivery]:
    delivery = Delivery(valkey.url)
    yield delivery
    delivery.close()


def batch(ok: int) -> dict[int, MinuteBucket]:
    bucket = MinuteBucket()
    bucket.hooks["cursor/stop"] = Counts()
    bucket.hooks["cursor/stop"].ok = ok
    return {MINUTE: bucket}


def stored(store: redis.Redis) -> Any:
    return store.hget(key_of(MINUTE), "h|ok|cursor/stop")


def test_batches_add_up(delivery: Delivery, store: redis.Redis) -> None:
    assert delivery.send(batch(3)) == (Outcome.DELIVERED, 0)
    assert delivery.send(batch(4)) == (Outcome.DELIVERED, 0)
    assert stored(store) == "7"


def test_a_batch_that_was_stored_is_not_stored_again(delivery: Delivery, store: redis.Redis) -> None:
    delivery.send(batch(3))
    assert delivery.send(batch(3), again=True) == (Outcome.DELIVERED, 0)
    assert stored(store) == "3"


def test_a_batch_that_was_not_stored_is_stored_when_it_comes_again(valkey: RunningServer, store: redis.Redis) -> None:
    delivery = Delivery(valkey.url)
    delivery.send(batch(1))
    store.config_set("maxmemory", 1)
    try:
        assert delivery.send(batch(2)) == (Outcome.REFUSED, 0)
    finally:
        store.config_set("maxmemory", 0)
    assert delivery.send(batch(2), again=True) == (Outcome.DELIVERED, 0)
    assert stored(store) == "3"
    delivery.close()


def test_a_server_that_could_delete_the_queue_for_it_is_sent_nothing(delivery: Delivery, store: redis.Redis) -> None:
    store.config_set("maxmemory-policy", "allkeys-lru")
    store.config_set("maxmemory", store.info("memory")["used_memory"] + 300_000)
    try:
        assert delivery.send(batch(1)) == (Outcome.REFUSED, 0)
    finally:
        store.config_set("maxmemory", 0)
        store.config_set("maxmemory-policy", "noeviction")
    assert stored(store) is None


def test_a_connection_that_was_closed_meanwhile_costs_nothing(delivery: Delivery, store: redis.Redis) -> None:
    delivery.send(batch(1))
    store.client_kill_filter(_type="normal", skipme=True)
    assert delivery.send(batch(1)) == (Outcome.DELIVERED, 0)
    assert stored(store) == "2"


def test_something_else_under_a_key_is_counted(delivery: Delivery, store: redis.Redis) -> None:
    store.set(key_of(MINUTE), "of somebody else")
    assert delivery.send(batch(5)) == (Outcome.DELIVERED, 5)


@pytest.mark.slow
@pytest.mark.parametrize("answer", [b"", b"*4000000000\r\n", b"+OK\r\n+QUEUED\r\n"], ids=["none", "endless", "half"])
def test_without_a_whole_answer_the_outcome_is_unknown(answer: bytes) -> None:
    with speaking(says(answer)) as url:
        delivery = Delivery(url)
        assert delivery.send(batch(1)) == (Outcome.UNKNOWN, 0)
        delivery.close()


@pytest.mark.parametrize("url", ["not a url", "http://localhost", "redis+cluster://localhost", "redis+sentinel://a"])
def test_a_url_that_cannot_be_recorded_to_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"scheme|cluster|SERVICE"):
        Delivery(url)


def test_which_urls_name_a_cluster() -> None:
    assert is_cluster("redis+cluster://localhost:1")
    assert not is_cluster("redis://localhost:1")
    assert not is_cluster("redis+sentinel://localhost:1/main")
