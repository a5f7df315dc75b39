"""JUnit XML, as Jenkins, GitLab and most CI systems read it: each check is a test case of its area."""

from xml.etree import ElementTree as ET

from blueplane_doctor.model import Finding, Report, Status
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.words import details, line, standing, waived
from blueplane_doctor.times import parse_time

SUITE = "blueplane-doctor"
_FAILURES = (Status.ORANGE, Status.RED)
_SKIPPED = (Status.UNKNOWN, Status.SKIPPED)


def render(report: Report, view: View) -> str:
    """Orange and red fail, `error` is an error, what was not judged or is waived is skipped, yellow passes with a word.

    The text of an element holds what was observed, the scale, the remedy and the evidence.
    """
    # ElementTree escapes markup; that no character is left which XML cannot hold is seen to by `words`.
    root = ET.Element("testsuites", _totals(report, with_skipped=False))
    suite = ET.SubElement(root, "testsuite", _totals(report, with_skipped=True))
    if moment := parse_time(report.generated_at):
        suite.set("timestamp", f"{moment:%Y-%m-%dT%H:%M:%S}")  # the schema knows no zone
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(report).items():
        ET.SubElement(properties, "property", name=name, value=line(value))
    for finding in report.findings:
        suite.append(_case(finding))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _totals(report: Report, *, with_skipped: bool) -> dict[str, str]:
    counts = report.counts
    totals = {
        "tests": sum(counts.values()),
        "failures": sum(counts.get(status, 0) for status in _FAILURES),
        "errors": counts.get(Status.ERROR, 0),
    }
    if with_skipped:
        totals["skipped"] = sum(counts.get(status, 0) for status in (*_SKIPPED, "waived"))
    return {"name": SUITE, **{name: str(n) for name, n in totals.items()}, "time": _seconds(report.duration_ms)}


def _properties(report: Report) -> dict[str, str]:
    known = {
        "version": report.tool.version,
        "status": report.status.value,
        "generated_at": report.generated_at,
        "baseline": report.baseline or "",
    }
    return {name: value for name, value in known.items() if value}


def _case(finding: Finding) -> ET.Element:
    case = ET.Element("testcase", name=line(finding.id), classname=f"blueplane.{line(finding.area)}")
    case.set("time", _seconds(finding.duration_ms))
    said = f"{standing(finding)}: {line(finding.summary)}"
    if finding.waiver:
        _add(case, "skipped", finding, f"{waived(finding)} ({said})")
    elif finding.status in _SKIPPED:
        _add(case, "skipped", finding, f"{said}: {line(finding.cause)}" if finding.cause else said)
    elif finding.status is Status.ERROR:
        _add(case, "error", finding, said)
    elif finding.status in _FAILURES:
        _add(case, "failure", finding, said)
    elif finding.status is Status.YELLOW or finding.change:
        ET.SubElement(case, "system-out").text = f"{said}\n{details(finding)}"
    return case


def _add(case: ET.Element, tag: str, finding: Finding, message: str) -> None:
    element = ET.SubElement(case, tag, message=message, type=finding.status.value)
    element.text = f"{line(finding.summary)}\n{details(finding)}"


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3f}"


FORMAT = Format("junit", (".xml",), render)
