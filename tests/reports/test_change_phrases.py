"""When, what and how: a change in words."""

import pytest

from blueplane_doctor.model import Report, Status, StatusChange
from blueplane_doctor.reports import change_phrases
from tests.reports.samples import report_of


def change(before: Status | None, after: Status, kind: str = "cause", **more: str) -> StatusChange:
    values = {"at": "2026-03-14T09:10:00.000Z", "id": "server-down", "title": "The server is down", **more}
    return StatusChange(kind=kind, before=before, after=after, **values)


def report(*changes: StatusChange) -> Report:
    return report_of([]).model_copy(update={"changes": list(changes)})


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (change(Status.GREEN, Status.RED), "The server is down: opened, red"),
        (change(Status.RED, Status.GREEN), "The server is down: over"),
        (change(Status.YELLOW, Status.RED), "The server is down: yellow → red"),
        (change(None, Status.RED), "The server is down: red when recording began"),
        (change(Status.GREEN, Status.RED, title=""), "server-down: opened, red"),
        (change(Status.GREEN, Status.RED, "check", id="server-alive"), "check server-alive: green → red"),
        (change(Status.RED, Status.GREEN, "report", id=""), "the pipeline: red → green"),
    ],
)
def test_a_change_in_words(one: StatusChange, words: str) -> None:
    assert change_phrases.sentence([one], report()) == f"09:10 {words}"


def test_the_day_is_told_where_it_is_another() -> None:
    assert change_phrases.when(change(None, Status.RED, at="2026-03-13T23:59:00Z"), report()) == "2026-03-13 23:59"
    assert (
        change_phrases.when(change(None, Status.RED, at="\x1b[31mred"), report()) == "\N{REPLACEMENT CHARACTER}[31mred"
    )


def test_only_causes_that_were_seen_to_change_make_the_line_of_the_incident() -> None:
    opened = change(Status.GREEN, Status.RED)
    others = [change(None, Status.RED), change(Status.GREEN, Status.RED, "check"), change(None, Status.RED, "report")]
    assert change_phrases.of_causes(report(*others, opened)) == [opened]
