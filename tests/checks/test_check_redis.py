"""The checks of Redis itself: every edge of their scales."""

from typing import Any

import pytest

from blueplane_doctor.monitoring.connections import Reach
from tests.checks.builders import cases, connections, redis, run


def test_redis_reachable_is_green_and_names_the_address() -> None:
    found = run("redis-reachable", connections=connections())
    assert found.status == "green"
    assert found.summary == "Redis at localhost:6379 answers"


@pytest.mark.parametrize("hint", ["", "start it, or name the right one with --redis-url"])
def test_redis_that_does_not_answer_is_red_with_the_cause(hint: str) -> None:
    cause = "Redis at localhost:6379 cannot be reached: refused"
    given = connections(redis=Reach(address="localhost:6379", reachable=False, cause=cause, hint=hint))
    found = run("redis-reachable", connections=given)
    assert found.status == "red"
    assert found.summary == cause


EVICTS = {"may_evict_queue": True, "maxmemory_mb": 100.0, "maxmemory_policy": "allkeys-lru"}


@pytest.mark.parametrize(
    ("sentence", "given", "status"),
    cases(
        [
            ("safe", "it saves and evicts nothing", {}, "green"),
            ("no-persistence", "a restart empties the queue", {"persistence": False}, "yellow"),
            ("may-evict", "a full memory may delete the queue", EVICTS, "orange"),
            ("may-evict-and-no-persistence", "the worse counts", {**EVICTS, "persistence": False}, "orange"),
            ("may-evict-persistence-unknown", "the worse is known", {**EVICTS, "persistence": None}, "orange"),
            ("no-data", "what may not be asked is unknown", {"persistence": None}, "unknown"),
        ]
    ),
)
def test_redis_durability(sentence: str, given: dict[str, Any], status: str) -> None:
    assert run("redis-durability", redis=redis(**given)).status == status, sentence


def test_eviction_names_the_limit_and_the_policy() -> None:
    said = run("redis-durability", redis=redis(**EVICTS)).summary
    assert said == "When its 100 MB are full, Redis may delete the queue (allkeys-lru)"


@pytest.mark.parametrize(
    ("sentence", "milliseconds", "status"),
    cases(
        [
            ("same", "the same time is green", 0.0, "green"),
            ("below-yellow", "a millisecond less than 1 s is green", 999.0, "green"),
            ("just-below-yellow", "a tenth of one as well", 999.9, "green"),
            ("yellow-edge", "1 s is the first yellow", 1_000.0, "yellow"),
            ("below-orange", "a millisecond less than 5 s is yellow", 4_999.0, "yellow"),
            ("orange-edge", "5 s is the first orange", 5_000.0, "orange"),
            ("below-red", "a millisecond less than 60 s is orange", 59_999.0, "orange"),
            ("red-edge", "60 s is the first red", 60_000.0, "red"),
            ("behind", "behind counts as ahead does", -60_000.0, "red"),
            ("no-data", "a server that does not tell its time leaves it unknown", None, "unknown"),
        ]
    ),
)
def test_clock_skew(sentence: str, milliseconds: float | None, status: str) -> None:
    assert run("clock-skew", redis=redis(clock_skew_ms=milliseconds)).status == status, sentence


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (-3.2, "The clocks of Redis and of this host agree"),
        (2_500.0, "The clock of Redis is 2.5 s ahead of this host's"),
        (-90_000.0, "The clock of Redis is 90.0 s behind this host's"),
    ],
)
def test_clock_skew_says_which_way(milliseconds: float, said: str) -> None:
    assert run("clock-skew", redis=redis(clock_skew_ms=milliseconds)).summary == said
