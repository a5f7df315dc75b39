"""Cursor's completeness: the edges of its scale, what it says, and what cannot be judged."""

import pytest

from blueplane_doctor.model import Status
from blueplane_doctor.monitoring.cursor_completeness import CursorCompleteness, WorkspaceItems
from tests.checks.builders import cases, cursor, run


@pytest.mark.parametrize(
    ("sentence", "missing", "status"),
    cases(
        [
            ("none", "all is captured", 0, "green"),
            ("orange-edge", "one that was never captured is a loss", 1, "orange"),
            ("last-orange", "nine are still orange", 9, "orange"),
            ("red-edge", "ten are red", 10, "red"),
        ]
    ),
)
def test_cursor_completeness(sentence: str, missing: int, status: str) -> None:
    finding = run("cursor-completeness", cursor=cursor(states={"missing": missing}))
    assert finding.status == status, sentence


@pytest.mark.parametrize(
    ("sentence", "outdated", "status"),
    cases(
        [
            ("none", "every last change is captured", 0, "green"),
            ("yellow-edge", "one change that is not captured is worth a look", 1, "yellow"),
            ("many", "an earlier state of each is there: never worse than yellow", 1_000, "yellow"),
        ]
    ),
)
def test_cursor_last_changes(sentence: str, outdated: int, status: str) -> None:
    assert run("cursor-last-changes", cursor=cursor(states={"outdated": outdated})).status == status, sentence


def test_without_capture_no_last_change_is_judged() -> None:
    assert run("cursor-last-changes", cursor=CursorCompleteness(is_set_up=False)).observed is None


def place(workspace: int, missing: int, *, announced: bool | None = True, watched: bool = True) -> WorkspaceItems:
    return WorkspaceItems(workspace=workspace, changed=20, missing=missing, announced=announced, watched=watched)


@pytest.mark.parametrize(
    ("record", "summary"),
    [
        (
            cursor(),
            "Cursor: 212 of 212 changes of the last 24h are written; 9 more are of kinds that the server never sends",
        ),
        (
            cursor(states={"never_captured": 0, "missing": 18}, workspaces=[place(1, 0), place(3, 18)]),
            "Cursor: 212 of 230 changes of the last 24h are written; 18 are missing, all of workspace 3",
        ),
        (
            cursor(states={"never_captured": 0, "missing": 1, "outdated": 2}, workspaces=[place(0, 1)]),
            "Cursor: 212 of 215 changes of the last 24h are written; 1 is missing, all of the global database; "
            "of 2 only an earlier state is written",
        ),
        (
            cursor(states={"never_captured": 0, "missing": 2}, workspaces=[place(1, 1), place(3, 1)]),
            "Cursor: 212 of 214 changes of the last 24h are written; 2 are missing",
        ),
        (
            cursor(states={"never_captured": 0, "written": 0}),
            "Nothing of the last 24h in Cursor's databases has to be captured",
        ),
    ],
)
def test_what_it_says(record: CursorCompleteness, summary: str) -> None:
    assert run("cursor-completeness", cursor=record).summary == summary


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([place(1, 5, announced=False)], "The extension did not tell the server"),
        ([place(1, 5, watched=False)], "The server took another database"),
        ([place(1, 5)], "See what the Cursor monitor said"),
        ([place(1, 5, announced=False), place(2, 1)], "See what the Cursor monitor said"),
    ],
)
def test_what_to_do_follows_from_the_reason(places: list[WorkspaceItems], words: str) -> None:
    finding = run("cursor-completeness", cursor=cursor(states={"missing": 5}, workspaces=places))
    assert finding.remedy is not None
    assert words in finding.remedy.text


def test_without_cursor_nothing_is_judged() -> None:
    finding = run("cursor-completeness", cursor=CursorCompleteness(is_there=False, is_set_up=False))
    assert (finding.status, finding.observed) == (Status.GREEN, None)
    assert finding.summary == "Cursor has no database here: nothing to compare"


def test_where_cursor_was_never_captured_it_is_not_set_up() -> None:
    assert run("cursor-completeness", cursor=CursorCompleteness(is_set_up=False)).status is Status.NOT_SET_UP


@pytest.mark.parametrize(
    "record",
    [
        cursor(missing_items=None, cause="Redis at localhost:6379 cannot be reached: refused"),
        cursor(unread=1, cause="Cursor's global database is damaged"),
        cursor(partial=True),
    ],
)
def test_what_was_not_read_is_unknown_and_never_green(record: CursorCompleteness) -> None:
    if not record.partial:
        assert run("cursor-last-changes", cursor=record).status is Status.UNKNOWN
    assert run("cursor-completeness", cursor=record).status is Status.UNKNOWN


def test_what_is_missing_is_told_though_not_all_was_read() -> None:
    record = cursor(states={"missing": 12}, unread=1, cause="damaged", partial=True)
    assert run("cursor-completeness", cursor=record).status is Status.RED
