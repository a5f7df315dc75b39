"""Nagios plugin output: one line with performance data, and exit codes of its own.

https://www.monitoring-plugins.org/doc/guidelines.html
"""

import re
from decimal import Decimal
from math import isfinite

from blueplane_doctor.errors import ExitCode
from blueplane_doctor.findings import counted
from blueplane_doctor.model import Finding, Grading, Report, Status
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.phrases import line, verdict

_NAMES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
OK, WARNING, CRITICAL, UNKNOWN = range(4)
_SHOWN = 3
"""Findings that the line names where there is no cause; Nagios shows it in one row of a table."""
_UNITS = ("s", "ms", "%", "MB")
_NOT_IN_LABELS = re.compile(r"[^A-Za-z0-9._-]")


def exit_code(report: Report) -> int:
    """The exit code for Nagios: 2 for red, 1 for orange and yellow, 3 when something was not judged, else 0.

    `--fail-on` does not apply, for Nagios knows two levels itself. Not judged is a check that broke, or a run in which
    no check came to a colour; with `--strict` also what is unknown or skipped.
    """
    if report.status is Status.RED:
        return CRITICAL
    if report.status in (Status.ORANGE, Status.YELLOW):
        return WARNING
    broken = report.counts.get(Status.ERROR, 0) > 0 or report.exit_code == ExitCode.NOT_JUDGED
    if broken or report.status is not Status.GREEN:
        return UNKNOWN
    return OK


def render(report: Report, view: View) -> str:
    """`BLUEPLANE CRITICAL - RED (1 red, 9 green): The server does not run: …|'chain-breaks'=12;;@10: …`."""
    text = verdict(report)
    if not view.quiet:
        text += _what_is_wrong(report)
    by_id = sorted(report.findings, key=lambda finding: finding.id)
    values = filter(None, map(_performance, by_id))
    return status_line(exit_code(report), text, " ".join(values))


def status_line(code: int, text: str, values: str = "") -> str:
    """The line for an exit code, also for a run that came to no report; `values` are performance data."""
    # A `|` would begin performance data, and some readers take backslashes for escapes.
    shown = line(text, 800).replace("|", "/").replace("\\", "/")
    if values:
        shown += f"|{values}"
    return f"BLUEPLANE {_NAMES[code]} - {shown}\n"


def _what_is_wrong(report: Report) -> str:
    """The first cause; where there is none, the first findings that are not green. Begins with a colon, or is empty."""
    if report.causes:
        cause = report.causes[0]
        return f": {line(cause.title, 120)}: {line(cause.summary, 240)}"
    silent = (Status.GREEN, Status.NOT_SET_UP)
    not_green = []
    for finding in counted(report.findings):
        if finding.status not in silent:
            not_green.append(finding)
    if not not_green:
        return ""
    return ": " + "; ".join(map(_short, not_green[:_SHOWN]))


def _short(finding: Finding) -> str:
    name = finding.id
    if finding.change:
        name += f" ({finding.change.value})"
    return f"{name}: {line(finding.summary, 120)}"


def _performance(finding: Finding) -> str:
    """`'label'=value[unit];warning range;critical range`; empty for what is no number."""
    value = finding.observed
    if isinstance(value, str) or value is None or not isfinite(value):
        return ""
    label = _NOT_IN_LABELS.sub("_", finding.id) or "_"
    unit = ""
    if finding.unit in _UNITS:
        unit = finding.unit
    warning = _range(finding.scale, "yellow") or _range(finding.scale, "orange")
    critical = _range(finding.scale, "red")
    return f"'{label}'={_number(value)}{unit};{warning};{critical}"


def _range(scale: Grading | None, level: str) -> str:
    """The range that alerts from where a level begins; empty where the scale has no such level.

    `a:b` alerts outside of a to b, `@a:b` inside; both ends belong to the inside, and `~` has no end.
    """
    if scale is None or level not in scale.bounds:
        return ""
    bound = scale.bounds[level]
    value = _number(bound.value)
    if scale.direction == "rising":
        return f"@{value}:" if bound.inclusive else f"~:{value}"
    return f"@~:{value}" if bound.inclusive else f"{value}:"


def _number(value: float) -> str:
    """Digits without an exponent, which the grammar does not know."""
    text = format(Decimal(repr(value)), "f")
    if "." not in text:
        return text
    return text.rstrip("0").rstrip(".")


def error(message: str) -> tuple[str, int]:
    """UNKNOWN with the sentence: a run that could not examine anything must not look critical."""
    return status_line(UNKNOWN, line(message)), UNKNOWN


FORMAT = Format("nagios", (), render, exit_code, error=error)
