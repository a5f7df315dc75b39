"""JUnit XML, as Jenkins, GitLab and most CI systems read it: each check is a test case of its area."""

from xml.etree import ElementTree as ET

from blueplane_doctor.model import Cause, Finding, Report, Status
from blueplane_doctor.reports import cause_phrases
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.finding_phrases import details, standing, waived
from blueplane_doctor.reports.phrases import headline, line
from blueplane_doctor.text.times import parse_time

_ENDINGS = {
    Status.ORANGE: "failure",
    Status.RED: "failure",
    Status.ERROR: "error",
    Status.UNKNOWN: "skipped",
    Status.SKIPPED: "skipped",
    Status.NOT_SET_UP: "skipped",
}


def render(report: Report, view: View) -> str:
    """Orange and red fail, `error` is an error, what was not judged or is waived is skipped, yellow passes with a word.

    The text of an element holds what was observed, the scale, the remedy and the evidence. The suite's time is that
    of reading everything; a case has its share of it.
    """
    # ElementTree escapes markup; `phrases` replaces the characters that XML cannot hold.
    number = {"failure": 0, "error": 0, "skipped": report.counts.get("waived", 0)}
    for status, ending in _ENDINGS.items():
        number[ending] += report.counts.get(status, 0)
    totals = {
        "name": "blueplane-doctor",
        "tests": str(sum(report.counts.values())),
        "failures": str(number["failure"]),
        "errors": str(number["error"]),
        "time": _seconds(report.duration_ms),
    }
    root = ET.Element("testsuites", totals)
    suite = ET.SubElement(root, "testsuite", totals, skipped=str(number["skipped"]))
    moment = parse_time(report.generated_at)
    if moment:
        suite.set("timestamp", f"{moment:%Y-%m-%dT%H:%M:%S}")  # the schema knows no zone
    suite.append(_properties(report))
    for finding in report.findings:
        suite.append(_case(finding))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _properties(report: Report) -> ET.Element:
    properties = ET.Element("properties")
    values = {
        "version": report.tool.version,
        "status": report.status.value,
        "headline": headline(report),
        "generated_at": report.generated_at,
        "baseline": report.baseline,
        "other_thresholds": ", ".join(report.other_thresholds),
    }
    for number, cause in enumerate(report.causes, 1):
        for name, text in _of_cause(cause).items():
            values[f"cause.{number}.{name}"] = text
    for name, value in values.items():
        if value:
            ET.SubElement(properties, "property", name=name, value=line(value, 4_000))
    return properties


def _of_cause(cause: Cause) -> dict[str, str]:
    """What is known of a cause, by the names of the JSON report."""
    text, command = cause_phrases.next_step(cause)
    return {
        "id": cause.id,
        "title": cause.title,
        "status": cause.status.value,
        "summary": cause_phrases.summary(cause),
        "since": f"{cause.since or ''} {cause.since_bound}".strip(),
        "at_stake": cause_phrases.stake(cause),
        "next_step": text,
        "command": command,
        "explains": ", ".join(cause.explains),
    }


def _case(finding: Finding) -> ET.Element:
    case = ET.Element("testcase", name=line(finding.id), classname=f"blueplane.{line(finding.area)}")
    case.set("time", _seconds(finding.duration_ms))
    summary = line(finding.summary)
    verdict = f"{standing(finding)}: {summary}"
    ending = _ENDINGS.get(finding.status)
    if finding.waiver:
        ending = "skipped"
    if ending:
        element = ET.SubElement(case, ending, message=_message(finding, verdict), type=finding.status.value)
        element.text = f"{summary}\n{details(finding)}"
    elif finding.status is Status.YELLOW or finding.change:
        ET.SubElement(case, "system-out").text = f"{verdict}\n{details(finding)}"
    return case


def _message(finding: Finding, verdict: str) -> str:
    """What readers of a result show in one line."""
    if finding.waiver:
        return f"{waived(finding)} ({verdict})"
    if finding.cause and finding.status in (Status.UNKNOWN, Status.SKIPPED, Status.NOT_SET_UP):
        return f"{verdict}: {line(finding.cause)}"
    return verdict


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3f}"


FORMAT = Format("junit", (".xml",), render, markup=True)
