"""What one sample says of the pipeline, as far as people are told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from blueplane_doctor.findings import counted
from blueplane_doctor.model import Cause, Finding, Remedy, Report, Status
from blueplane_doctor.notifying.inert_text import inert
from blueplane_doctor.verdict import unjudged

_LOSSES = ("lost-before-delivery", "loss-between-samples", "chain-breaks")
"""Checks that are yellow or worse only where messages were lost: these are told at once."""
_DOCTOR = "blueplane-doctor "
DELIVERY_CHECK = "notify-delivery"
"""The check of the messages themselves."""


@dataclass(frozen=True)
class Problem:
    """A cause, or a finding that no cause explains."""

    id: str
    status: Status
    is_loss: bool
    sentence: str
    next_step: str
    """A command, or a sentence; empty where there is none."""
    signs: tuple[str, ...]
    """The findings of yellow or worse that show it: what only could not be judged may be anything."""
    title: str = ""
    """Of the cause; empty for a finding, whose sentence says all."""
    others: int = 0
    """Causes of the same id beside it."""


@dataclass(frozen=True)
class Observation:
    """One sample."""

    time: float
    """Seconds since 1970."""
    status: Status
    """Of the whole report."""
    problems: dict[str, Problem]
    """Yellow or worse, by id."""
    judged: frozenset[str]
    """Findings that came to a colour."""
    present: frozenset[str]
    """All findings but those that are waived."""
    waived: frozenset[str]
    unjudged: tuple[str, ...] = ()
    """Vital findings that came to no colour."""
    losses: int | None = None
    """Messages that the chain of custody counts as lost; None where it was not judged."""


def observed(report: Report, moment: float) -> Observation:
    """What the report says; `moment`: seconds since 1970."""
    problems: dict[str, Problem] = {}
    judged = set()
    waived = set()
    bad: dict[str, Finding] = {}
    for finding in report.findings:
        severity = finding.status.severity
        if finding.waiver is not None:
            waived.add(finding.id)
            continue
        if severity >= 0:
            judged.add(finding.id)
        if severity > 0:
            bad[finding.id] = finding
    for cause in report.causes:
        problem = _of_cause(cause, bad)
        # Reports list the worst first: of a cause that is there several times, that one is told.
        if cause.id in problems:
            problem = _with_another(problems[cause.id], problem)
        problems[cause.id] = problem
    for finding in bad.values():
        if not finding.cause:
            problems.setdefault(finding.id, _of_finding(finding))
    present = []
    for finding in counted(report.findings):
        present.append(finding.id)
    left_unjudged = []
    for finding in unjudged(report.findings):
        left_unjudged.append(finding.id)
    return Observation(
        time=moment,
        status=report.status,
        problems=problems,
        judged=frozenset(judged),
        present=frozenset(present),
        waived=frozenset(waived),
        unjudged=tuple(left_unjudged),
        losses=_losses(report),
    )


def _of_cause(cause: Cause, bad: Mapping[str, Finding]) -> Problem:
    signs = tuple(name for name in cause.explains if name in bad)
    # A dead letter is kept, and can be delivered again: that need not wake anybody.
    lost_for_good = (cause.at_stake.lost or 0) - (cause.at_stake.recoverable or 0)
    return Problem(
        id=cause.id,
        status=cause.status,
        is_loss=lost_for_good > 0 or any(name in _LOSSES for name in signs),
        sentence=inert(cause.summary),
        next_step=_first_step(cause.next_step),
        signs=signs,
        title=inert(cause.title),
    )


def _with_another(worst: Problem, other: Problem) -> Problem:
    """The problem, of which there is one more: in another group, or with another error."""
    return replace(
        worst,
        is_loss=worst.is_loss or other.is_loss,
        signs=tuple(dict.fromkeys([*worst.signs, *other.signs])),
        others=worst.others + 1,
    )


def _of_finding(finding: Finding) -> Problem:
    return Problem(
        id=finding.id,
        status=finding.status,
        is_loss=finding.id in _LOSSES,
        sentence=inert(finding.summary),
        next_step=_first_step(finding.remedy),
        signs=(finding.id,),
    )


def _first_step(remedy: Remedy | None) -> str:
    """Its first command where the doctor itself goes on, else the first sentence of its text."""
    if remedy is None:
        return ""
    command = remedy.commands[0] if remedy.commands else ""
    if command.startswith(_DOCTOR) or not remedy.text:
        return inert(command)
    sentence, _, _ = remedy.text.partition(". ")
    return inert(sentence)


def _losses(report: Report) -> int | None:
    chain = report.metrics.get("chain")
    if chain is None:
        return None
    count = chain.get("chain_break_count")
    if not isinstance(count, int):
        return None
    return count
