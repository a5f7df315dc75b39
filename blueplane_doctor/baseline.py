"""A report beside an earlier one: what is new, worse, the same, better, fixed."""

from collections.abc import Iterable, Mapping

from blueplane_doctor.model import Change, Finding, Report, Status


def compared(findings: Iterable[Finding], baseline: Report) -> list[Finding]:
    """The findings with their change against the baseline's finding of the same id."""
    before = {finding.id: finding.status for finding in baseline.findings}
    return [finding.model_copy(update={"change": _change(finding, before)}) for finding in findings]


def _change(finding: Finding, before: Mapping[str, Status]) -> Change | None:
    """None where nothing can be compared: what is not judged now, or is green and was not judged then."""
    now, then = finding.status.severity, before[finding.id].severity if finding.id in before else -1
    if finding.status is before.get(finding.id):
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
