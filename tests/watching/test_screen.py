"""The live screen, drawn to a fixed size without a terminal."""

import io
import re

import pytest
from rich.console import Console

from blueplane_doctor.model import Finding, Status
from blueplane_doctor.watching.rounds import Memory, Round
from blueplane_doctor.watching.screen import Screen
from tests.reports import samples
from tests.reports.samples import report_of
from tests.reports.test_html import INVISIBLE


def drawn(screen: Screen, width: int = 130, height: int = 40) -> str:
    out = io.StringIO()
    Console(file=out, width=width, height=height, highlight=False, color_system=None).print(screen.drawn(width, height))
    return out.getvalue()


def finding(name: str, status: Status, summary: str = "s", cause: str = "") -> Finding:
    return Finding(id=name, area="a", status=status, summary=summary, cause=cause)


def test_before_the_first_round() -> None:
    assert drawn(Screen(2)).strip() == "blueplane-doctor: the first look …"
    assert Screen(2).last_verdict(80) is None


def test_the_last_verdict_names_every_finding_that_is_not_healthy() -> None:
    screen = Screen(2)
    findings = [finding(f"check-{number:02}", Status.RED) for number in range(60)]
    screen.add(Round(1, report_of(findings)))
    screen.add(Round(2, report_of([*findings, finding("fine", Status.GREEN)]), unread={"queue": "Redis is away"}))
    out = io.StringIO()
    Console(file=out, width=80, highlight=False, color_system=None).print(screen.last_verdict(80))
    lines = out.getvalue().splitlines()
    assert lines[0].startswith(" RED ")
    assert "not read: queue: Redis is away" in lines[1]
    assert [text.split()[1] for text in lines[2:]] == [f"check-{number:02}" for number in range(60)]


def test_it_shows_verdict_findings_numbers_and_sparklines() -> None:
    screen = Screen(2)
    report = samples.mixed()
    for depth in (0, 5, None, 10):
        screen.add(Round(4, report, numbers={"queue.queue_depth": depth, "chain.states.in_flight": 3}))
    text = drawn(screen)
    assert text.startswith(" RED ")
    assert "chain-breaks" in text
    assert re.search("Queue depth +10  ▁▅ █", text)
    assert "in flight" in text
    assert "no change since the first look" in text
    assert "round 4, every 2 s · q quits" in text


def test_numbers_are_bounded_and_keep_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blueplane_doctor.watching.screen.KEPT_ROUNDS", 3)
    screen = Screen(2)
    for numbers in ({"queue.queue_depth": 9}, {}, {"queue.queue_depth": 0}, {"queue.queue_depth": 4}):
        screen.add(Round(1, samples.empty(), numbers=numbers))
    assert re.search("Queue depth +4   ▁█ *\n", drawn(screen))


def test_changes_stay_on_the_screen_newest_first() -> None:
    screen, memory = Screen(2), Memory()
    for status in (Status.GREEN, Status.RED, Status.GREEN, Status.GREEN):
        report = report_of([finding("queue-depth", status)])
        screen.add(Round(1, report, memory.changed(report)))
    text = drawn(screen)
    assert text.index("fixed") < text.index("new")
    assert "green → red" in text
    assert "red → green" in text


def test_what_could_not_be_read_is_said_once_for_each_cause() -> None:
    screen = Screen(2)
    screen.add(Round(1, report_of([]), unread={"chain": "nobody answers", "queue": "nobody answers", "x": "no file"}))
    text = drawn(screen)
    assert "not read: chain, queue: nobody answers" in text
    assert "not read: x: no file" in text


@pytest.mark.parametrize("width", [40, 80, 89, 90, 200])
@pytest.mark.parametrize("height", [10, 24, 60])
def test_it_fits_the_terminal(width: int, height: int) -> None:
    screen = Screen(2)
    report = report_of([finding(f"check-{i}", Status.RED, "long " * 80) for i in range(100)])
    screen.add(Round(1, report, numbers={"queue.queue_depth": 5, "chain.states.lost": 3}))
    lines = drawn(screen, width, height).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= max(height, 15)
    assert "more" in "".join(lines)


def test_hostile_text_controls_nothing() -> None:
    screen, memory = Screen(2), Memory()
    hostile = f"{INVISIBLE}[red]\n\n\x1b]0;title\x07"
    memory.changed(report_of([finding("x", Status.GREEN), finding(hostile, Status.GREEN)]))
    report = report_of([finding(hostile, Status.RED, hostile)])
    screen.add(
        Round(1, report, memory.changed(report), unread={hostile: hostile}, numbers={f"chain.states.{hostile}": 1})
    )
    text = drawn(screen)
    assert not set(text) & set("\x00\x07\x1b\x7f\x9b\u202e\u2066\ufeff")
    assert "[red]" in text


def test_causes_stand_before_findings_of_their_own_and_hide_what_follows_from_them() -> None:
    screen = Screen(2)
    screen.add(Round(1, samples.mixed()))
    text = drawn(screen, 160, 60)
    first = text.index("1  A producer sends")
    second = text.index("2  The database was locked")
    assert first < text.index("Next: Mend the producer") < second < text.index("writer-missing")
    assert len(re.findall("queue-depth", text)) == 1, "under its cause alone"
    out = io.StringIO()
    Console(file=out, width=160, highlight=False, color_system=None).print(screen.last_verdict(160))
    assert "1  A producer sends" in out.getvalue()


def test_causes_that_open_and_end_stand_among_the_changes() -> None:
    screen = Screen(2)
    report = samples.mixed()
    first, second = report.causes
    screen.add(Round(2, report, opened=[first], over=[second]))
    text = drawn(screen, 160, 60)
    assert re.search(r"opened\s*A producer sends payloads that the writer drops  red", text)
    assert re.search(r"over\s*The database was locked", text)
