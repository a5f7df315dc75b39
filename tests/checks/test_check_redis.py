"""The checks of Redis itself: every edge of their scales."""

from typing import Any

import pytest

from blueplane_doctor.monitoring.connections import Reach
from blueplane_doctor.monitoring.server_health import LoggedErrors
from tests.checks.builders import (
    NOW,
    cases,
    connections,
    forecast,
    history,
    redis,
    redis_writes,
    run,
    server,
    server_uses,
)


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


@pytest.mark.parametrize("reachable", [True, False])
def test_a_redis_that_nobody_named_and_that_has_no_queue_is_not_judged(reachable: bool) -> None:
    uses = server_uses(unused_config="config.yaml: not valid YAML", is_redis_known=False)
    redis = Reach(address="localhost:6379", reachable=reachable, cause="" if reachable else "refused")
    found = run("redis-reachable", connections=connections(redis=redis), server_uses=uses)
    assert found.status == "unknown"
    assert found.cause is not None and "the address of its Redis is not known" in found.cause


def test_a_server_that_redis_does_not_let_in_is_orange_while_it_goes_on() -> None:
    for lately, status in ((1, "orange"), (0, "green")):
        errors = [LoggedErrors(kind="Redis refuses the login", count=1, lately=lately, first=NOW, last=NOW)]
        assert run("redis-writable", redis_writes=redis_writes(), server=server(errors=errors)).status == status
    refuses = redis_writes(taken=False, refusal="OOM", reason="full")
    assert run("redis-writable", redis_writes=refuses, server=server(errors=errors)).status == "red"


@pytest.mark.parametrize(
    ("sentence", "used", "status"),
    cases(
        [
            ("empty", "nothing used", 0.0, "green"),
            ("below-yellow", "room is left", 79.9, "green"),
            ("yellow-edge", "four fifths", 80.0, "yellow"),
            ("below-orange", "still yellow", 89.9, "yellow"),
            ("orange-edge", "nine tenths", 90.0, "orange"),
            ("over", "refusing is a matter of redis-writable", 101.0, "orange"),
            ("no-data", "an INFO without it", None, "green"),
        ]
    ),
)
def test_redis_memory(sentence: str, used: float | None, status: str) -> None:
    found = run("redis-memory", redis=redis(maxmemory_mb=100.0, used_memory_mb=used))
    assert found.status == status, sentence


@pytest.mark.parametrize(
    ("sentence", "given", "status"),
    cases(
        [
            ("few", "a healthy pipeline", {"open_connections": 14}, "green"),
            ("below-yellow", "room is left", {"open_connections": 79}, "green"),
            ("yellow-edge", "four fifths", {"open_connections": 80}, "yellow"),
            ("below-orange", "still yellow", {"open_connections": 94}, "yellow"),
            ("orange-edge", "one program more", {"open_connections": 95}, "orange"),
            ("full", "nobody else comes in", {"open_connections": 101}, "orange"),
            ("no-data", "an INFO without it", {"open_connections": None}, "green"),
            ("no-limit", "Redis before 6.2", {"open_connections": 14, "maxclients": None}, "green"),
        ]
    ),
)
def test_redis_clients(sentence: str, given: dict[str, Any], status: str) -> None:
    found = run("redis-clients", redis=redis(**{"maxclients": 100, **given}))
    assert found.status == status, sentence


def test_until_when_memory_lasts_is_told_where_it_shrinks() -> None:
    used = redis(maxmemory_mb=100.0, used_memory_mb=85.0)
    shrinking = history(room={"memory": forecast(minutes_left=95.0)})
    found = run("redis-memory", redis=used, history=shrinking)
    assert found.summary.endswith(
        "; at the rate of the last 59 min nothing is left in about 1 h 35 min (2026-01-05 12:00:00 UTC)"
    )
    assert found.evidence["until full"]["samples"] == 60
    assert "at the rate" not in run("redis-memory", redis=used, history=history()).summary
    assert "at the rate" not in run("redis-memory", redis=used).summary


def test_redis_without_a_limit_is_not_graded() -> None:
    assert run("redis-memory", redis=redis()).status == "green"


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({"taken": True, "refused": {"OOM": 3}}, "green", "takes writes"),
        ({"taken": False, "refusal": "OOM", "reason": "it is full"}, "red", "refuses every write (OOM): it is full"),
        ({"taken": None, "refusal": "MISCONF", "reason": "its last snapshot failed"}, "unknown", "not known"),
        (
            {"taken": False, "refusal": "READONLY", "reason": "r", "since_timestamp": "2026-03-13T17:02:11Z"},
            "red",
            "since 2026-03-13 17:02:11 UTC",
        ),
    ],
)
def test_redis_writable(given: dict[str, Any], status: str, words: str) -> None:
    found = run("redis-writable", redis_writes=redis_writes(**given))
    assert found.status == status
    assert words in found.summary
    assert (found.remedy is None) == (status == "green")


def test_loading_that_soon_ends_says_when() -> None:
    found = run("redis-writable", redis_writes=redis_writes(taken=None, refusal="LOADING", reason="l", seconds_left=1))
    assert found.status == "unknown"
    assert "it ends in about 1 second" in (found.cause or "")


@pytest.mark.parametrize(
    ("refusal", "status"),
    [("LOADING", "unknown"), ("MOVED", "unknown"), ("CROSSSLOT", "unknown"), ("BUSY", "red"), ("MASTERDOWN", "red")],
)
def test_redis_that_answers_and_serves_nothing(refusal: str, status: str) -> None:
    reach = Reach(address="localhost:6379", reachable=False, cause="c", hint="name the cluster", refusal=refusal)
    found = run("redis-reachable", connections=connections(redis=reach))
    assert found.status == status
    assert found.remedy is not None
    assert found.remedy.text == "Name the cluster."


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
