"""How much memory is left, and how large a reply may be."""

import pytest

from blueplane_doctor.sources.redis_room import LARGEST_REPLY, Room, room_of

MB = 1_000_000


def room(free: int | None, policy: str = "noeviction", expiring_keys: int = 0) -> Room:
    limit = None if free is None else 100 * MB + free
    return Room(used=100 * MB, limit=limit, policy=policy, expiring_keys=expiring_keys)


def test_a_server_without_a_limit_has_room() -> None:
    fields = {"used_memory": "1000", "maxmemory": "0", "maxmemory_policy": "allkeys-lru"}
    assert room_of(fields) == Room(used=1000, limit=None, policy="allkeys-lru", expiring_keys=0)
    assert room_of(fields).free is None
    assert not room_of(fields).may_evict_queue


def test_buffers_of_replicas_do_not_count_and_keys_with_an_expiry_of_all_databases_do() -> None:
    fields = {
        "used_memory": "1000",
        "mem_not_counted_for_evict": "300",
        "maxmemory": "900",
        "maxmemory_policy": "volatile-lru",
        "db0": "keys=3,expires=1,avg_ttl=0",
        "db11": "keys=9,expires=4,avg_ttl=0,subexpiry=0",
        "dbsize": "expires=7",
    }
    assert room_of(fields) == Room(used=700, limit=900, policy="volatile-lru", expiring_keys=5)
    assert room_of(fields).free == 200


def test_what_is_above_the_limit_is_no_room() -> None:
    assert Room(used=200, limit=100, policy="noeviction", expiring_keys=0).free == 0


@pytest.mark.parametrize(
    ("free", "policy", "limit"),
    [
        (None, "allkeys-lru", LARGEST_REPLY),
        (1_000 * MB, "allkeys-lru", LARGEST_REPLY),
        (20 * MB, "allkeys-lru", 1 * MB),
        (300_000, "allkeys-lfu", 15_000),
        (0, "allkeys-random", 0),
        (0, "noeviction", 256 * 1024),
        (20 * MB, "volatile-lru", 1 * MB),
    ],
)
def test_a_reply_takes_at_most_a_twentieth_of_what_is_free(free: int | None, policy: str, limit: int) -> None:
    assert room(free, policy).reply_limit == limit


@pytest.mark.parametrize(
    ("free", "policy", "dataset", "is_too_full"),
    [
        pytest.param(2 * MB, "allkeys-lru", 100 * MB, True, id="two heavy messages need more"),
        pytest.param(2 * MB, "allkeys-lru", None, True, id="how much there is is not told"),
        pytest.param(6 * MB, "allkeys-lru", 100 * MB, False, id="room for two heavy messages"),
        pytest.param(2 * MB, "allkeys-lru", 400_000, False, id="all keys together are light"),
        pytest.param(900_000, "allkeys-lru", 0, True, id="clients alone need more"),
        pytest.param(0, "noeviction", 100 * MB, False, id="nothing is evicted"),
        pytest.param(0, "volatile-lru", 100 * MB, False, id="the queue is not evicted"),
        pytest.param(None, "allkeys-lru", 100 * MB, False, id="no limit"),
    ],
)
def test_messages_are_not_asked_for_where_two_heavy_ones_have_no_room(
    free: int | None, policy: str, dataset: int | None, is_too_full: bool
) -> None:
    assert room(free, policy)._replace(dataset=dataset).is_too_full_for_messages is is_too_full


@pytest.mark.parametrize(
    ("policy", "expiring_keys", "can_evict"),
    [
        ("noeviction", 9, False),
        ("volatile-lru", 0, False),
        ("volatile-ttl", 1, True),
        ("allkeys-lru", 0, True),
        ("unheard-of", 1, False),
    ],
)
def test_what_can_be_evicted(policy: str, expiring_keys: int, can_evict: bool) -> None:
    assert room(0, policy, expiring_keys).can_evict is can_evict
