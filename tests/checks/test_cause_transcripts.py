"""Why lines of transcripts are missing."""

from typing import Any

import pytest

from blueplane_doctor.monitoring.transcripts import ProjectTranscripts
from tests.checks.builders import NOW, causes_of, server, transcripts


def found(reasons: dict[str, int], **changes: Any) -> list[tuple[str, str, bool]]:
    record = transcripts(sum(reasons.values()), missing_by_reason=reasons, first_missing_timestamp=NOW, **changes)
    return [(one.id, one.summary, one.certain) for one in causes_of(transcripts=record)]


def project(number: int, unfindable: str) -> ProjectTranscripts:
    return ProjectTranscripts(number=number, lines=100, written=0, missing=100, unfindable_reason=unfindable)


def test_a_folder_that_the_server_cannot_find() -> None:
    ((name, summary, certain),) = found({"folder_not_found": 192}, projects=[project(3, "a dot")])
    assert name == "capture-folder-not-found" and certain
    assert summary.startswith("The server cannot find the transcripts of project 3, whose path holds a dot: ")
    both = [project(3, "a dot"), project(4, "an underscore")]
    ((_, summary, _),) = found({"folder_not_found": 2}, projects=both)
    assert "projects 3, 4, whose paths hold a dot or an underscore" in summary


def test_a_session_of_which_the_server_was_not_told() -> None:
    ((name, summary, certain),) = found({"not_started": 12})
    assert name == "capture-session-not-started" and certain
    assert "12 lines are missing" in summary


@pytest.mark.parametrize(("reason", "is_certain"), [("ended", True), ("stopped", True), ("other", False)])
def test_a_transcript_that_the_server_reads(reason: str, is_certain: bool) -> None:
    ((name, summary, certain),) = found({reason: 12})
    assert name == "capture-lines-passed-over" and certain is is_certain
    assert "12 lines" in summary


def test_each_reason_is_a_cause_of_its_own() -> None:
    names = [name for name, _, _ in found({"folder_not_found": 2, "not_started": 1}, projects=[project(3, "a dot")])]
    assert names == ["capture-folder-not-found", "capture-session-not-started"]


def test_with_the_server_down_that_is_the_cause() -> None:
    down = server(pid_state="not running", http_ok=False, http_answer="nobody listens on port 8787")
    names = [one.id for one in causes_of(transcripts=transcripts(12, missing_by_reason={"other": 12}), server=down)]
    assert names == ["server-down"]
