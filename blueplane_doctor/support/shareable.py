"""A report and its evidence for strangers: without what people wrote themselves.

Waivers, and checks, causes and monitors of one's own, are written to be shown to the people who run the pipeline. Here
it stays that there are some, and how they judged.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypeVar

from blueplane_doctor.judging.evidence import Evidence
from blueplane_doctor.model import Cause, Finding, Report, Waiver
from blueplane_doctor.plugins.discovery import find_monitors

_Value = TypeVar("_Value")
OWN_CHECK = "a check of your own"
OWN_CAUSE = "a cause of your own"
OWN_TEXT = "What it says is left out"


def shareable_report(report: Report, known_ids: Collection[str]) -> Report:
    """The report with the text of built-in checks and causes alone; `known_ids` are their ids and areas."""
    # The headline quotes none but built-in checks: see verdict.VITAL.
    findings = []
    for finding in report.findings:
        findings.append(_finding(finding, known_ids))
    causes = []
    for cause in report.causes:
        causes.append(_cause(cause, known_ids))
    changes = {
        "findings": findings,
        "causes": causes,
        "metrics": _only(find_monitors(), report.metrics),
        "other_thresholds": _ids(report.other_thresholds, known_ids),
    }
    return report.model_copy(update=changes)


def shareable_evidence(evidence: Evidence, known_ids: Collection[str]) -> Evidence:
    """The evidence without records of monitors of one's own."""
    built_in = find_monitors()
    thresholds = None
    if evidence.thresholds is not None:
        thresholds = _only(known_ids, evidence.thresholds)
    return replace(
        evidence,
        records=_only(built_in, evidence.records),
        missing=_only(built_in, evidence.missing),
        durations=_only(built_in, evidence.durations),
        thresholds=thresholds,
    )


def _only(known: Collection[str], values: Mapping[str, _Value]) -> dict[str, _Value]:
    """The values of these names."""
    harmless = {}
    for name, value in values.items():
        if name in known:
            harmless[name] = value
    return harmless


def _finding(finding: Finding, known_ids: Collection[str]) -> Finding:
    if finding.id not in known_ids:
        # The status is what a stranger may know; everything else is the author's.
        return Finding(
            status=finding.status,
            summary=OWN_TEXT,
            id=OWN_CHECK,
            area=OWN_CHECK,
            duration_ms=finding.duration_ms,
            waiver=_waiver(finding.waiver),
            change=finding.change,
        )
    return finding.model_copy(update={"waiver": _waiver(finding.waiver)})


def _waiver(waiver: Waiver | None) -> Waiver | None:
    if waiver is None:
        return None
    owner = ""
    if waiver.owner:
        owner = _measured(waiver.owner)
    return Waiver(reason=_measured(waiver.reason), owner=owner, expires=waiver.expires)


def _measured(text: str) -> str:
    return f"(not shown, {len(text)} characters)"


def _cause(cause: Cause, known_ids: Collection[str]) -> Cause:
    explains = _ids(cause.explains, known_ids)
    leads_to = _ids(cause.leads_to, known_ids)
    if cause.id in known_ids:
        return cause.model_copy(update={"explains": explains, "leads_to": leads_to})
    return Cause(
        summary=OWN_TEXT,
        title=OWN_CAUSE,
        id=OWN_CAUSE,
        status=cause.status,
        explains=explains,
        leads_to=leads_to,
    )


def _ids(ids: Collection[str], known_ids: Collection[str]) -> list[str]:
    shown = []
    for one in ids:
        shown.append(one if one in known_ids else OWN_CHECK)
    return shown
