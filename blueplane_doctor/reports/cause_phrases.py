"""Phrases about causes that formats share: since when, what follows from it, what to do next."""

from collections.abc import Iterable, Sequence

from blueplane_doctor.model import Cause, Finding, Report, Status
from blueplane_doctor.reports.phrases import WHOLE_TEXT, began, line, since, verdict
from blueplane_doctor.text.quantities import many, number

_NAMED = 6
"""Findings of one cause that are named; the others are counted."""
_NOT_JUDGED = (Status.UNKNOWN, Status.SKIPPED, Status.ERROR)


def verdict_in_a_line(report: Report) -> str:
    """`RED since 22:10 UTC (6 min): The server does not run; 1 more cause`; without a cause, the usual verdict."""
    if not report.causes:
        return verdict(report)
    words = f"{report.status.value.upper()} {began(report)}".rstrip()
    words += f": {line(report.causes[0].title)}"
    others = len(report.causes) - 1
    if others:
        words += f"; {many(others, 'more cause', 'more causes')}"
    return words


def standing_of(cause: Cause, report: Report) -> str:
    """`red, since 22:10 UTC (6 min)`; a cause that is only likely says so."""
    parts = [cause.status.words]
    if not cause.certain:
        parts.append("likely")
    start = since(cause.since, cause.since_bound, report)
    if start:
        parts.append(start)
    return ", ".join(parts)


def follows(cause: Cause, findings: Iterable[Finding]) -> str:
    """`stuck-consumers, consumer-lag and 24 that could not be judged`: the findings that follow from a cause."""
    by_id = {finding.id: finding for finding in findings}
    judged = []
    for name in cause.explains:
        finding = by_id.get(name)
        if finding is None:
            judged.append(line(name))
        elif finding.status not in _NOT_JUDGED:
            change = ""
            if finding.change:
                change = f" ({finding.change.value})"
            judged.append(f"{line(name)}{change}")
    words = ", ".join(judged[:_NAMED])
    more = len(judged) - _NAMED
    if more > 0:
        words += f" and {more} more"
    unjudged = len(cause.explains) - len(judged)
    if unjudged:
        words += f" and {unjudged} that could not be judged"
    return words.removeprefix(" and ")


def next_step(cause: Cause) -> tuple[str, str]:
    """What to do next, in words, and the command for it; each may be empty."""
    if cause.next_step is None:
        return "", ""
    text = line(cause.next_step.text, WHOLE_TEXT)
    if not cause.next_step.commands:
        return text, ""
    return text, cause.next_step.commands[0]


def stake(cause: Cause) -> str:
    """`96 messages at risk, 12 lost (12 of them can still be saved)`; empty where no message is concerned."""
    parts = []
    if cause.at_stake.at_risk:
        parts.append(f"{many(cause.at_stake.at_risk, 'message', 'messages')} at risk")
    if cause.at_stake.lost:
        lost = f"{many(cause.at_stake.lost, 'message', 'messages')} lost"
        if cause.at_stake.recoverable is not None:
            lost += f" ({number(cause.at_stake.recoverable)} of them can still be saved)"
        parts.append(lost)
    if cause.at_stake.dead_lettered:
        parts.append(f"{many(cause.at_stake.dead_lettered, 'message', 'messages')} among the dead letters")
    return ", ".join(parts)


def summary(cause: Cause) -> str:
    """What is wrong, and what would make a likely cause certain."""
    text = line(cause.summary, WHOLE_TEXT)
    if not cause.certain and cause.confirm:
        text += f" This is likely. What would make it certain: {line(cause.confirm)}."
    return text


def told(cause: Cause, report: Report) -> list[str]:
    """All that is said of a cause, as plain lines."""
    lines = [f"{line(cause.title)} ({standing_of(cause, report)})", f"  {summary(cause)}"]
    text, command = next_step(cause)
    if text:
        lines.append(f"  Next: {text}")
    if command:
        lines.append(f"    $ {line(command, 4_000)}")
    what = follows(cause, report.findings)
    if what:
        lines.append(f"  explains: {what}")
    return lines


def on_their_own(report: Report) -> list[Finding]:
    """The findings that no cause explains, in their order."""
    explained = explained_ids(report.causes)
    return [finding for finding in report.findings if finding.id not in explained]


def explained_ids(causes: Sequence[Cause]) -> set[str]:
    """The ids of all findings that causes explain."""
    ids: set[str] = set()
    for cause in causes:
        ids.update(cause.explains)
    return ids
