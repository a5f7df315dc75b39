"""The checks of the history: every edge of their scales, and no history at all."""

import pytest

from blueplane_doctor.monitoring.backlog import BacklogNow
from blueplane_doctor.text.times import readable
from tests.checks.builders import cases, history, no_history, queue, run, seen_losses, trend

NO_LOOK = {"backlog_per_minute": None, "trend": None}
"""A queue of which one look tells nothing."""
CHECKS = ("backlog-trend", "time-to-loss", "wal-growth", "loss-between-samples")


@pytest.mark.parametrize("check_id", CHECKS)
def test_without_a_history_it_is_not_set_up_and_says_how_to_start_one(check_id: str) -> None:
    found = run(check_id, history=no_history(), queue=queue(**NO_LOOK))
    assert (found.status, found.cause) == ("not_set_up", "there is no history in Redis at localhost:6379")
    assert found.remedy and found.remedy.commands == ["blueplane-doctor record"]


@pytest.mark.parametrize("check_id", CHECKS)
def test_too_few_samples_are_unknown_and_not_green(check_id: str) -> None:
    given = history(
        samples=2,
        groups=[trend(state="unknown", backlog=4, cause="2 of at least 3 samples")],
        losses=seen_losses(processors=None),
        wal_growth_mb_last_hour=None,
        backlog_per_minute=None,
    )
    assert run(check_id, history=given, queue=queue(**NO_LOOK)).status == "unknown"


@pytest.mark.parametrize(
    ("sentence", "state", "status"),
    cases(
        [
            ("zero", "caught up is green", "caught up", "green"),
            ("draining", "a backlog that drains is green", "draining", "green"),
            ("steady", "a steady backlog is green", "steady", "green"),
            ("growing", "a backlog that only grows is orange", "falling behind", "orange"),
            ("stalled", "nothing acknowledged is red", "stalled", "red"),
            ("stopped", "nothing delivered is red", "stopped", "red"),
        ]
    ),
)
def test_backlog_trend(sentence: str, state: str, status: str) -> None:
    bad = trend(state=state, backlog=7, per_minute=-3.5, minutes_left=2.0, still_seconds=300)
    found = run("backlog-trend", history=history(groups=[trend("claude_processors"), bad]))
    assert (found.status, found.observed) == (status, state), sentence


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "caught up"}, "Every writer has caught up"),
        (
            {"state": "draining", "backlog": 70, "minutes_left": 5.0},
            "processors works off the backlog of 70 messages, which takes another 5 min",
        ),
        (
            {"state": "falling behind", "backlog": 1_200, "per_minute": 40.0},
            "processors falls behind: 1,200 messages wait, +40 a minute",
        ),
        (
            {"state": "stopped", "backlog": 1, "still_seconds": 300},
            "processors was given nothing for 5 min, with a backlog of 1 message",
        ),
        (
            {"state": "stalled", "backlog": 2, "still_seconds": 300},
            "processors acknowledged nothing for 5 min, with a backlog of 2 messages",
        ),
        ({"state": "steady", "backlog": 3}, "processors keeps a steady backlog of 3 messages"),
    ],
)
def test_the_words_of_a_trend(changes: dict[str, object], said: str) -> None:
    assert run("backlog-trend", history=history(groups=[trend(**changes)])).summary == said


@pytest.mark.parametrize(
    ("now", "status", "said"),
    [
        ({"state": "caught up", "backlog": 0}, "green", "Every writer has caught up"),
        ({"state": "steady", "backlog": 3}, "green", "The writers keep a steady backlog of 3 messages"),
        (
            {"state": "draining", "backlog": 700, "per_minute": -70.0, "minutes_left": 10.0},
            "green",
            "The writers work off the backlog of 700 messages, which takes another 10 min",
        ),
        (
            {"state": "falling behind", "backlog": 1_200, "per_minute": 40.0},
            "orange",
            "The writers fall behind: 1,200 messages wait, +40 a minute",
        ),
        (
            {"state": "stalled", "backlog": 20, "still_seconds": 480},
            "red",
            "Nothing was written for 8 min, with a backlog of 20 messages",
        ),
    ],
)
def test_without_samples_one_look_tells_the_trend(now: dict[str, object], status: str, said: str) -> None:
    looked = queue(trend=BacklogNow.model_validate(now))
    for given in (no_history(), history(samples=2, groups=[trend(state="unknown", backlog=None, cause="few")])):
        found = run("backlog-trend", history=given, queue=looked)
        assert (found.status, found.summary) == (
            status,
            f"{said} (judged from this run alone; recorded samples would tell more)",
        )


def test_samples_tell_the_trend_better_than_one_look() -> None:
    looked = queue(trend=BacklogNow(state="stalled", backlog=20, still_seconds=480))
    assert run("backlog-trend", history=history(groups=[trend(state="draining")]), queue=looked).status == "green"


