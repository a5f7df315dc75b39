"""Workflow commands, read back as the runner reads them."""

import re

import pytest

from blueplane_doctor.model import Change, Finding, Report, Status
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.github import render
from tests.reports.hostile import REPORTS

Command = tuple[str, str, str]


def commands(report: Report, view: View | None = None) -> list[Command]:
    """Level, title and message of each command; the escapes undone in the runner's order."""
    read = []
    for text in render(report, view or View()).splitlines():
        found = re.fullmatch(r"::(\w+) title=([^:,]*)::(.*)", text)
        assert found, text
        title = _undone(found[2], {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"})
        read.append((found[1], title, _undone(found[3], {"%0D": "\r", "%0A": "\n", "%25": "%"})))
    return read


def _undone(text: str, escapes: dict[str, str]) -> str:
    for escape, character in escapes.items():
        text = text.replace(escape, character)
    return text


def only(finding: Finding) -> Command:
    """The command for this finding."""
    report = REPORTS["mixed"]().model_copy(update={"findings": [finding], "causes": []})
    return commands(report)[1]


@pytest.mark.parametrize(
    ("status", "level"),
    [
        (Status.RED, "error"),
        (Status.ORANGE, "error"),
        (Status.ERROR, "error"),
        (Status.YELLOW, "warning"),
        (Status.UNKNOWN, "warning"),
        (Status.SKIPPED, "notice"),
    ],
)
def test_each_status_has_its_level(status: Status, level: str) -> None:
    assert only(Finding(status=status, summary="s", id="x"))[:2] == (level, f"x ({status})")


def test_the_verdict_comes_first_then_the_worst() -> None:
    told = commands(REPORTS["mixed"]())
    assert told[0][:2] == ("error", "blueplane-doctor")
    assert told[0][2].startswith(
        "RED since 09:18 UTC (9 min): the pipeline is unhealthy, 2 causes (checks: 3 red, 1 orange, 1 error"
    )
    assert [title for _, title, _ in told[1:4]] == [
        "A producer sends payloads that the writer drops (red, since 09:18 UTC (9 min))",
        "The database was locked, and a writer left its batches unwritten "
        "(red, likely, since 2026-03-13 21:20 UTC (12 h 7 min))",
        "writer-missing (red)",
    ]


def test_a_cause_is_one_annotation_and_what_follows_from_it_has_none() -> None:
    told = commands(REPORTS["mixed"]())
    level, _, message = told[1]
    assert level == "error"
    assert message.splitlines() == [
        "1,180 messages are acknowledged and not written: payload is a list instead of an object.",
        "At stake: 1,180 messages lost (1,180 of them can still be saved)",
        "Mend the producer; save the messages before the stream trims them.",
        "$ blueplane-doctor trace 1773479901310-0",
        "explains: chain-breaks",
    ]
    titles = [title.partition(" (")[0] for _, title, _ in told]
    assert {"chain-breaks", "stuck-consumers", "queue-depth"}.isdisjoint(titles)


def test_a_healthy_report_is_one_notice() -> None:
    assert commands(REPORTS["healthy"]()) == [
        ("notice", "blueplane-doctor", "GREEN: the pipeline is healthy (checks: 12 green)")
    ]


def test_quiet_is_the_verdict_alone() -> None:
    assert len(commands(REPORTS["mixed"](), View(quiet=True))) == 1


def test_characters_that_mean_something_come_back_as_they_were() -> None:
    level, title, message = only(Finding(status=Status.RED, summary="100% of a,b:c ::error::x %0A", id="a:b,c%2C"))
    assert (level, title) == ("error", "a:b,c%2C (red)")
    assert message == "100% of a,b:c ::error::x %0A"


def test_the_message_tells_the_remedy_on_lines_of_its_own() -> None:
    [message] = [m for _, title, m in commands(REPORTS["mixed"]()) if title.startswith("dead-letters")]
    assert message.splitlines()[-1] == "$ blueplane-doctor dead-letters --group-by reason"
    assert "Observed: 37 messages (green < 1" in message


def test_a_waived_finding_is_a_notice_with_its_reason() -> None:
    [told] = [c for c in commands(REPORTS["compared"]()) if c[1].startswith("dead-letters")]
    assert told[:2] == ("notice", "dead-letters (orange, waived)")
    assert "waived by platform until 2026-04-01: Known since the move; ticket OPS-12" in told[2]


def test_a_change_stands_in_the_title_and_makes_a_green_finding_news() -> None:
    assert only(Finding(status=Status.RED, summary="s", id="x", change=Change.NEW))[1] == "x (red, new)"
    fixed = Finding(status=Status.GREEN, summary="s", id="x", change=Change.FIXED)
    assert only(fixed)[:2] == ("notice", "x (green, fixed)")
    same = Finding(status=Status.GREEN, summary="s", id="x", change=Change.SAME)
    assert len(commands(REPORTS["mixed"]().model_copy(update={"findings": [same], "causes": []}))) == 1
