"""HTTP answers: age, tag and code, and what a caller already has."""

import json

import pytest

from blueplane_doctor.service.answers import etag_of, names_tag, render, respond
from blueplane_doctor.service.snapshot import Freshness

FRESH = Freshness(1_773_480_413.0, 1_773_480_415.8)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blueplane_doctor.service.answers.time.time", lambda: FRESH.taken_at + 2.5)


def test_an_answer_tells_its_age_and_until_when_it_holds() -> None:
    answer = respond(render({"queue_depth": 7}, 200, FRESH), None)
    assert json.loads(bytes(answer.body)) == {
        "age_ms": 2500,
        "status": "healthy",
        "measured_at": "2026-03-14T09:26:53.000Z",
        "stale_after": "2026-03-14T09:26:55.800Z",
        "queue_depth": 7,
    }
    assert (answer.status_code, answer.headers["age"]) == (200, "2")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-cache"


def test_what_the_caller_has_is_not_sent_again_unless_it_is_bad_news() -> None:
    healthy = render({"queue_depth": 7}, 200, FRESH)
    unhealthy = render({"queue_depth": 7}, 503, FRESH)
    assert (respond(healthy, healthy.etag).status_code, respond(healthy, healthy.etag).body) == (304, b"")
    assert respond(healthy, unhealthy.etag).status_code == 200
    assert respond(unhealthy, unhealthy.etag).status_code == 503
    assert json.loads(bytes(respond(unhealthy, None).body))["status"] == "unhealthy"


@pytest.mark.parametrize(
    ("header", "named"),
    [(None, False), ("*", True), ("{}", True), ('"other", {}', True), ('"other"', False), ("", False)],
)
def test_which_tags_a_caller_names(header: str | None, named: bool) -> None:
    etag = etag_of(b"x")
    assert names_tag(header.format(etag) if header else header, etag) is named
