"""Causes of lines that are in Claude's transcripts and not in the pipeline."""

from typing import TYPE_CHECKING

from blueplane_doctor import Cause, Findings, Stake, cause
from blueplane_doctor.checkapi import many, sentence

if TYPE_CHECKING:
    from blueplane_doctor.model import Finding
    from blueplane_doctor.monitoring.transcripts import TranscriptHealth

COMPLETENESS = "transcript-completeness"
FOLLOWS = ("server-down", "server-hangs", "redis-unreachable", "redis-refuses-writes", "another-redis")


@cause(stage="capture", shown_by=[COMPLETENESS])
def cause_capture_folder_not_found(transcripts: "TranscriptHealth", findings: Findings) -> Cause | None:
    """The server cannot find the folder of a project's transcripts."""
    finding = _finding_of("folder_not_found", transcripts, findings)
    if finding is None:
        return None
    projects = [project for project in transcripts.projects if project.unfindable]
    numbers = ", ".join(str(project.number) for project in projects)
    words = f"projects {numbers}, whose paths hold" if len(projects) > 1 else f"project {numbers}, whose path holds"
    signs = " or ".join(dict.fromkeys(project.unfindable for project in projects))
    return _cause(
        finding,
        transcripts,
        f"The server cannot find the transcripts of {words} {signs}: it replaces only slashes, Claude Code every sign.",
        certain=True,
    )


@cause(stage="capture", shown_by=[COMPLETENESS], follows=FOLLOWS)
def cause_capture_session_not_started(transcripts: "TranscriptHealth", findings: Findings) -> Cause | None:
    """The server was not told of a session's start, and never reads its transcript."""
    finding = _finding_of("not_started", transcripts, findings)
    if finding is None:
        return None
    lines = many(transcripts.reasons["not_started"], "line is", "lines are")
    return _cause(
        finding,
        transcripts,
        f"No start of the session reached the server, so that it never reads the transcript: {lines} missing.",
        certain=True,
    )


@cause(stage="capture", shown_by=[COMPLETENESS], follows=FOLLOWS)
def cause_capture_lines_passed_over(transcripts: "TranscriptHealth", findings: Findings) -> Cause | None:
    """The server reads a transcript and did not capture all of its lines."""
    finding = _finding_of("ended", transcripts, findings) or _finding_of("other", transcripts, findings)
    if finding is None:
        return None
    return _cause(
        finding,
        transcripts,
        "The server knows the session and did not capture all lines of its transcript: "
        "it had ended, or its 24 h were over, before the server looked again, or the server did not run.",
        certain=False,
    )


def _finding_of(reason: str, transcripts: "TranscriptHealth", findings: Findings) -> "Finding | None":
    """What was found, where most of the missing lines are missing for this reason; the first of equals counts."""
    if not transcripts.reasons or max(transcripts.reasons, key=transcripts.reasons.__getitem__) != reason:
        return None
    return findings.fault(COMPLETENESS)


def _cause(finding: "Finding", transcripts: "TranscriptHealth", summary: str, *, certain: bool) -> Cause:
    confirm = "" if certain else "what the server's log says of the time of these lines"
    return Cause(
        summary=sentence(summary),
        since=transcripts.first_missing_timestamp,
        since_by="the first missing line" if transcripts.first_missing_timestamp else "",
        certain=certain,
        confirm=confirm,
        at_stake=Stake(recoverable=transcripts.missing),
        next_step=finding.remedy,
    )
