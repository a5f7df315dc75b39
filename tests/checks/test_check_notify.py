"""Whether messages arrive: every edge of the scale."""

import pytest

from tests.checks.builders import cases, causes_of, notifications, run

NOT_DELIVERED = {
    "at": "2026-03-14T09:22:00.000Z",
    "target": "slack 1",
    "kinds": ["opened"],
    "status": "red",
    "causes": ["server-down"],
    "reason": "the service answered 404",
}


@pytest.mark.parametrize(
    ("sentence", "undelivered", "status"),
    cases(
        [
            ("all", "all were delivered", 0, "green"),
            ("orange-edge", "one was not", 1, "orange"),
            ("none", "no target can be reached", 2, "orange"),
        ]
    ),
)
def test_whom_messages_do_not_reach(sentence: str, undelivered: int, status: str) -> None:
    assert run("notify-delivery", notifications=notifications(undelivered=undelivered)).status == status, sentence


def test_the_target_and_the_reason_are_named() -> None:
    found = run("notify-delivery", notifications=notifications(undelivered=1, messages=[NOT_DELIVERED]))
    assert found.summary == "The last message to 1 target could not be delivered: slack 1: the service answered 404"


def test_where_nobody_is_named_it_is_an_offer() -> None:
    found = run("notify-delivery", notifications=notifications(targets=0))
    assert (found.status, found.part) == ("not_set_up", "notifications")


def test_what_cannot_be_read_is_unknown() -> None:
    assert run("notify-delivery", notifications=notifications(cause="it holds something else")).status == "unknown"


def test_it_stands_for_itself() -> None:
    """It is no fault of the pipeline, and no fault of the pipeline brings it."""
    assert causes_of(notifications=notifications(undelivered=1)) == []
