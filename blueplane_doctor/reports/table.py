"""The table for a terminal: the verdict, the causes worst first, what follows from them; short when all is well."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from textwrap import indent, wrap

from blueplane_doctor.findings import counted
from blueplane_doctor.locations import PLACEHOLDER
from blueplane_doctor.model import Cause, Finding, Report, Status
from blueplane_doctor.process.light_imports import load_tabulate
from blueplane_doctor.reports import cause_phrases, change_phrases
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.before_stream import before_stream
from blueplane_doctor.reports.finding_phrases import advice, evidence, is_news, observed, standing, waived
from blueplane_doctor.reports.phrases import WHOLE_TEXT, clock, gone, line, other_thresholds, verdict
from blueplane_doctor.text.quantities import many, quantity

_ANSI = {
    Status.GREEN: "32",
    Status.YELLOW: "33",
    Status.ORANGE: "38;5;208",
    Status.RED: "1;31",
    Status.UNKNOWN: "36",
    Status.SKIPPED: "36",
    Status.NOT_SET_UP: "2",
    Status.ERROR: "1;35",
}
_TO_MEND = (Status.RED, Status.ORANGE, Status.YELLOW, Status.ERROR)
_NOT_JUDGED = (Status.UNKNOWN, Status.SKIPPED)
_SET_UP_BY = {"the recorder": "instrument"}
"""The command for an optional part that `install` does not set up."""
_NAMED_TOGETHER = 8
"""Checks with one cause that are still named: about two lines of 80 columns."""
_HEADERS = ["status", "check", "observed", "what it means"]
_COMMAND_LENGTH = 4_000
"""Characters of a command. It is not cut: half of it would be another command."""
_GAPS = 2 * (len(_HEADERS) - 1)
"""Spaces between the columns."""
_MARGIN = "   "
"""What stands under a cause's number."""
_LEAST_GAP = 2
"""Columns between a cause's title and its status."""
_SHOWN_CHANGES = 3
"""Changes of causes beside which a single cause and its findings still fit 24 lines."""
_NARROWEST = 30
"""Columns that a summary needs; with fewer, findings are shown as lines."""


def render(report: Report, view: View) -> str:
    """Lines of at most the view's width, where the words allow it."""
    if view.quiet:
        return _painted(cause_phrases.verdict_in_a_line(report), report.status, view) + "\n"
    lines = _wrapped(verdict(report), view)
    lines[0] = _painted(lines[0], report.status, view)
    alone = counted(cause_phrases.on_their_own(report))
    # With `verbose` each finding is shown with all that is to be done, also those that a cause explains.
    to_mend = counted(report.findings) if view.verbose else alone
    parts = [
        _provenance(report, view),
        _custody(report, view),
        _causes(report, view),
        _changes(report, view),
        _table(_shown(report, view), view),
        _unjudged(alone, view),
        _remedies(to_mend, view),
    ]
    if view.verbose:
        parts.append(_evidence(report.findings))
    for part in parts:
        lines += part
    lines += _tail(report, lines, view)
    return "\n".join(lines).rstrip() + "\n"


def _causes(report: Report, view: View) -> list[str]:
    """Each cause in a few lines: what it is, since when, what to do next, and what follows from it."""
    lines: list[str] = []
    first_with: dict[tuple[str, str], int] = {}  # the first cause of each next step, which is said once
    for number_, cause in enumerate(report.causes, 1):
        lines += ["", *_cause_heading(number_, cause, report, view)]
        lines += _wrapped(cause_phrases.summary(cause), view, margin=_MARGIN, hanging="")
        step = cause_phrases.next_step(cause)
        same_as = first_with.setdefault(step, number_)
        if same_as == number_:
            lines += _next_step(*step, view)
        elif step[0]:
            lines.append(f"{_MARGIN}Next: the same as for {same_as}")
        what = cause_phrases.follows(cause, report.findings)
        if what:
            lines += _wrapped(f"explains: {what}", view, margin=_MARGIN)
    return lines


