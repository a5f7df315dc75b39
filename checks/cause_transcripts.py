"""Causes of lines that are in Claude's transcripts and not in the pipeline: one for each reason."""

from typing import TYPE_CHECKING

from blueplane_doctor import Cause, Findings, Remedy, Stake, cause
from blueplane_doctor.checkapi import many

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.transcripts import TranscriptHealth

_COMPLETENESS = "transcript-completeness"
_FOLLOWS = ("server-down", "server-hangs", "redis-unreachable", "redis-refuses-writes", "another-redis")


@cause(repair="transcripts", stage="capture", shown_by=[_COMPLETENESS])
def cause_capture_folder_not_found(
    transcripts: "TranscriptHealth", findings: Findings, locations: "Locations"
) -> Cause | None:
    """The server cannot find the folder of a project's transcripts."""
    lines = _missing(transcripts, findings, "folder_not_found")
    if not lines:
        return None
    numbers = []
    reasons: list[str] = []
    for project in transcripts.projects:
        if project.unfindable_reason:
            numbers.append(str(project.number))
            reasons.append(project.unfindable_reason)
    where = f"project {numbers[0]}, whose path holds"
    if len(numbers) > 1:
        where = f"projects {', '.join(numbers)}, whose paths hold"
    signs = " or ".join(dict.fromkeys(reasons))
    return _cause(
        transcripts,
        lines,
        f"The server cannot find the transcripts of {where} {signs}: it replaces only slashes, Claude Code every sign.",
        Remedy(
            text="Work in a folder whose path holds only letters, digits and dashes between its slashes; a link to the "
            "old folder is not enough. The transcripts still hold the missing lines.",
            commands=[f"{locations.doctor} --reveal"],
        ),
    )


@cause(repair="transcripts", stage="capture", shown_by=[_COMPLETENESS], follows=_FOLLOWS)
def cause_capture_session_not_started(
    transcripts: "TranscriptHealth", findings: Findings, locations: "Locations"
) -> Cause | None:
    """The server was not told of a session's start, and never reads its transcript."""
    lines = _missing(transcripts, findings, "not_started")
    if not lines:
        return None
    are = many(lines, "line is", "lines are")
    return _cause(
        transcripts,
        lines,
        f"No start of the session reached the server, so that it never reads the transcript: {are} missing.",
        Remedy(
            text="See whether Claude's hooks are installed, switched on and reach the server, and begin a new session.",
            commands=["grep -A 8 SessionStart ~/.claude/settings.json", f"{locations.doctor} --select capture"],
        ),
    )


@cause(repair="transcripts", stage="capture", shown_by=[_COMPLETENESS], follows=_FOLLOWS)
def cause_capture_lines_passed_over(
    transcripts: "TranscriptHealth", findings: Findings, locations: "Locations"
) -> Cause | None:
    """The server reads a transcript and did not capture all of its lines."""
    ended = _missing(transcripts, findings, "ended")
    stopped = _missing(transcripts, findings, "stopped")
    others = _missing(transcripts, findings, "other")
    lines = ended + stopped + others
    if not lines:
        return None
    are = many(lines, "line", "lines")
    summary = f"The server did not capture {are} of a transcript that it should read."
    if stopped:
        summary = f"The server stops reading a transcript at a line that it cannot read: {are} behind it."
    if ended:
        summary = f"The session ended, or its 24 h were over, before the server looked at its transcript again: {are}."
    return _cause(
        transcripts,
        lines,
        summary,
        Remedy(
            text="See what the server's log says of its transcript monitor at that time. A session that is begun anew "
            "is read again. The transcripts still hold the missing lines.",
            commands=[f"grep jsonl_monitor {locations.log} | tail -n 50"],
        ),
        confirm="" if not others else "what the server's log says of the time of these lines",
    )


def _missing(transcripts: "TranscriptHealth", findings: Findings, reason: str) -> int:
    """Lines that are missing for this reason; 0 where the check found nothing."""
    if findings.fault(_COMPLETENESS) is None:
        return 0
    return transcripts.missing_by_reason.get(reason, 0)


def _cause(transcripts: "TranscriptHealth", lines: int, summary: str, next_step: Remedy, confirm: str = "") -> Cause:
    return Cause(
        summary=summary,
        since=transcripts.first_missing_timestamp,
        since_by="the first missing line",
        certain=not confirm,
        confirm=confirm,
        at_stake=Stake(recoverable=lines),
        next_step=next_step,
    )
