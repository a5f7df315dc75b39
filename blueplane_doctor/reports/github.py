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

    A green finding is shown only when that is news: its check was ill in the baseline.
    """
    lines = [_command(_LEVELS.get(report.status, "notice"), "blueplane-doctor", verdict(report))]
    if not view.quiet:
        lines += [_annotation(f) for f in report.findings if not is_quiet(f)]
    return "\n".join(lines) + "\n"


def _annotation(finding: Finding) -> str:
    level = "notice" if finding.waiver else _LEVELS.get(finding.status, "notice")
    lines = [line(finding.summary), waived(finding), block(finding.cause)]
    if finding.observed is not None:
        graded = f" ({scale(finding)})" if finding.scale else ""
        lines.append(f"Observed: {observed(finding)}{graded}")
    if finding.remedy:
        lines += [line(finding.remedy.text), *(f"$ {line(command)}" for command in finding.remedy.commands)]
    return _command(level, f"{line(finding.id)} ({standing(finding)})", "\n".join(text for text in lines if text))


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_data(title).replace(':', '%3A').replace(',', '%2C')}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


FORMAT = Format("github", (), render)
