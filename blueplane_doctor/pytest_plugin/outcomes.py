"""A finding as a test's outcome: what fails, what is skipped, what passes with a word."""

import pytest

from blueplane_doctor.errors import ExitCode
from blueplane_doctor.model import Finding, Status, exit_code_for
from blueplane_doctor.reports.words import details, line, observed, scale, standing, waived
from blueplane_doctor.settings import Settings

PROPERTY = "blueplane_"
"""Begins the names of a test's properties (in JUnit XML, and for the page of pytest-html)."""


def show(finding: Finding, item: pytest.Item, settings: Settings, *, compared: bool) -> None:
    """End the item as the finding deserves, by the rule that gives the command line its exit code.

    A waived one is an expected failure; what was not judged is skipped with its cause, or with `strict` fails.
    `compared` says that there is a baseline. Text of the finding is hostile, and comes through `words`.
    """
    said = f"{standing(finding)}: {line(finding.summary)}"
    text = f"{said}\n{details(finding)}"
    item.user_properties += properties(finding)
    if finding.waiver:
        pytest.xfail(f"{waived(finding)} ({said})")
    counted = finding.model_copy(update={"waiver": None})  # for --runxfail, which makes pytest.xfail do nothing
    only_new = settings.fail_on_new and compared
    if exit_code_for([counted], settings.fail_on, settings.strict, only_new=only_new) is not ExitCode.OK:
        pytest.fail(text, pytrace=False)
    if finding.status is not Status.GREEN:
        item.add_report_section("call", "health", text)
    if finding.status in (Status.UNKNOWN, Status.SKIPPED):
        pytest.skip(f"{line(finding.id)}: {said}{f': {line(finding.cause)}' if finding.cause else ''}")


def properties(finding: Finding) -> list[tuple[str, object]]:
    """What reports of pytest's other plugins show of a finding; they travel with the test's report."""
    values = {
        "status": standing(finding),
        "area": line(finding.area),
        "summary": line(finding.summary),
        "observed": observed(finding),
        "scale": scale(finding),
        "remedy": _remedy(finding),
    }
    return [(PROPERTY + name, value) for name, value in values.items() if value]


def _remedy(finding: Finding) -> str:
    if not finding.remedy:
        return ""
    commands = "".join(f" $ {line(command)}" for command in finding.remedy.commands)
    return line(finding.remedy.text) + commands
