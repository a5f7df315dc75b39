"""The table for a terminal: the verdict, what is wrong worst first, what to do; short when all is well."""

from collections.abc import Iterable
from itertools import groupby
from textwrap import indent, wrap
from typing import Any

from blueplane_doctor.model import Finding, Report, Status, counted
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.phrases import advice, evidence, is_news, line, standing, tally, waived

_ANSI = {
    Status.GREEN: "32",
    Status.YELLOW: "33",
    Status.ORANGE: "38;5;208",
    Status.RED: "1;31",
    Status.UNKNOWN: "36",
    Status.SKIPPED: "36",
    Status.ERROR: "1;35",
}
_JUDGED_ILL = (Status.RED, Status.ORANGE, Status.YELLOW, Status.ERROR)
_NOT_JUDGED = (Status.UNKNOWN, Status.SKIPPED)
_GONE = ("trimmed_unread", "payload_gone")


def render(report: Report, view: View) -> str:
    """Lines of at most the view's width, where the words allow it."""
    lines = [_verdict(report, view)]
    if not view.quiet:
        lines += _custody(report, view)
        shown = [f for f in report.findings if view.verbose or f.status in _JUDGED_ILL or f.waiver or is_news(f)]
        lines += _table(shown, view)
        lines += _unjudged(counted(report.findings), view)
        lines += _remedies(counted(report.findings), view)
        lines += _evidence(report.findings) if view.verbose else []
    return "\n".join(lines).rstrip() + "\n"


def _verdict(report: Report, view: View) -> str:
    words = {
        Status.GREEN: "healthy",
        Status.YELLOW: "worth a look",
        Status.ORANGE: "in trouble",
        Status.RED: "ill",
        Status.UNKNOWN: "not known",
    }
    said = f"{report.status.value.upper()}: the pipeline is {words[report.status]}"
    return f"{_painted(said, report.status, view)} ({tally(report)}; {report.duration_ms / 1000:.1f} s)"


def _custody(report: Report, view: View) -> list[str]:
    chain = report.metrics.get("chain")
    if not chain:
        return []
    gone = [f"{chain['states'][s]:,} {s.replace('_', ' ')}" for s in _GONE if chain["states"].get(s)]
    said = line(f"Custody is {chain['chain_status']}: {chain['equation']}")
    return wrap(said + (f"; gone: {', '.join(gone)}" if gone else ""), view.width, subsequent_indent="  ")


def _table(findings: list[Finding], view: View) -> list[str]:
    if not findings:
        return []
    from tabulate import tabulate

    width = max(30, view.width - 44)
    rows = [
        [
            _painted(standing(f), f.status, view),
            line(f.id),
            _observed(f),
            "\n".join(text for said in (line(f.summary), waived(f)) for text in wrap(said, width)),
        ]
        for f in findings
    ]
    headers = ["status", "check", "observed", "what it means"]
    return ["", tabulate(rows, headers, tablefmt="simple", disable_numparse=True)]


def _unjudged(findings: Iterable[Finding], view: View) -> list[str]:
    """Checks that share a cause share a line: one dead source is one thing to know, not twenty."""
    ours = sorted((f for f in findings if f.status in _NOT_JUDGED), key=lambda f: (f.status, f.cause, f.id))
    lines = []
    for (status, cause), group in groupby(ours, key=lambda f: (f.status, f.cause)):
        names = ", ".join(line(f.id) for f in group)
        text = f"{status.value}: {names}: {line(cause)}"
        lines += wrap(text, view.width, subsequent_indent="  ", break_on_hyphens=False)
    return ["", *lines] if lines else []


def _remedies(findings: Iterable[Finding], view: View) -> list[str]:
    lines: list[str] = []
    ill = [finding for finding in findings if finding.status in _JUDGED_ILL]
    for (text, *commands), names in advice(ill, causes=True).items():
        said = f"{', '.join(map(line, names))}: {line(text, 600)}"
        lines += wrap(said, view.width, subsequent_indent="  ", break_on_hyphens=False)
        lines += [f"    $ {line(command, 300)}" for command in commands]
    return ["", "What to do", *lines] if lines else []


def _evidence(findings: Iterable[Finding]) -> list[str]:
    read = [(finding, text) for finding in findings if (text := evidence(finding))]
    lines = [part for finding, text in read for part in (line(finding.id), indent(text, "    "))]
    return ["", "What was read", *lines] if lines else []


def _observed(finding: Finding) -> str:
    value: Any = finding.observed
    if value is None:
        return ""
    text = line(value, 30) if isinstance(value, str) else _number(value)
    return f"{text} {line(finding.unit, 30)}".strip()


def _number(value: float) -> str:
    """With thousands marked, to four places, and never as 1.7e+06."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}".rstrip("0").rstrip(".")


def _painted(text: str, status: Status, view: View) -> str:
    return f"\x1b[{_ANSI[status]}m{text}\x1b[0m" if view.color else text


FORMAT = Format("table", (".txt",), render)
