"""The checks of the dead letters: every edge of their scales."""

from typing import Any

import pytest

from tests.checks.builders import MINUTE, cases, queue, run

STEPS = [
    ("none", "no dead letter is green", 0, "green"),
    ("yellow-edge", "one is the first yellow", 1, "yellow"),
    ("last-yellow", "9 is still yellow", 9, "yellow"),
    ("orange-edge", "10 is the first orange", 10, "orange"),
    ("last-orange", "100 is still orange", 100, "orange"),
    ("above-red", "101 is the first red", 101, "red"),
]


@pytest.mark.parametrize(("sentence", "count", "status"), cases(STEPS))
def test_dead_letters(sentence: str, count: int, status: str) -> None:
    assert run("dead-letters", queue=queue(dlq_size=count)).status == status, sentence


@pytest.mark.parametrize(("sentence", "count", "status"), cases(STEPS))
def test_dead_letter_growth(sentence: str, count: int, status: str) -> None:
    given = queue(dlq_size=count, dlq_recent_entries=count)
    assert run("dead-letter-growth", queue=given).status == status, sentence


def test_an_old_pile_does_not_grow() -> None:
    given = queue(dlq_size=900, dlq_recent_entries=0, dlq_previous_hour=900)
    assert run("dead-letter-growth", queue=given).status == "green"
    assert run("dead-letters", queue=given).status == "red"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "No dead letters"),
        ({"dlq_size": 1, "dlq_oldest_age_ms": 5 * MINUTE}, "1 dead letter, 5 min old"),
        ({"dlq_size": 2, "dlq_oldest_age_ms": 5 * MINUTE}, "2 dead letters, the oldest 5 min old"),
        ({"dlq_size": 1_200, "dlq_oldest_age_ms": None}, "1,200 dead letters"),
    ],
    ids=["none", "one", "two", "age-not-known"],
)
def test_dead_letters_says_how_many_and_how_old(given: dict[str, Any], said: str) -> None:
    assert run("dead-letters", queue=queue(**given)).summary == said


@pytest.mark.parametrize(
    ("recent", "before", "said"),
    [
        (0, 5, "No dead letter in the last hour"),
        (1, 0, "1 dead letter in the last hour, 0 in the hour before"),
        (14, 2, "14 dead letters in the last hour, 2 in the hour before"),
    ],
)
def test_dead_letter_growth_compares_two_hours(recent: int, before: int, said: str) -> None:
    given = queue(dlq_recent_entries=recent, dlq_previous_hour=before)
    assert run("dead-letter-growth", queue=given).summary == said


def test_the_remedy_names_the_command_that_groups_them() -> None:
    given = queue(dlq_size=3, dlq_sizes={"telemetry:dlq": 0, "telemetry:message_queue:dlq": 3})
    remedy = run("dead-letters", queue=given).remedy
    assert remedy
    assert remedy.commands == ["blueplane-doctor dlq stats"]
