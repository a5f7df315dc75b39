"""What one sample says of the pipeline, as far as people are told of it."""

from dataclasses import dataclass

from blueplane_doctor.model import Cause, Finding, Report, Status, counted
from blueplane_doctor.notifying.inert_text import inert
from blueplane_doctor.verdict import unjudged

LOSSES = ("lost-before-delivery", "loss-between-samples", "chain-breaks")
"""Checks that are yellow or worse only where messages were lost: these are told at once."""
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
    """All findings."""
    waived: frozenset[str]
    unjudged: tuple[str, ...] = ()
    """Vital findings that came to no colour."""
    losses: int | None = None
    """Messages that the chain of custody counts as lost; None where it was not judged."""


def observed(report: Report, moment: float) -> Observation:
    """What the report says; `moment`: seconds since 1970."""
    problems: dict[str, Problem] = {}
    by_id = {finding.id: finding for finding in counted(report.findings)}
    for cause in report.causes:
        signs = [by_id[name] for name in cause.explains if name in by_id]
        _add(problems, _of_cause(cause, signs))
    for finding in by_id.values():
        if finding.status.severity > 0 and not finding.cause:
            _add(problems, _of_finding(finding))
    return Observation(
        time=moment,
        status=report.status,
        problems=problems,
        judged=frozenset(name for name, finding in by_id.items() if finding.status.severity >= 0),
        present=frozenset(by_id),
        waived=frozenset(finding.id for finding in report.findings if finding.waiver is not None),
        unjudged=tuple(finding.id for finding in unjudged(report.findings)),
        losses=_losses(report),
    )


def _add(problems: dict[str, Problem], problem: Problem) -> None:
    """Of a cause that is there several times, the first is the worst: reports list them in that order."""
    if problem.status.severity > 0:
        problems.setdefault(problem.id, problem)


def _of_cause(cause: Cause, signs: list[Finding]) -> Problem:
    bad = [sign.id for sign in signs if sign.status.severity > 0]
    shown_loss = any(name in LOSSES for name in bad)
    next_step = ""
    if cause.next_step:
        next_step = cause.next_step.text
        if cause.next_step.commands:
            next_step = cause.next_step.commands[0]
    return Problem(
        id=cause.id,
        status=cause.status,
        is_loss=shown_loss or bool(cause.at_stake.lost),
        sentence=inert(cause.summary),
        next_step=inert(next_step),
        signs=tuple(bad),
    )


def _of_finding(finding: Finding) -> Problem:
    next_step = ""
    if finding.remedy:
        next_step = finding.remedy.text
        if finding.remedy.commands:
            next_step = finding.remedy.commands[0]
    return Problem(
        id=finding.id,
        status=finding.status,
        is_loss=finding.id in LOSSES,
        sentence=inert(finding.summary),
        next_step=inert(next_step),
        signs=(finding.id,),
    )


def _losses(report: Report) -> int | None:
    chain = report.metrics.get("chain")
    if chain is None:
        return None
    count = chain.get("chain_break_count")
    return count if isinstance(count, int) else None
