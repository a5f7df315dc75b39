"""Health checks as pytest's nodes: a file or the usual checks as collector, each check as an item with its outcome."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.errors import ExitCode
from blueplane_doctor.model import Finding, Status
from blueplane_doctor.pytest_plugin.health import Health, health_of
from blueplane_doctor.reports.finding_phrases import details, observed, scale, standing, waived, why
from blueplane_doctor.reports.phrases import line

ROOT = "blueplane"
"""Stands in the place of a file in the ids of usual checks: `blueplane::queue-depth`."""
PROPERTY = "blueplane_"
"""Begins the names of a test's properties (in JUnit XML, and for the page of pytest-html)."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,127}")


class CheckItem(pytest.Item):
    """One check. It looks its finding up in the session's report, and runs nothing itself."""

    def __init__(self, *, check_id: str, summary: str = "", spec: CheckSpec | None = None, **of_node: Any) -> None:
        super().__init__(**of_node)
        self.key = check_id, summary
        """What tells this item's finding from all others."""
        self.spec = spec
        self.add_marker("blueplane")
        if spec:
            self.extra_keyword_matches.add(spec.area)

    def runtest(self) -> None:
        """Fail, skip or pass, as the finding says; no finding (a waiver in use) passes."""
        health = health_of(self.config)
        if finding := health.finding(*self.key):
            self.user_properties += _properties(finding)
            _end(self, finding, health)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The check function's own place."""
        if self.spec is None:
            return self.path, None, self.name
        code = self.spec.function.__code__
        return Path(code.co_filename), code.co_firstlineno - 1, self.name


def _end(item: pytest.Item, finding: Finding, health: Health) -> None:
    """By the rule that gives the command line its exit code; a waived one is an expected failure.

    Text of the finding is hostile, and comes through `words`.
    """
    verdict = f"{standing(finding)}: {line(finding.summary)}"
    text = f"{verdict}\n{details(finding)}"
    if finding.waiver:
        pytest.xfail(f"{waived(finding)} ({verdict})")
    counted = finding.model_copy(update={"waiver": None})  # for --runxfail, which makes pytest.xfail do nothing
    if health.doctor.exit_code([counted]) is not ExitCode.OK:
        pytest.fail(text, pytrace=False)
    if finding.status is not Status.GREEN:
        item.add_report_section("call", "health", text)
    if finding.status in (Status.UNKNOWN, Status.SKIPPED, Status.NOT_SET_UP):
        reason = f"{line(finding.id)}: {verdict}"
        if finding.cause:
            reason += f": {line(finding.cause)}"
        pytest.skip(reason)


def _properties(finding: Finding) -> list[tuple[str, object]]:
    """What reports of pytest's other plugins show of a finding; they travel with the test's report."""
    remedy = finding.remedy
    values = {
        "status": standing(finding),
        "area": line(finding.area),
        "summary": line(finding.summary),
        "observed": observed(finding),
        "scale": scale(finding),
        "follows_from": why(finding).get("follows from", ""),
        "remedy": " $ ".join(map(line, (remedy.text, *remedy.commands))) if remedy else "",
    }
    return [(PROPERTY + name, value) for name, value in values.items() if value]


class CheckFile(pytest.File):
    """A `check_*.py` that was met among the files."""

    def collect(self) -> Iterator[CheckItem]:
        """Its checks, and what kept them from being loaded."""
        own = health_of(self.config).checks_of(self.path)
        return _items(self, own.checks, own.problems)


class UsualChecks(pytest.Collector):
    """The checks that every run has: those named, or all but those that were collected from their files already."""

    def __init__(self, *, named: set[str], taken: set[tuple[str, str]], **of_node: Any) -> None:
        super().__init__(**of_node)
        self.named = named
        self.taken = taken

    def collect(self) -> Iterator[CheckItem]:
        """Raises CollectError for a name that none of them has."""
        items = [item for item in self._everything() if item.key not in self.taken]
        there = set()
        for item in items:
            there.add(item.name)
        if unknown := self.named - there:
            ids = ", ".join(f"{self.name}::{name}" for name in sorted(unknown))
            raise self.CollectError(f"not found: {ids}\n  try: see what there is: blueplane-doctor checks")
        yield from (item for item in items if item.name in self.named or not self.named)

    def _everything(self) -> Iterator[CheckItem]:
        """Checks in order of area and id, problems, and an item for each waiver: an unused one is a finding."""
        health = health_of(self.config)
        checks = sorted(health.usual.checks, key=lambda spec: (spec.area, spec.id))
        yield from _items(self, checks, health.usual.problems)
        for number, _ in enumerate(health.settings.waivers, 1):
            yield CheckItem.from_parent(self, name=f"waiver:{number}", check_id=f"waiver:{number}")


class Refusal(pytest.Collector):
    """Stands for checks that cannot be selected as it was asked for: an error of the collection, with its cause."""

    def __init__(self, *, cause: str, **of_node: Any) -> None:
        super().__init__(**of_node)
        self.cause = cause

    def collect(self) -> Iterator[CheckItem]:
        """Nothing. Raises CollectError."""
        raise self.CollectError(self.cause)


def _items(parent: pytest.Collector, checks: "Iterable[CheckSpec]", problems: Iterable[Finding]) -> Iterator[CheckItem]:
    """Of a check file that could not be loaded too: an error among the others, as on the command line."""
    for spec in checks:
        yield CheckItem.from_parent(parent, name=spec.id, check_id=spec.id, spec=spec)
    for problem in problems:
        # pytest-html puts the ids of tests into its page as they are.
        name = problem.id if _PLAIN_NAME.fullmatch(problem.id) else "check-file"
        yield CheckItem.from_parent(parent, name=name, check_id=problem.id, summary=problem.summary)