def _next_step(text: str, command: str, view: View) -> list[str]:
    lines: list[str] = []
    if text:
        lines += _wrapped(f"Next: {text}", view, margin=_MARGIN)
    if command:
        lines.append(f"{_MARGIN}  $ {line(command, _COMMAND_LENGTH)}")
    return lines


def _changes(report: Report, view: View) -> list[str]:
    """What changed within the last day: the newest changes of causes; with `verbose` all changes."""
    if view.verbose:
        lines = []
        for change in report.changes:
            lines += _wrapped(change_phrases.sentence([change], report), view, margin=_MARGIN)
        return ["", "What changed (UTC)", *lines] if lines else []
    newest = change_phrases.of_causes(report)[-_SHOWN_CHANGES:]
    if not report.causes or not newest:
        return []
    return ["", *_wrapped(f"What changed (UTC): {change_phrases.sentence(newest, report)}", view)]


def _cause_heading(number_: int, cause: Cause, report: Report, view: View) -> list[str]:
    """Its number and title, and at the right its status and since when; below each other where there is no room."""
    title = f"{number_}  {line(cause.title)}"
    standing_ = cause_phrases.standing_of(cause, report)
    room = view.width - len(title) - len(standing_)
    if room >= _LEAST_GAP:
        return [f"{title}{' ' * room}{_painted(standing_, cause.status, view)}"]
    heading = _wrapped(title, view)
    return [*heading, *_wrapped(standing_, view, margin=_MARGIN)]


def _provenance(report: Report, view: View) -> list[str]:
    """When the pipeline was examined, and whether kept evidence is judged by other thresholds."""
    lines = _wrapped(f"Examined {clock(report)} in {quantity(report.duration_ms, 'ms')}", view)
    return lines + _wrapped(other_thresholds(report), view)  # no text, no lines


def _custody(report: Report, view: View) -> list[str]:
    chain = report.metrics.get("chain")
    # Where no check of it ran, a line on custody would speak beside the headline.
    if not chain or not any(finding.area == "chain" for finding in report.findings):
        return []
    text = line(f"Custody is {chain['chain_status']}: {chain['equation']}")
    missing = gone(chain["states"])
    if missing:
        text += f"; gone: {missing}"
    lines = _wrapped(text, view)
    for stage in before_stream(report.metrics):
        lines += _wrapped(line(f"Before the stream, {stage.name}: {stage.equation}"), view)
    return lines


def _shown(report: Report, view: View) -> list[Finding]:
    """The findings of the table: all with `verbose`, else those that say something and that no cause explains."""
    if view.verbose:
        return report.findings
    alone = cause_phrases.on_their_own(report)
    return [finding for finding in alone if _says_something(finding)]


def _says_something(finding: Finding) -> bool:
    return finding.status in _TO_MEND or finding.waiver is not None or is_news(finding)


def _table(findings: list[Finding], view: View) -> list[str]:
    if not findings:
        return []
    cells = [[standing(finding), line(finding.id), observed(finding)] for finding in findings]
    # The last column gets what the others leave.
    width = view.width - _GAPS
    for column in zip(_HEADERS, *cells, strict=False):
        width -= max(map(len, column))
    if width < _NARROWEST:
        return _as_lines(findings, view)

    rows = []
    for finding, (status, *middle) in zip(findings, cells, strict=True):
        rows.append([_painted(status, finding.status, view), *middle, "\n".join(_meaning(finding, width))])
    return ["", load_tabulate()(rows, _HEADERS, tablefmt="simple", disable_numparse=True)]


def _as_lines(findings: list[Finding], view: View) -> list[str]:
    """The findings below each other, for a terminal in which no table has room."""
    lines = [""]
    for finding in findings:
        lines.append(f"{_painted(standing(finding), finding.status, view)} {line(finding.id)}")
        value = observed(finding)
        if value:
            lines += _wrapped(value, view, margin="  ")
        for text in _meaning(finding, view.width - 2):
            lines.append(f"  {text}")
    return lines


