"""GitHub Actions' workflow commands: each cause, and each finding that no cause explains, annotates the run.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands: the step summary is Markdown, and
so is written by the format `markdown`.
"""

from blueplane_doctor.model import Cause, Finding, Remedy, Report, Status
from blueplane_doctor.reports import cause_phrases
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.finding_phrases import is_quiet, observed, scale, standing, waived
from blueplane_doctor.reports.phrases import block, line, verdict

_LEVELS = {
    Status.RED: "error",
    Status.ORANGE: "error",
    Status.ERROR: "error",
    Status.YELLOW: "warning",
    Status.UNKNOWN: "warning",
}


def render(report: Report, view: View) -> str:
    """The verdict, the causes, then what stands for itself, worst first: GitHub shows ten annotations of a level.

    A green finding is shown only when that is news: its check was not green in the baseline.
    """
    lines = [_command(_LEVELS.get(report.status, "notice"), "blueplane-doctor", verdict(report))]
    if not view.quiet:
        for cause in report.causes:
            lines.append(_cause(cause, report))
        for finding in cause_phrases.on_their_own(report):
            if not is_quiet(finding):
                lines.append(_annotation(finding))
    return "\n".join(lines) + "\n"


def _cause(cause: Cause, report: Report) -> str:
    lines = [cause_phrases.summary(cause)]
    stake = cause_phrases.stake(cause)
    if stake:
        lines.append(f"At stake: {stake}")
    lines += _advised(cause.next_step)
    what = cause_phrases.follows(cause, report.findings)
    if what:
        lines.append(f"explains: {what}")
    title = f"{line(cause.title)} ({cause_phrases.standing_of(cause, report)})"
    return _command(_LEVELS.get(cause.status, "notice"), title, "\n".join(lines))


def _annotation(finding: Finding) -> str:
    level = "notice"
    if not finding.waiver:
        level = _LEVELS.get(finding.status, "notice")
    lines = [line(finding.summary), waived(finding), block(finding.cause), _graded(finding), *_advised(finding.remedy)]
    return _command(level, f"{line(finding.id)} ({standing(finding)})", "\n".join(filter(None, lines)))


def _advised(remedy: Remedy | None) -> list[str]:
    if remedy is None:
        return []
    lines = [line(remedy.text, 600)]
    for command in remedy.commands:
        lines.append(f"$ {line(command, 4_000)}")
    return lines


def _graded(finding: Finding) -> str:
    """What was observed, and the scale; empty when nothing was."""
    value = observed(finding)
    if not value:
        return ""
    words = scale(finding)
    if words:
        value += f" ({words})"
    return f"Observed: {value}"


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_data(title).replace(':', '%3A').replace(',', '%2C')}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


FORMAT = Format("github", (), render, commands=True)
