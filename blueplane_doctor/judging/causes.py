"""Which causes explain the findings: each finding that is not green stands under one cause, or for itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from blueplane_doctor.causeapi import EVERYTHING, STAGES, Beginning, CauseSpec, Findings
from blueplane_doctor.findings import worst
from blueplane_doctor.model import Cause, Finding, Status
from blueplane_doctor.plugins.mistakes import mistake_at_run
from blueplane_doctor.text.times import parse_time

_CLOCKS_APART = timedelta(minutes=1)
"""A time may be this much later than that of Redis: the clocks of two computers differ."""


class Explanation(NamedTuple):
    """The findings, each with the id of its cause, and the causes, worst first."""

    findings: list[Finding]
    causes: list[Cause]

    @property
    def beginning(self) -> Beginning:
        """Since when the worst of the causes are there: the earliest time at which one of them certainly was."""
        if not self.causes:
            return Beginning()
        gravest = self.causes[0].status
        first = Beginning()
        earliest = Beginning()
        """Of those of which only a bound is known: they may have begun at any time since then."""
        for one in self.causes:
            if one.status is not gravest or not one.since:
                continue
            told = Beginning(one.since, "", one.since_bound)
            if told.since_bound == "at the earliest":
                earliest = min(earliest, told, key=_moment)
            else:
                first = min(first, told, key=_moment)
        if first.since is None:
            return earliest
        if earliest.since is not None and _moment(earliest) < _moment(first):
            return first._replace(since_bound="at the latest")
        return first


@dataclass(eq=False, repr=False)
class _Candidate:
    """A cause that is there, before it is known what it explains."""

    spec: CauseSpec
    cause: Cause
    followers: list["_Candidate"] = field(default_factory=list)
    explained: list[Finding] = field(default_factory=list)

    @property
    def signs(self) -> set[str]:
        """The findings that are its own signs: those that it names itself, else all of its kind."""
        return set(self.cause.explains or self.spec.shown_by)

    def own(self) -> set[str]:
        """Its own signs, and those of what follows from it."""
        ids = self.signs
        for follower in self.followers:
            ids |= follower.own()
        return ids

    def others(self) -> set[str]:
        """The findings that may follow from it."""
        ids = set(self.spec.brings)
        for follower in self.followers:
            ids |= follower.others()
        return ids

    def accounts_for(self, other: "_Candidate", findings: Findings) -> bool:
        """Whether each sign of the other cause that is there may come from this one."""
        bad = {check for check in other.signs if findings.bad(check)}
        return bad <= self.signs | set(self.spec.brings)


def explained(findings: Sequence[Finding], records: Mapping[str, Any], specs: Iterable[CauseSpec]) -> Explanation:
    """Find the causes. A cause function that breaks becomes a finding of its own; the others still run."""
    by_id = Findings(findings)
    candidates: list[_Candidate] = []
    broken: list[Finding] = []
    for spec in specs:
        try:
            causes = spec.run(records, by_id)
        except (Exception, SystemExit) as error:
            broken.append(_error(spec, mistake_at_run(error, Path(spec.function.__code__.co_filename))))
            continue
        strangers = [type(one).__name__ for one in causes if not isinstance(one, Cause)]
        if strangers:
            broken.append(_error(spec, f"it returned {strangers[0]} instead of a Cause"))
            continue
        for one in causes:
            candidate = _Candidate(spec, _without_future(one, records))
            # A cause without a sign among the findings explains nothing.
            if any(by_id.bad(check) for check in candidate.signs):
                candidates.append(candidate)
    candidates.sort(key=lambda each: (-_severity(each, by_id), STAGES.index(each.spec.stage), each.spec.id))
    roots = _roots(candidates, by_id)
    _assign(by_id.unhealthy(), roots)
    finished = []
    stages = {}
    for root in roots:
        finished.append(_finished(root, by_id))
        stages[root.spec.id] = STAGES.index(root.spec.stage)
    finished.sort(key=lambda one: (-one.status.severity, stages[one.id], one.id, one.summary))
    return Explanation([*_with_causes(findings, finished), *broken], finished)


def _without_future(one: Cause, records: Mapping[str, Any]) -> Cause:
    """The cause without a beginning that cannot be true: an ID may be ahead of the clock, and with it its time."""
    since = parse_time(one.since)
    measured = parse_time(getattr(records.get("queue"), "measured_at", None))
    if since is None or measured is None or since - measured <= _CLOCKS_APART:
        return one
    return one.model_copy(update={"since": None, "since_by": "", "since_bound": ""})


def _severity(candidate: _Candidate, findings: Findings) -> int:
    if candidate.cause.status.severity > 0:
        return candidate.cause.status.severity
    statuses = []
    for check in candidate.signs:
        finding = findings.get(check)
        if finding:
            statuses.append(finding.status)
    return worst(statuses).severity


def _roots(candidates: list[_Candidate], findings: Findings) -> list[_Candidate]:
    """The candidates that follow from no other one; each other one is handed to its root."""
    # Reversed, so that of several of one id the worst stays, which comes first.
    by_id = {candidate.spec.id: candidate for candidate in reversed(candidates)}
    roots = []
    for candidate in candidates:
        root = _root_of(candidate, by_id, findings)
        if root is candidate:
            roots.append(candidate)
        else:
            root.followers.append(candidate)
    return roots


def _root_of(candidate: _Candidate, by_id: Mapping[str, _Candidate], findings: Findings) -> _Candidate:
    path = [candidate.spec.id]
    while True:
        above = _above(candidate, by_id, findings)
        if above is None:
            return candidate
        if above.spec.id in path:
            # Causes that name one another in a circle: one of them has to stand for all.
            circle = path[path.index(above.spec.id) :]
            return by_id[min(circle)]
        candidate = above
        path.append(candidate.spec.id)


def _above(candidate: _Candidate, by_id: Mapping[str, _Candidate], findings: Findings) -> _Candidate | None:
    """The cause that it follows from: one that is there, and that accounts for all its signs."""
    for name in candidate.spec.follows:
        other = by_id.get(name)
        if other is not None and other.accounts_for(candidate, findings):
            return other
    return None


def _assign(findings: Sequence[Finding], roots: Sequence[_Candidate]) -> None:
    """Give each finding to a cause whose own sign it is, else to the first that may bring it."""
    owners = {}
    for finding in findings:
        owners[finding.id] = [root for root in roots if finding.id in root.own()]
    # A sign of several causes goes to the one that has the fewest yet, so that each cause has one where that can be:
    # what is the sign of one cause alone is given away first.
    for finding in sorted(findings, key=lambda one: len(owners[one.id])):
        if owners[finding.id]:
            choice = min(owners[finding.id], key=lambda root: len(root.explained))
            choice.explained.append(finding)
    for finding in findings:
        bringer = _bringer(finding, roots)
        if bringer is not None and not owners[finding.id]:
            bringer.explained.append(finding)


def _bringer(finding: Finding, roots: Sequence[_Candidate]) -> _Candidate | None:
    for root in roots:
        others = root.others()
        if finding.id in others:
            return root
        # What could not be judged at all is brought by what kept it from being read; a verdict never is.
        if EVERYTHING in others and finding.status in (Status.SKIPPED, Status.UNKNOWN):
            return root
    return None


def _finished(root: _Candidate, findings: Findings) -> Cause:
    status = worst(one.status for one in root.explained)
    if status.severity <= 0:  # its signs stand under other causes that have them too
        signs = [findings.get(check) for check in root.own()]
        status = worst(one.status for one in signs if one is not None)
    # What it has of its own is no worse for what others add to the same findings.
    if root.cause.status.severity > 0 and not root.followers:
        status = root.cause.status
    ordered = sorted(root.explained, key=lambda one: (one.status.display_rank, one.id))
    leads_to = set()
    for follower in root.followers:
        leads_to.add(follower.spec.id)
    return root.cause.model_copy(
        update={
            "id": root.spec.id,
            "title": root.cause.title or root.spec.title,
            "status": status,
            "explains": [one.id for one in ordered],
            "leads_to": sorted(leads_to),
        }
    )


def _with_causes(findings: Sequence[Finding], causes: Iterable[Cause]) -> list[Finding]:
    """The findings of yellow or worse, each with the id of its cause. What was not judged keeps saying why."""
    cause_of = {}
    for one in causes:
        for check in one.explains:
            cause_of[check] = one.id
    result = []
    for finding in findings:
        if finding.status.severity > 0 and finding.waiver is None and finding.id in cause_of:
            finding = finding.model_copy(update={"cause": cause_of[finding.id]})
        result.append(finding)
    return result


def _error(spec: CauseSpec, text: str) -> Finding:
    summary = f"The cause {spec.id} itself broke"
    return Finding(id=f"cause:{spec.id}", area="causes", status=Status.ERROR, summary=summary, cause=text)


def _moment(beginning: Beginning) -> float:
    moment = parse_time(beginning.since)
    if moment is None:
        return float("inf")
    return moment.timestamp()
