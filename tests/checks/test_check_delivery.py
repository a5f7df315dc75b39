"""delivery-delay: at the edges, with little data, and over a delay that is past."""

from typing import Any

import pytest

from blueplane_doctor.model import Status
from tests.checks.builders import cases, delivery, queue, route_delay, run


@pytest.mark.parametrize(
    ("sentence", "given", "status"),
    cases(
        [
            ("prompt", "rows within a second are green", {}, Status.GREEN),
            ("below", "one millisecond below the edge is green", {"recent_p95_ms": 4_999}, Status.GREEN),
            ("edge", "five seconds are yellow", {"recent_p95_ms": 5_000}, Status.YELLOW),
            ("slow", "just below five minutes is yellow", {"recent_p95_ms": 299_999}, Status.YELLOW),
            ("standstill", "five minutes are orange", {"recent_p95_ms": 300_000}, Status.ORANGE),
            ("never-red", "what is written is no emergency", {"recent_p95_ms": 3_600_000}, Status.ORANGE),
            ("over", "a delay that is past does not count", {"p95_ms": 900_000}, Status.GREEN),
            ("quiet", "without recent messages the hour counts", {"p95_ms": 9_000, "recent_p95_ms": None},
             Status.YELLOW),
            ("few-good", "few prompt messages are green", {"sampled": 3, "recent_p95_ms": None}, Status.GREEN),
            ("few-slow", "one slow message of few gives no colour",
             {"sampled": 19, "p95_ms": 9_000, "recent_p95_ms": None}, Status.UNKNOWN),
        ]
    ),
)  # fmt: skip
def test_the_delay_is_graded(sentence: str, given: dict[str, Any], status: Status) -> None:
    waits_on = queue(queue_depth=3, consumer_lag_ms=5_000)
    finding = run("delivery-delay", delivery=delivery(routes=[route_delay(**given)]), queue=waits_on)
    assert finding.status is status, sentence


def test_the_slowest_route_counts_and_is_named() -> None:
    routes = [route_delay(), route_delay(route="claude", recent_p95_ms=61_500)]
    finding = run("delivery-delay", delivery=delivery(routes=routes))
    assert finding.observed == 61.5
    assert "claude" in finding.summary


def test_idle_is_green_and_what_cannot_be_measured_is_unknown() -> None:
    assert run("delivery-delay", delivery=delivery(routes=[])).status is Status.GREEN
    finding = run("delivery-delay", delivery=delivery(routes=[], cause="the clocks differ"))
    assert finding.status is Status.UNKNOWN
    assert finding.cause == "the clocks differ"


def test_the_second_that_nobody_knows_is_said() -> None:
    finding = run("delivery-delay", delivery=delivery(routes=[route_delay(recent_p95_ms=8_000)]))
    assert "P95 8 s to 9 s in the last ten minutes" in finding.summary
    assert "P50 under a second" in finding.summary


@pytest.mark.parametrize(
    ("waiting", "said"),
    [
        ({"queue_depth": 0, "consumer_lag_ms": 0}, "These came late; that is over, and nothing waits now"),
        ({"queue_depth": 3, "consumer_lag_ms": 4_999}, "that is over, and no message waits for 5 s now"),
        ({"queue_depth": 3, "consumer_lag_ms": 5_000}, ""),
        ({"queue_depth": None, "consumer_lag_ms": None}, ""),
    ],
    ids=["nothing waits", "what waits is young", "messages wait as long", "what waits is not known"],
)
def test_a_delay_that_is_over_says_so(waiting: dict[str, Any], said: str) -> None:
    late = delivery(routes=[route_delay(p95_ms=480_200, recent_p95_ms=None)])
    finding = run("delivery-delay", delivery=late, queue=queue(**waiting))
    assert finding.status is (Status.YELLOW if said else Status.ORANGE)
    assert finding.remedy is not None and "log" not in finding.remedy.text, "no error is logged"
    assert said in finding.summary
    assert ("is over" in finding.summary) is bool(said)
    prompt = run("delivery-delay", delivery=delivery(routes=[route_delay()]), queue=queue(**waiting))
    assert "is over" not in prompt.summary
