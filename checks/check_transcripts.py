"""Capture truth: did every line of Claude's transcripts reach the pipeline."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many, not_graded, not_set_up, trace_commands
from blueplane_doctor.text.times import parse_time

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.transcripts import ProjectTranscripts, TranscriptHealth

_NOT_KNOWN = "Whether every line of Claude's transcripts was captured is not known"
_NOT_READ_ANY_MORE = ("folder_not_found", "not_started")
_MOST_NAMED = 3
"""Projects that are named in the sentence."""
_INSTALL = Remedy(text="If Claude Code is to be captured, install its hooks, and begin a new session afterwards.")


# The same steps as chain-breaks: a line that never reached the stream is as lost to the database as a broken one.
@check(area="capture", scale=Scale.rising(orange=1, red=10, unit="lines"))
def check_transcript_completeness(transcripts: "TranscriptHealth", locations: "Locations", scale: Scale) -> Finding:
    """Lines of Claude's transcripts that are nowhere in the pipeline.

    Every line with a uuid of every transcript touched in the last 24 h (see --since) is looked up: in the database, in
    the stream, among the dead letters. A line younger than 60 s is not judged: the server looks every 30 s. Nor are
    lines that it never reads by design: files of agents that no result names, and those in a folder of their session.
    Without transcripts in that time there is nothing to compare.

    Causes:
    - the server cannot find the project's folder: it replaces only slashes, Claude Code every other sign too
    - no start of the session reached the server: Claude's hooks are gone, switched off or cannot reach it
    - the session ended, or its 24 h were over, before the server looked at the transcript again
    - a line that is no UTF-8 text, nested thousands deep or with a number of thousands of digits stops the server
    - the server does not run, or writes into another database
    """
    evidence = transcripts.model_dump()
    if transcripts.cause:
        return unknown(_NOT_KNOWN, transcripts.cause, evidence=evidence)
    if not transcripts.lines:
        summary = f"No transcript of Claude was touched in the last {transcripts.since}: nothing to compare"
        if transcripts.files:
            summary = f"No line with a uuid in Claude's transcripts of the last {transcripts.since}: nothing to compare"
        return not_graded(0, summary, unit=scale.unit, evidence=evidence)
    if not transcripts.is_set_up:
        lines = many(transcripts.lines, "line", "lines")
        cause = f"{lines} in Claude's transcripts, and no row, session or hook of Claude here"
        return not_set_up("Claude Code is not captured", cause, remedy=_INSTALL, evidence=evidence)
    if not transcripts.missing:
        cause = _not_read(transcripts)
        if cause:
            return unknown(_sentence(transcripts), cause, evidence=evidence)
    return scale.grade(
        transcripts.missing, _sentence(transcripts), remedy=_remedy(transcripts, locations), evidence=evidence
    )


def _not_read(transcripts: "TranscriptHealth") -> str:
    """Why there may be more lines than were compared; empty where all were."""
    if transcripts.unreadable_files:
        files = many(transcripts.unreadable_files, "transcript or folder", "transcripts or folders")
        return f"{files} could not be read"
    if transcripts.has_more_files:
        return f"there are more transcripts than one run reads: only the newest {transcripts.files:,} were compared"
    if transcripts.partial:
        return "the time was up before all transcripts were read; the next run reads on"
    return ""


def _sentence(transcripts: "TranscriptHealth") -> str:
    lines = many(transcripts.lines, "line", "lines")
    summary = f"Claude: {transcripts.written:,} of {lines} of the last {transcripts.since} are written"
    if transcripts.partial or transcripts.has_more_files:
        summary += "; not all were read"
    young = transcripts.states.get("too_young", 0)
    if young:
        summary += f"; {young:,} not judged yet"
    if not transcripts.missing:
        return summary
    summary += f"; {many(transcripts.missing, 'line is', 'lines are')} missing, {_where(transcripts)}"
    if transcripts.deleted_at:
        summary += f". Claude Code keeps them on disk until {_day(transcripts.deleted_at)}"
    return summary


def _where(transcripts: "TranscriptHealth") -> str:
    places = []
    for project in transcripts.projects:
        if project.missing:
            places.append(_place(project))
    if len(places) == 1 and transcripts.missing > 1:
        return f"all in {places[0]}"
    if len(places) > _MOST_NAMED:
        places[_MOST_NAMED:] = [f"{len(places) - _MOST_NAMED} more projects"]
    return f"in {' and '.join(places)}"


def _place(project: "ProjectTranscripts") -> str:
    place = f"project {project.number}"
    if project.unfindable_reason:
        place += f", whose folder the server cannot find (its path holds {project.unfindable_reason})"
    return place


def _day(text: str) -> str:
    """`20 Dec`."""
    day = parse_time(text)
    if day is None:
        return text
    return f"{day.day} {day:%b}"


def _remedy(transcripts: "TranscriptHealth", locations: "Locations") -> Remedy:
    text = "Nothing is lost yet: the transcripts still hold these lines. "
    if "folder_not_found" in transcripts.missing_by_reason:
        text += "Sessions of a folder whose path has letters, digits, dashes and slashes alone are found by the server."
    elif "not_started" in transcripts.missing_by_reason:
        text += "See whether Claude's hooks are installed and reach the server, and begin a new session afterwards."
    else:
        text += "See whether the server runs, and what its log says of its transcript monitor."
    commands = [*trace_commands(locations.doctor, transcripts.missing_ids), f"{locations.doctor} --reveal"]
    return Remedy(text=text, commands=commands)
