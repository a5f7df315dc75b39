"""What findings amount to together: which count, the worst, their order, the exit code, and what is new."""

from collections.abc import Iterable, Mapping

from blueplane_doctor.errors import ExitCode
from blueplane_doctor.model import Change, Finding, Report, Status

WAIVER_AREA = "waivers"
"""Area of the findings about waivers, which are no checks."""
_WAIVED = "waived"
"""Beside the statuses: how findings that are waived are counted."""


def counted(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that count: those that are not waived."""
    return [finding for finding in findings if finding.waiver is None]


def worst(statuses: Iterable[Status]) -> Status:
    """The worst colour; `unknown` where nothing was judged."""
    worst_status = max(statuses, key=lambda status: status.severity, default=Status.UNKNOWN)
    return worst_status if worst_status.severity >= 0 else Status.UNKNOWN


def count_statuses(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings have each status, every status named, and how many are waived."""
    names = [status.value for status in sorted(Status, key=lambda status: status.display_rank)]
    counts = dict.fromkeys([*names, _WAIVED], 0)
    for finding in findings:
        counts[finding.status.value if finding.waiver is None else _WAIVED] += 1
    return counts


def exit_code_for(
    findings: Iterable[Finding], fail_on: Status | None, strict: bool, *, only_new: bool = False
) -> ExitCode:
    """What the process ends with: see `errors.EXIT_CODE_MEANINGS`.

    `fail_on`: the colour from which on a finding makes the run fail; None: none does.
    `only_new` looks only at what is new or worse than in the baseline.
    """
    not_judged = {Status.ERROR}
    if strict:
        not_judged |= {Status.UNKNOWN, Status.SKIPPED}
    exit_code = ExitCode.OK
    for finding in counted(findings):
        is_new = finding.change in (None, Change.NEW, Change.WORSE)
        if fail_on is not None and finding.status.severity >= fail_on.severity and (is_new or not only_new):
            return ExitCode.FINDINGS
        if finding.status in not_judged:
            exit_code = ExitCode.NOT_JUDGED
    return exit_code


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Worst first, waived ones last, then by area and id, so that the same evidence gives the same bytes."""
    return sorted(findings, key=lambda f: (f.waiver is not None, f.status.display_rank, f.area, f.id))


def compared(findings: Iterable[Finding], baseline: Report) -> list[Finding]:
    """The findings with their change against the baseline's finding of the same id."""
    before = {finding.id: finding.status for finding in baseline.findings}
    marked = []
    for finding in findings:
        marked.append(finding.model_copy(update={"change": _change(finding, before)}))
    return marked


def _change(finding: Finding, before: Mapping[str, Status]) -> Change | None:
    # None where nothing can be compared: what is not judged now, or is green and was not judged then.
    earlier = before.get(finding.id, Status.UNKNOWN)
    now = finding.status.severity
    then = earlier.severity
    if finding.id in before and finding.status is earlier:
        return Change.SAME
    if finding.status is Status.ERROR:
        return Change.NEW
    if now < 0:
        return None
    if then <= 0:
        return Change.NEW if now else None
    if now == 0:
        return Change.FIXED
    return Change.WORSE if now > then else Change.BETTER
