"""Markdown for a pull request, a ticket or a job summary: the verdict, what is ill, what to do, the rest folded away.

Written for GitHub's and GitLab's dialect, in which text can do much more than look: it mentions people, refers to
issues, loads pictures. So text of the report is escaped, and words that would become a mention, a reference or a
link are put into code spans, where nothing is read.
"""

import re
from html import escape

from blueplane_doctor.model import Finding, Report, Status, counted
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.phrases import advice, block, evidence, is_quiet, line, observed, scale, verdict, waived

_SIGNS = {
    Status.GREEN: "🟢",
    Status.YELLOW: "🟡",
    Status.ORANGE: "🟠",
    Status.RED: "🔴",
    Status.UNKNOWN: "❔",
    Status.SKIPPED: "⏭️",
    Status.ERROR: "💥",
}
_WORD = re.compile(r"[^\s|]+")
_ACTIVE = re.compile(r"[@#$]|://|www\.|\bGH-\d|[!%&~^*]\w", re.IGNORECASE)
"""In a word: mentions, references to issues and merge requests, formulas, links."""
_MARKUP = re.compile(r"([\\`*_\[\]<>&~|!])")


def render(report: Report, view: View) -> str:
    """Sections only where there is something in them; with `verbose` nothing is folded."""
    beside = f", beside the baseline of {_text(report.baseline)}" if report.baseline else ""
    made = f"Examined {_text(report.generated_at)} by blueplane-doctor {_text(report.tool.version)}{beside}."
    parts = [f"## {_SIGNS[report.status]} Blueplane: {_text(verdict(report))}", made]
    if not view.quiet:
        ill = [f for f in report.findings if not is_quiet(f)]
        well = [f for f in report.findings if is_quiet(f)]
        details = [_folded(f"<code>{escape(line(f.id))}</code>: more", _more(f), view) for f in ill]
        parts += [_table(ill), *_remedies(ill), *details, _folded("Green", _table(well), view)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(findings: list[Finding]) -> str:
    if not findings:
        return ""
    rows = [
        f"| {_SIGNS[f.status]} {_standing(f)} | {_code(f.id)} | {_text(observed(f))} | {_text(f.summary)} |"
        for f in findings
    ]
    return "\n".join(["| status | check | observed | what it means |", "| --- | --- | --- | --- |", *rows])


def _standing(finding: Finding) -> str:
    more = ["waived"] if finding.waiver else []
    more += [f"**{finding.change.value}**"] if finding.change else []
    return ", ".join([finding.status.value, *more])


def _remedies(findings: list[Finding]) -> list[str]:
    advised = advice(counted(findings))
    parts = ["### What to do"] if advised else []
    for (text, *commands), names in advised.items():
        parts.append(f"{', '.join(map(_code, names))}: {_text(text)}")
        parts += [_fenced("\n".join(map(line, commands)), "sh")] if commands else []
    return parts


def _more(finding: Finding) -> str:
    said = {
        "Waiver": _text(waived(finding)),
        "Cause": _fenced(block(finding.cause)) if "\n" in finding.cause else _text(finding.cause),
        "Scale": _text(scale(finding)),
        "Evidence": _fenced(text) if (text := evidence(finding)) else "",
    }
    gaps = {name: "\n\n" if text.startswith("```") else " " for name, text in said.items() if text}
    return "\n\n".join(f"{name}:{gap}{said[name]}" for name, gap in gaps.items())


def _folded(title: str, content: str, view: View) -> str:
    opened = " open" if view.verbose else ""
    return f"<details{opened}><summary>{title}</summary>\n\n{content}\n\n</details>" if content else ""


def _text(text: str) -> str:
    """Text that stays text, on one line, also inside of a table."""
    shown = line(text)
    if not _ACTIVE.search(shown):
        return _MARKUP.sub(r"\\\1", shown)
    return _WORD.sub(lambda word: _inert(word[0]), shown).replace("|", "\\|")


def _inert(word: str) -> str:
    return _code(word) if _ACTIVE.search(word) else _MARKUP.sub(r"\\\1", word)


def _code(text: str) -> str:
    """A code span; a `|`, which would end the cell of a table, becomes a broken bar."""
    shown = line(text).replace("|", "¦")
    fence = "`" * (_longest_run(shown) + 1)
    edge = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{edge}{shown}{edge}{fence}" if shown else ""


def _fenced(text: str, language: str = "") -> str:
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0) if "`" in text else 0


FORMAT = Format("markdown", (".md",), render)
