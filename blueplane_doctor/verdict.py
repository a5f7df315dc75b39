"""The verdict on a whole run: its status and its headline. Every face shows these words and makes none of its own.

The headline is never better than what was judged: without a vital thing it is `unknown`, unless a fault was found.
"""

from collections.abc import Collection, Sequence

from blueplane_doctor.findings import WAIVER_AREA, counted, worst
from blueplane_doctor.model import Finding, Status
from blueplane_doctor.text.quantities import many

VITAL = ("redis-reachable", "database-reachable", "queue-depth", "chain-breaks")
"""Checks without whose verdict nobody knows whether the pipeline is healthy."""
_SHOWN = 3
"""Checks that a reservation names."""
HEALTH = {
    Status.GREEN: "the pipeline is healthy",
    Status.YELLOW: "the pipeline is healthy, with warnings",
    Status.ORANGE: "the pipeline is degraded",
    Status.RED: "the pipeline is unhealthy",
    Status.UNKNOWN: "whether the pipeline is healthy is not known",
}
"""What the status of a run of all checks means."""


def status_of(findings: Sequence[Finding]) -> Status:
    """Red or orange when a finding is; else `unknown` when something vital was not judged; else the worst colour."""
    status = worst(finding.status for finding in counted(findings))
    if status in (Status.RED, Status.ORANGE):
        return status
    if unjudged(findings):
        return Status.UNKNOWN
    return status


def unjudged(findings: Sequence[Finding]) -> list[Finding]:
    """The vital findings that came to no colour."""
    left = []
    for finding in counted(findings):
        if finding.id in VITAL and finding.status.severity < 0:
            left.append(finding)
    return left


def headline_of(findings: Sequence[Finding], left_out: int = 0, nothing_found: str = "") -> str:
    """What is to be said first, in one sentence without its end.

    `left_out`: checks that were not selected. `nothing_found`: the sentence where there is no pipeline to judge.
    """
    if nothing_found:
        return nothing_found
    status = status_of(findings)
    if left_out:
        return _of_a_selection(findings, left_out, status)
    words = HEALTH[status]
    missing = unjudged(findings)
    if status is Status.UNKNOWN and missing:
        cause = missing[0].cause or missing[0].summary
        words += f": {_names(missing)} could not be judged ({cause.splitlines()[0]})"
    return words + _reservations(findings, status)


def _reservations(findings: Sequence[Finding], status: Status) -> str:
    """What the words on the health of the pipeline leave out: worse findings that are waived, and broken checks.

    Where a fault is named they leave out nothing that would change them.
    """
    if status not in (Status.GREEN, Status.YELLOW):
        return ""
    words = ""
    waived = []
    for finding in findings:
        if finding.waiver is not None and _is_worse(finding, status):
            waived.append(f"{finding.id} ({finding.status.words})")
    if waived:
        words += f", but for what is waived: {_enumerated(waived[:_SHOWN], len(waived))}"
    broken = []
    for finding in counted(findings):
        if finding.status is Status.ERROR:
            broken.append(finding.id)
    if broken:
        checks = many(len(broken), "check", "checks")
        words += f", as far as it could be judged: {checks} broke ({_enumerated(broken[:_SHOWN], len(broken))})"
    return words


def _is_worse(finding: Finding, status: Status) -> bool:
    """Whether this finding, were it not waived, would make the verdict another one."""
    if finding.status.severity < 0:
        return finding.id in VITAL
    return finding.status.severity > status.severity


def _enumerated(names: Sequence[str], count: int) -> str:
    text = ", ".join(names)
    if count > len(names):
        text += f" and {count - len(names)} more"
    return text


def _of_a_selection(findings: Sequence[Finding], left_out: int, status: Status) -> str:
    ran = sum(finding.area != WAIVER_AREA for finding in findings)
    words = f"{ran} of {many(ran + left_out, 'check', 'checks')} ran, and "
    if not counted(findings):
        return words + ("is waived" if ran == 1 else "all are waived")
    if status is Status.UNKNOWN:
        return words + ("could not be judged" if ran == 1 else "not all that is vital could be judged")
    if len(findings) == 1:
        return words + f"is {status.words}"
    if all(finding.status is Status.GREEN and finding.waiver is None for finding in findings):
        return words + "all are green"
    return words + f"the worst is {status.words}"


def _names(findings: Collection[Finding]) -> str:
    return ", ".join(finding.id for finding in findings)
