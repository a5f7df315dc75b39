"""Health checks as pytest's nodes: a file or the usual checks as collector, each check as an item."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from blueplane_doctor.pytest_plugin.health import health_of
from blueplane_doctor.pytest_plugin.outcomes import show
from blueplane_doctor.text import identifier

if TYPE_CHECKING:
    from blueplane_doctor.checkapi import CheckSpec
    from blueplane_doctor.model import Finding

ROOT = "blueplane"
"""Stands in the place of a file in the ids of usual checks: `blueplane::queue-depth`."""


class CheckItem(pytest.Item):
    """One check. It looks its finding up in the session's report, and runs nothing itself."""

    def __init__(self, *, check_id: str, summary: str = "", spec: "CheckSpec | None" = None, **of_node: Any) -> None:
        super().__init__(**of_node)
        self.check_id = check_id
        self.summary = summary
        self.spec = spec
        self.add_marker("blueplane")
        if spec:
            self.extra_keyword_matches.add(spec.area)

    @classmethod
    def of_check(cls, parent: pytest.Collector, spec: "CheckSpec") -> Self:
        """The item of a check."""
        return cls.from_parent(parent, name=spec.id, check_id=spec.id, spec=spec)

    @classmethod
    def of_problem(cls, parent: pytest.Collector, problem: "Finding") -> Self:
        """The item of a check file that could not be loaded: an error among the others, as on the command line."""
        return cls.from_parent(parent, name=_name(problem.id), check_id=problem.id, summary=problem.summary)

    @property
    def key(self) -> tuple[str, str]:
        """What tells this item's finding from all others."""
        return self.check_id, self.summary

    def runtest(self) -> None:
        """Fail, skip or pass, as the finding says; no finding (a waiver in use) passes."""
        health = health_of(self.config)
        finding = health.finding(*self.key)
        if finding:
            show(finding, self, health.settings, compared=health.baseline is not None)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The check function's own place."""
        if self.spec is None:
            return self.path, None, self.name
        code = self.spec.function.__code__
        return Path(code.co_filename), code.co_firstlineno - 1, self.name


class CheckFile(pytest.File):
    """A `check_*.py` that was met among the files."""

    def collect(self) -> Iterator[CheckItem]:
        """Its checks, and what kept them from being loaded."""
        found = health_of(self.config).checks_of(self.path)
        for spec in found.checks:
            yield CheckItem.of_check(self, spec)
        for problem in found.problems:
            yield CheckItem.of_problem(self, problem)


class UsualChecks(pytest.Collector):
    """The checks that every run has: those named, or all but those that were collected from their files already."""

    def __init__(self, *, named: set[str], taken: set[tuple[str, str]], **of_node: Any) -> None:
        super().__init__(**of_node)
        self.named = named
        self.taken = taken

    def collect(self) -> Iterator[CheckItem]:
        """Raises CollectError for a name that none of them has."""
        items = [item for item in self._everything() if item.key not in self.taken]
        if unknown := self.named - {item.name for item in items}:
            ids = ", ".join(f"{self.name}::{name}" for name in sorted(unknown))
            raise self.CollectError(f"not found: {ids}\n  try: see what there is: blueplane-doctor checks")
        yield from (item for item in items if item.name in self.named or not self.named)

    def _everything(self) -> Iterator[CheckItem]:
        """Checks in order of area and id, problems, and an item for each waiver: an unused one is a finding."""
        health = health_of(self.config)
        for spec in sorted(health.usual.checks, key=lambda spec: (spec.area, spec.id)):
            yield CheckItem.of_check(self, spec)
        for problem in health.usual.problems:
            yield CheckItem.of_problem(self, problem)
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


def _name(problem_id: str) -> str:
    """The id as part of a test's id: pytest-html puts these into its page as they are."""
    return problem_id if identifier(problem_id) == problem_id else "check-file"
