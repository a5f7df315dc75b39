"""The words of messages."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from blueplane_doctor.model import Status
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.message import Sender, clock_time, message_of, trial_message
from blueplane_doctor.notifying.news import News

NOON = 1_700_049_600.0
"""12:00 UTC of the 15th of November."""
NOW = NOON + 3600
HELD_UP = News(
    Kind.OPENED,
    "poison-message",
    "poison-message",
    Status.RED,
    NOON,
    sentence="40 messages are stuck in processors behind 1-0: same key. Nothing is lost yet.",
    next_step="blueplane-doctor trace 1-0",
    follows=3,
)
OVER = News(Kind.OVER, "poison-message", "poison-message", Status.GREEN, NOON, until=NOON + 14 * 60, lost=0)


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_opened() -> None:
    message = message_of([HELD_UP], Status.RED, Sender("work-laptop", "http://127.0.0.1:8788/"), NOW)
    assert message.title == "Blueplane RED since 12:00 on work-laptop"
    assert message.body == (
        "40 messages are stuck in processors behind 1-0: same key. Nothing is lost yet. "
        "Next: blueplane-doctor trace 1-0 (3 more checks follow from it)\n"
        "http://127.0.0.1:8788/"
    )


def test_the_machine_is_named_only_where_the_settings_name_it() -> None:
    assert message_of([HELD_UP], Status.RED, Sender(), NOW).title == "Blueplane RED since 12:00"
    assert trial_message(Sender(), NOW).title == "Blueplane test"


def test_over() -> None:
    message = message_of([OVER], Status.GREEN, Sender(), NOW)
    assert message.title == "Blueplane GREEN again after 14 min; 0 lost"
    assert message.body == "Over after 14 min: poison-message. 0 lost."


@pytest.mark.parametrize(
    ("lost", "words", "shown"),
    [(None, "Whether messages were lost is not known.", ""), (1200, "1,200 lost.", "; 1,200 lost")],
)
def test_what_was_lost(lost: int | None, words: str, shown: str) -> None:
    over = News(Kind.OVER, "x", "x", Status.GREEN, NOON, until=NOON + 60, lost=lost)
    message = message_of([over], Status.GREEN, Sender("laptop"), NOW)
    assert message.body.endswith(words)
    assert message.title.removeprefix("Blueplane GREEN again after 60 s on laptop") == shown
    both = message_of([OVER, over], Status.GREEN, Sender("laptop"), NOW)
    assert both.title.removeprefix("Blueplane GREEN again after 14 min on laptop") == shown


def test_over_while_something_else_is_there() -> None:
    message = message_of([OVER], Status.ORANGE, Sender(), NOW)
    assert message.title == "Blueplane: 1 cause is over after 14 min, now ORANGE"
    both = message_of([OVER, replace(OVER, key="other")], Status.ORANGE, Sender(), NOW)
    assert both.title == "Blueplane: 2 causes are over after 14 min, now ORANGE"


def test_a_cause_is_told_by_its_title() -> None:
    title = "The Blueplane server does not run"
    down = replace(HELD_UP, title=title, sentence="8 messages wait.", next_step="Start it", follows=0)
    assert message_of([down], Status.RED, Sender(), NOW).body == f"{title}. 8 messages wait. Next: Start it."
    twice = message_of([replace(down, others=1)], Status.RED, Sender(), NOW).body
    assert "8 messages wait. And 1 more cause of this kind. Next: Start it." in twice
    over = message_of([replace(OVER, title=title)], Status.GREEN, Sender(), NOW)
    assert over.body == f"Over after 14 min: '{title}'. 0 lost."


def test_the_worst_comes_first() -> None:
    other = News(Kind.WORSE, "b", "b", Status.ORANGE, NOON - 60, sentence="Two")
    message = message_of([OVER, other, HELD_UP], Status.RED, Sender(), NOW)
    assert message.title == "Blueplane RED since 12:00"
    assert message.status is Status.RED
    assert message.kinds == (Kind.OPENED, Kind.WORSE, Kind.OVER)
    lines = message.body.splitlines()
    assert lines[0].startswith("40 messages")
    assert lines[1] == "Worse: Two."
    assert lines[2].startswith("Over after")


def test_a_message_has_a_bound() -> None:
    many = [News(Kind.OPENED, f"k{n}", f"k{n}", Status.RED, NOON, sentence="x" * 300) for n in range(50)]
    message = message_of(many, Status.RED, Sender(), NOW)
    assert message.body.splitlines()[-1] == "And 44 more."
    assert len(message.body) < 3000


@pytest.mark.parametrize(("moment", "shown"), [(NOON, "12:00"), (NOON - 86_400, "14 Nov 12:00")])
def test_clock_time(moment: float, shown: str) -> None:
    assert clock_time(moment, NOW) == shown


def test_as_document() -> None:
    document = message_of([HELD_UP], Status.RED, Sender(), NOW).as_document()
    assert document["version"] == 1
    assert document["kinds"] == ["opened"]
    assert document["status"] == "red"
    assert document["causes"] == ["poison-message"]
    assert document["since"] == "2023-11-15T12:00:00+00:00"