def _meaning(finding: Finding, width: int) -> list[str]:
    lines: list[str] = []
    for text in (line(finding.summary), waived(finding)):
        lines += wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return lines


def _unjudged(findings: Iterable[Finding], view: View) -> list[str]:
    """Checks that share a cause share a line: one dead source is one thing to know, not twenty."""
    unjudged = [finding for finding in findings if finding.status in _NOT_JUDGED]
    unjudged.sort(key=lambda finding: (finding.status, finding.cause, finding.id))
    lines = []
    for (status, cause), group in groupby(unjudged, key=lambda finding: (finding.status, finding.cause)):
        names = [line(finding.id) for finding in group]
        listed = ", ".join(names)
        if len(names) > _NAMED_TOGETHER and not view.verbose:
            listed = f"{many(len(names), 'check', 'checks')} (-v names them)"
        lines += _wrapped(f"{status.words}: {listed}: {line(cause)}", view)
    return ["", *lines] if lines else []


def _tail(report: Report, lines: Sequence[str], view: View) -> list[str]:
    """What was never set up, how to see all, and what the placeholders of the lines above stand for."""
    tail = _offers(report, view)
    if report.causes and not view.verbose:
        tail += _wrapped("All findings, and all that can be done: -v", view)
    tail += _note_on_placeholders(lines, view)
    return ["", *tail] if tail else []


def _offers(report: Report, view: View) -> list[str]:
    """What was never set up and what sets it up, in one sentence: an offer, not a worry."""
    parts = Counter(
        finding.part or finding.id for finding in counted(report.findings) if finding.status is Status.NOT_SET_UP
    )
    by_command: dict[str, list[str]] = {}
    for part, count in sorted(parts.items()):
        command = _SET_UP_BY.get(part, "install")
        by_command.setdefault(command, []).append(f"{line(part)} ({many(count, 'check', 'checks')})")
    offers = []
    for command, named in sorted(by_command.items()):
        *first, last = named
        listed = f"{', '.join(first)} and {last}" if first else last
        offers.append(f"{listed}: blueplane-doctor {command}")
    return _wrapped(f"Not set up: {'; '.join(offers)}", view) if offers else []


def _remedies(findings: Iterable[Finding], view: View) -> list[str]:
    lines: list[str] = []
    to_mend = [finding for finding in findings if finding.status in _TO_MEND]
    for (text, *commands), names in advice(to_mend, causes=True).items():
        checks = ", ".join(line(name) for name in names)
        lines += _wrapped(f"{checks}: {line(text, WHOLE_TEXT)}", view)
        for command in commands:
            lines.append(f"    $ {line(command, _COMMAND_LENGTH)}")
    return ["", "What to do", *lines] if lines else []


def _note_on_placeholders(lines: Sequence[str], view: View) -> list[str]:
    """What the placeholders in commands stand for, where there are any."""
    placeholders = dict.fromkeys(PLACEHOLDER.findall("\n".join(lines)))
    if not placeholders:
        return []
    verb = "stands" if len(placeholders) == 1 else "stand"
    return _wrapped(f"{', '.join(placeholders)} {verb} for what is private and not shown here.", view)


def _evidence(findings: Iterable[Finding]) -> list[str]:
    lines = []
    for finding in findings:
        text = evidence(finding)
        if text:
            lines += [line(finding.id), indent(text, "    ")]
    return ["", "What was read", *lines] if lines else []


def _wrapped(text: str, view: View, margin: str = "", hanging: str = "  ") -> list[str]:
    """Lines of the view's width; a word is never broken, for it may be a command or a path to copy."""
    return wrap(
        text,
        view.width,
        initial_indent=margin,
        subsequent_indent=margin + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _painted(text: str, status: Status, view: View) -> str:
    return f"\x1b[{_ANSI[status]}m{text}\x1b[0m" if view.color else text


FORMAT = Format("table", (".txt",), render)
