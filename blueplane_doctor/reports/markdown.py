"""Markdown for a pull request, a ticket or a job summary: verdict, causes, what stands for itself; the rest folded.

Written for GitHub's and GitLab's dialect, in which text can do much more than look: it mentions people, refers to
issues, loads images. So text of the report is escaped, and words that would become a mention, a reference or a
link are put into code spans, where nothing is read.
"""

import re
from html import escape

from blueplane_doctor.findings import counted
from blueplane_doctor.model import Cause, Finding, Report, Status
from blueplane_doctor.reports import cause_phrases
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.finding_phrases import advice, evidence, is_quiet, observed, scale, standing, waived, why
from blueplane_doctor.reports.phrases import WHOLE_TEXT, clock, line, other_thresholds, verdict
from blueplane_doctor.text.times import readable

_SIGNS = {
    Status.GREEN: "🟢",
    Status.YELLOW: "🟡",
    Status.ORANGE: "🟠",
    Status.RED: "🔴",
    Status.UNKNOWN: "❔",
    Status.SKIPPED: "⏭️",
    Status.NOT_SET_UP: "➖",
    Status.ERROR: "💥",
}
_WORD = re.compile(r"[^\s|]+")
_ACTIVE = re.compile(r"[@#$]|://|www\.|\bGH-\d|[!%&~^*]\w", re.IGNORECASE)
"""In a word: mentions, references to issues and merge requests, formulas, links."""
_MARKUP = re.compile(r"([\\`*_\[\]<>&~|!])")


def render(report: Report, view: View) -> str:
    """Sections only where there is something in them; with `verbose` nothing is folded."""
    parts = [f"## {_SIGNS[report.status]} Blueplane: {_text(verdict(report))}", _origin(report)]
    if not view.quiet:
        for number, cause in enumerate(report.causes, 1):
            parts += _cause(number, cause, report, view)
        alone = cause_phrases.on_their_own(report)
        quiet = [finding for finding in alone if is_quiet(finding)]
        others = [finding for finding in alone if not is_quiet(finding)]
        if report.causes and others:
            parts.append("### Findings of their own")
        parts.append(_table(others))
        parts += _remedies(others)
        parts += _more(others, view)
        parts.append(_folded("Green, and not set up", _table(quiet), view))
    return "\n\n".join(filter(None, parts)) + "\n"


def _cause(number: int, cause: Cause, report: Report, view: View) -> list[str]:
    """What it is, since when, what is at stake, what to do next; folded, the findings that follow from it."""
    parts = [
        f"### {number}. {_SIGNS[cause.status]} {_text(cause.title)}",
        f"{_text(cause_phrases.standing_of(cause, report))}. {_text(cause_phrases.summary(cause))}",
    ]
    stake = cause_phrases.stake(cause)
    if stake:
        parts.append(f"At stake: {_text(stake)}.")
    if cause.next_step:
        parts.append(f"**Next:** {_text(cause.next_step.text)}")
        if cause.next_step.commands:
            parts.append(_commands(cause.next_step.commands))
    followers = [finding for finding in report.findings if finding.id in cause.explains]
    below = [_table(followers), *_remedies(followers, level=4), *_more(followers, view)]
    content = "\n\n".join(filter(None, below))
    # In code, for nothing in it is read there as a mention or a link.
    title = f"Explains: <code>{escape(cause_phrases.follows(cause, report.findings))}</code>"
    return [*parts, _folded(title, content, view)]


def _more(findings: list[Finding], view: View) -> list[str]:
    """For each finding, folded, what the table has no room for."""
    parts = []
    for finding in findings:
        title = f"<code>{escape(line(finding.id))}</code>: more"
        parts.append(_folded(title, _details(finding), view))
    return parts


def _origin(report: Report) -> str:
    """When and by what the report was made, and what it was compared with."""
    text = f"Examined {_text(clock(report))} by blueplane-doctor {_text(report.tool.version)}"
    if report.baseline:
        text += f", beside the baseline of {_text(readable(report.baseline))}"
    if report.other_thresholds:
        text += f". {_text(other_thresholds(report))}"
    return f"{text}."


def _table(findings: list[Finding]) -> str:
    if not findings:
        return ""
    rows = ["| status | check | observed | what it means |", "| --- | --- | --- | --- |"]
    for finding in findings:
        status = f"{_SIGNS[finding.status]} {standing(finding, '**')}"
        rows.append(f"| {status} | {_code(finding.id)} | {_text(observed(finding))} | {_text(finding.summary)} |")
    return "\n".join(rows)


def _remedies(findings: list[Finding], level: int = 3) -> list[str]:
    """What to do about findings, under a heading of this level; each advice once."""
    parts = []
    for (text, *commands), names in advice(counted(findings)).items():
        checks = ", ".join(map(_code, names))
        parts.append(f"{checks}: {_text(text)}")
        if commands:
            parts.append(_commands(commands))
    if not parts:
        return []
    return [f"{'#' * level} What to do", *parts]


def _commands(commands: list[str]) -> str:
    """A command a line, to be copied; none is cut, for half of it would be another command."""
    return _fenced("\n".join(line(command, 4_000) for command in commands), "sh")


def _details(finding: Finding) -> str:
    parts = []
    if finding.waiver:
        parts.append(f"Waiver: {_text(waived(finding))}")
    for name, words in why(finding).items():
        if "\n" in words:
            parts.append(f"{name.capitalize()}:\n\n{_fenced(words)}")
        else:
            parts.append(f"{name.capitalize()}: {_text(words)}")
    if finding.scale:
        parts.append(f"Scale: {_text(scale(finding))}")
    read = evidence(finding)
    if read:
        parts.append(f"Evidence:\n\n{_fenced(read)}")
    return "\n\n".join(parts)


def _folded(title: str, content: str, view: View) -> str:
    if not content:
        return ""
    opened = " open" if view.verbose else ""
    return f"<details{opened}><summary>{title}</summary>\n\n{content}\n\n</details>"


def _text(text: str) -> str:
    """Text that stays text, on one line, also inside of a table."""
    shown = line(text, WHOLE_TEXT)
    if not _ACTIVE.search(shown):
        return _MARKUP.sub(r"\\\1", shown)
    return _WORD.sub(lambda word: _inert(word[0]), shown).replace("|", "\\|")


def _inert(word: str) -> str:
    if _ACTIVE.search(word):
        return _code(word)
    return _MARKUP.sub(r"\\\1", word)


def _code(text: str) -> str:
    """A code span; a `|`, which would end the cell of a table, becomes a broken bar."""
    content = line(text).replace("|", "¦")
    if not content:
        return ""
    fence = "`" * (_longest_run(content) + 1)
    if content.startswith("`") or content.endswith("`"):
        content = f" {content} "  # else its backtick would belong to the fence
    return f"{fence}{content}{fence}"


def _fenced(text: str, language: str = "") -> str:
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    """Backticks in a row, at most: a fence must be longer."""
    return max((len(run) for run in re.findall("`+", text)), default=0)


FORMAT = Format("markdown", (".md",), render)