@pytest.mark.parametrize(("state", "status"), [("caught up", "unknown"), ("stopped", "red")])
def test_a_group_that_is_not_known_is_hidden_by_nothing_but_worse(state: str, status: str) -> None:
    unclear = trend("claude_processors", state="unknown", backlog=None, cause="the newest sample is 9 min old")
    found = run("backlog-trend", history=history(groups=[unclear, trend(state=state, still_seconds=300, backlog=4)]))
    assert found.status == status


@pytest.mark.parametrize(
    ("sentence", "minutes", "status"),
    cases(
        [
            ("far", "61 minutes are green", 61.0, "green"),
            ("yellow-edge", "60 minutes are the first yellow", 60.0, "yellow"),
            ("last-yellow", "30.01 minutes are yellow", 30.01, "yellow"),
            ("orange-edge", "30 minutes are the first orange", 30.0, "orange"),
            ("last-orange", "10.01 minutes are orange", 10.01, "orange"),
            ("red-edge", "10 minutes are the first red", 10.0, "red"),
            ("now", "none are red", 0.0, "red"),
        ]
    ),
)
def test_time_to_loss(sentence: str, minutes: float, status: str) -> None:
    given = history(backlog_per_minute=12.0, minutes_to_loss=minutes)
    assert run("time-to-loss", history=given).status == status, sentence


def test_without_samples_one_look_tells_until_when() -> None:
    growing = queue(queue_depth=8_000, backlog_per_minute=80.0, minutes_to_loss=25.0)
    found = run("time-to-loss", history=no_history(), queue=growing)
    assert (found.status, found.observed) == ("orange", 25.0)
    assert "judged from this run alone" in found.summary
    resting = run("time-to-loss", history=no_history(), queue=queue(backlog_per_minute=0.0))
    assert (resting.status, resting.scale) == ("green", None)
    assert resting.summary.startswith("No lasting backlog grows")


def test_samples_tell_better_than_one_look() -> None:
    growing = queue(queue_depth=8_000, backlog_per_minute=80.0, minutes_to_loss=25.0)
    found = run("time-to-loss", history=history(backlog_per_minute=-4.0), queue=growing)
    assert (found.status, found.summary) == ("green", "The backlog does not grow")


def test_a_backlog_that_does_not_grow_is_not_graded() -> None:
    found = run("time-to-loss", history=history(backlog_per_minute=-4.0))
    assert (found.status, found.scale, found.summary) == ("green", None, "The backlog does not grow")


@pytest.mark.parametrize(
    ("sentence", "megabytes", "status"),
    cases(
        [
            ("still", "a log that does not grow is green", 0.0, "green"),
            ("below-yellow", "15.999 MB are green", 15.999, "green"),
            ("yellow-edge", "16 MB are the first yellow", 16.0, "yellow"),
            ("below-orange", "63.999 MB are yellow", 63.999, "yellow"),
            ("orange-edge", "64 MB are the first orange", 64.0, "orange"),
            ("below-red", "255.999 MB are orange", 255.999, "orange"),
            ("red-edge", "256 MB are the first red", 256.0, "red"),
        ]
    ),
)
def test_wal_growth(sentence: str, megabytes: float, status: str) -> None:
    assert run("wal-growth", history=history(wal_growth_mb_last_hour=megabytes)).status == status, sentence


EARLY = "2026-11-28T03:10:00Z"
LATE = "2026-11-28T04:02:00Z"


@pytest.mark.parametrize(
    ("claude", "cursor", "status", "said"),
    [
        ({}, {}, "green", "No message vanished between samples"),
        ({EARLY: 1}, {EARLY: 1}, "red", f"At least 1 message was trimmed unread: the sample of {readable(EARLY)}"),
        ({EARLY: 2}, {EARLY: 30}, "red", f"At least 2 messages were trimmed unread: the sample of {readable(EARLY)}"),
        (
            {EARLY: 2, LATE: 7},
            {EARLY: 30, LATE: 5},
            "red",
            f"At least 7 messages were trimmed unread: samples from {readable(EARLY)} to {readable(LATE)}",
        ),
        ({}, {EARLY: 30}, "unknown", f"At most 30 messages were trimmed unread: the sample of {readable(EARLY)}"),
        (None, {EARLY: 30}, "unknown", f"At most 30 messages were trimmed unread: the sample of {readable(EARLY)}"),
        (None, {}, "unknown", "Whether messages vanished between samples is not known"),
    ],
)
def test_loss_between_samples(
    claude: dict[str, int] | None, cursor: dict[str, int] | None, status: str, said: str
) -> None:
    given = history(losses=seen_losses(claude_processors=claude, processors=cursor))
    found = run("loss-between-samples", history=given)
    assert (found.status, found.summary) == (status, said)


@pytest.mark.parametrize("rate", [None, 12.0])
def test_the_growth_of_dead_letters_shows_the_recorded_rate(rate: float | None) -> None:
    found = run("dead-letter-growth", queue=queue(dlq_recent_entries=3), history=history(dead_letters_last_hour=rate))
    assert (found.status, found.evidence["recorded entries/h"]) == ("yellow", rate)
