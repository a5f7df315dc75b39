"""Were all lines of Claude's transcripts captured."""

from typing import Any

import pytest

from blueplane_doctor.model import Status
from blueplane_doctor.monitoring.transcripts import ProjectTranscripts, TranscriptHealth
from tests.checks.builders import run, transcripts

CHECK = "transcript-completeness"


@pytest.mark.parametrize(
    ("missing", "status"),
    [(0, Status.GREEN), (1, Status.ORANGE), (9, Status.ORANGE), (10, Status.RED), (192, Status.RED)],
)
def test_missing_lines_are_graded(missing: int, status: Status) -> None:
    assert run(CHECK, transcripts=transcripts(missing)).status is status


def project(number: int, missing: int, unfindable: str = "") -> ProjectTranscripts:
    return ProjectTranscripts(
        number=number, lines=300, written=300 - missing, missing=missing, unfindable_reason=unfindable
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Claude: 502 of 504 lines of the last 24h are written; 2 lines are missing, all in project 2"),
        (
            {"projects": [project(3, 2, "a dot")], "deleted_at": "2026-12-20"},
            "Claude: 502 of 504 lines of the last 24h are written; 2 lines are missing, all in project 3, whose folder "
            "the server cannot find (its path holds a dot). Claude Code keeps them on disk until 20 Dec",
        ),
        (
            {"projects": [project(number, 1) for number in range(1, 6)]},
            "Claude: 502 of 504 lines of the last 24h are written; 2 lines are missing, in project 1 and project 2 and "
            "project 3 and 2 more projects",
        ),
        (
            {"partial": True},
            "Claude: 502 of 504 lines of the last 24h are written; not all were read; 2 lines are missing, all in "
            "project 2",
        ),
    ],
)
def test_the_sentence_says_how_many_where_and_until_when(changes: dict[str, Any], expected: str) -> None:
    assert run(CHECK, transcripts=transcripts(2, **{"written": 502, **changes})).summary == expected


def test_lines_too_young_to_judge_are_said_beside_those_written() -> None:
    finding = run(CHECK, transcripts=transcripts(0, written=490, states={"written": 490, "too_young": 14}))
    assert finding.summary == "Claude: 490 of 504 lines of the last 24h are written; 14 not judged yet"


def test_without_transcripts_there_is_nothing_to_compare() -> None:
    finding = run(CHECK, transcripts=TranscriptHealth(since="24h"))
    assert finding.status is Status.GREEN
    assert finding.summary == "No transcript of Claude was touched in the last 24h: nothing to compare"
    finding = run(CHECK, transcripts=TranscriptHealth(since="24h", files=1))
    assert finding.summary == "No line with a uuid in Claude's transcripts of the last 24h: nothing to compare"


def test_a_pipeline_without_claude_is_not_set_up() -> None:
    finding = run(CHECK, transcripts=transcripts(300, is_set_up=False))
    assert finding.status is Status.NOT_SET_UP
    assert finding.summary == "Claude Code is not captured"


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"cause": "no answer"}, "no answer"),
        ({"unreadable_files": 1}, "1 transcript or folder could not be read"),
        ({"unreadable_files": 2}, "2 transcripts or folders could not be read"),
        ({"partial": True}, "the time was up before all transcripts were read; the next run reads on"),
    ],
)
def test_what_could_not_be_looked_at_is_unknown(changes: dict[str, Any], cause: str) -> None:
    finding = run(CHECK, transcripts=transcripts(**changes))
    assert (finding.status, finding.cause) == (Status.UNKNOWN, cause)


def test_what_is_missing_is_told_all_the_same() -> None:
    assert run(CHECK, transcripts=transcripts(2, partial=True, unreadable_files=1)).status is Status.ORANGE


@pytest.mark.parametrize(
    ("reason", "said"), [("folder_not_found", "path"), ("not_started", "hooks"), ("other", "server runs")]
)
def test_the_remedy_goes_by_the_reason(reason: str, said: str) -> None:
    remedy = run(CHECK, transcripts=transcripts(2, missing_by_reason={reason: 2})).remedy
    assert remedy and said in remedy.text
