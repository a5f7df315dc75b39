"""Phrases about what changed within the last day: when, what, from which status to which."""

from collections.abc import Sequence

from blueplane_doctor.model import Report, Status, StatusChange
from blueplane_doctor.reports.phrases import line
from blueplane_doctor.text.times import parse_time

_CAUSE = "cause"
_REPORT = "report"


def what(change: StatusChange) -> str:
    """`A message that cannot be written holds up its batch`, `check queue-depth` or `the pipeline`."""
    if change.kind == _REPORT:
        return "the pipeline"
    if change.kind == _CAUSE:
        return line(change.title or change.id)
    return f"check {line(change.id)}"


def how(change: StatusChange) -> str:
    """`green → red`; of a cause `opened, red` or `over`; `red when recording began`."""
    if change.before is None:
        return f"{change.after.words} when recording began"
    if change.kind == _CAUSE and change.before is Status.GREEN:
        return f"opened, {change.after.words}"
    if change.kind == _CAUSE and change.after is Status.GREEN:
        return "over"
    return f"{change.before.words} → {change.after.words}"


def when(change: StatusChange, report: Report) -> str:
    """`22:10`, with the day where the report has another one; in UTC."""
    moment = parse_time(change.at)
    if moment is None:
        return line(change.at)
    taken = parse_time(report.generated_at)
    if taken is None or moment.date() != taken.date():
        return f"{moment:%Y-%m-%d %H:%M}"
    return f"{moment:%H:%M}"


def of_causes(report: Report) -> list[StatusChange]:
    """The changes of causes that were seen, oldest first: the line of an incident in a few words."""
    told = []
    for change in report.changes:
        if change.kind == _CAUSE and change.before is not None:
            told.append(change)
    return told


def sentence(changes: Sequence[StatusChange], report: Report) -> str:
    """`22:08 A producer sends payloads that are a list: opened, red; 22:10 …`."""
    parts = []
    for change in changes:
        parts.append(f"{when(change, report)} {what(change)}: {how(change)}")
    return "; ".join(parts)
