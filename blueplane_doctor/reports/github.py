"""GitHub Actions' workflow commands: each finding becomes an annotation of the run.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands: the step summary is Markdown, and
so is written by the format `markdown`.
"""

from blueplane_doctor.model import Finding, Report, Status
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.phrases import block, is_quiet, line, observed, scale, standing, verdict, waived

_LEVELS = {
    Status.RED: "error",
    Status.ORANGE: "error",
    Status.ERROR: "error",
    Status.YELLOW: "warning",
    Status.UNKNOWN: "warning",
}


def render(report: Report, view: View) -> str:
    """The verdict, then what is not green, worst first: GitHub shows ten annotations of a level and step.

    A green finding is shown only when that is news: its check was not green in the baseline.
    """
    lines = [_command(_LEVELS.get(report.status, "notice"), "blueplane-doctor", verdict(report))]
    if not view.quiet:
        lines += [_annotation(finding) for finding in report.findings if not is_quiet(finding)]
    return "\n".join(lines) + "\n"


def _annotation(finding: Finding) -> str:
    level = "notice" if finding.waiver else _LEVELS.get(finding.status, "notice")
    lines = [line(finding.summary), waived(finding), block(finding.cause), _graded(finding)]
    if finding.remedy:
        lines.append(line(finding.remedy.text))
        lines += [f"$ {line(command)}" for command in finding.remedy.commands]
    message = "\n".join(text for text in lines if text)
    return _command(level, f"{line(finding.id)} ({standing(finding)})", message)


def _graded(finding: Finding) -> str:
    """What was observed, and the scale; empty when nothing was."""
    value = observed(finding)
    if not value:
        return ""
    words = scale(finding)
    return f"Observed: {value} ({words})" if words else f"Observed: {value}"


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_data(title).replace(':', '%3A').replace(',', '%2C')}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


FORMAT = Format("github", (), render)
