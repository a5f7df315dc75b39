"""What one pytest session knows of the pipeline: read once and judged once, and not before somebody asks."""

import os
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.errors import DoctorError, UsageError
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.judging.evidence import Evidence
from blueplane_doctor.judging.kept import evidence_from, read_evidence, read_report
from blueplane_doctor.model import Cause, Finding, Report
from blueplane_doctor.plugins.discovery import AvailableChecks, find_checks, find_monitors
from blueplane_doctor.settings.options import OPTIONS, Options
from blueplane_doctor.settings.values import Settings, load
from blueplane_doctor.settings.waivers import read_waivers

HANDED_OVER = "blueplane_evidence"
"""Where a worker of pytest-xdist finds the evidence that the controller has read."""
_PATHS = ("home", "database", "event_buffer", "cursor_hooks", "claude_projects", "checks", "monitors")


class Health:
    """Settings, checks, evidence and report of a session. Every part may raise DoctorError."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.names: frozenset[str] | None = None
        """The records to read, where it is known that no others will be asked for; None: all."""

    def load(self) -> None:
        """Load what files and options say, so that what cannot be used is known at once."""
        _ = self.settings, self.baseline
        if self._kept:
            _ = self.evidence

    @cached_property
    def settings(self) -> Settings:
        """Those in force, with the waivers beside the code; relative paths are those of pytest's start."""

        given = {}
        for option in OPTIONS.values():
            if option.in_pytest:
                given[option.name] = self._given(option.name)
        settings = load(Options(**given).settings_flags(), file=self._file("settings"), for_examination=True).settings
        changes: dict[str, Any] = {}
        for name in _PATHS:
            changes[name] = self._from_start(getattr(settings, name))
        if waivers := self._file("waivers"):
            changes["waivers"] = [*settings.waivers, *read_waivers(waivers)]
        return settings.model_copy(update=changes)

    @cached_property
    def baseline(self) -> Report | None:
        """The report to compare with, where one is named."""

        path = self._file("baseline")
        if path is None and self.settings.fail_on_new:
            raise UsageError("--fail-on new:… needs a report to compare with", "name it with --blueplane-baseline")
        return read_report(path) if path else None

    @cached_property
    def usual(self) -> AvailableChecks:
        """The checks that every run has: built-in ones, those of other packages, those of the settings' folders."""

        return find_checks(self.settings.check_folders, self.settings.monitor_folders)

    @cached_property
    def available(self) -> AvailableChecks:
        """The usual checks and those of the files collected so far."""

        return AvailableChecks([*self.usual.checks], [*self.usual.problems], [*self.usual.causes])

    @cached_property
    def doctor(self) -> Doctor:
        """Knows the selected checks; asked for when everything is collected."""

        return Doctor(self.settings, self.baseline, available=self.available)

    @cached_property
    def evidence(self) -> Evidence:
        """The health records."""

        handed_over = getattr(self._config, "workerinput", {}).get(HANDED_OVER)
        if handed_over:
            return evidence_from(handed_over, Path(HANDED_OVER), self.settings.monitor_folders)
        if self._kept:
            return read_evidence(self._kept, self.settings.monitor_folders)
        if self.names is not None:
            return self.doctor.collect(names=self.names)
        # What is selected may be a check of a file that only the workers of pytest-xdist collect.
        unselected = self.settings.model_copy(update={"select": [], "ignore": [], "thresholds": {}})
        evidence = Doctor(unselected).collect(names=find_monitors(self.settings.monitor_folders))
        evidence.thresholds = dict(self.settings.thresholds)  # those by which it will be judged
        return evidence

    @cached_property
    def report(self) -> Report:
        """The report on all selected checks."""
        return self.doctor.judge(self.evidence)

    @property
    def causes(self) -> list[Cause]:
        """The causes; none where this process did not examine the pipeline."""
        # `report` is cached once somebody asked for it. To ask here would examine the pipeline, which under
        # pytest-xdist others do, and where settings cannot be used nobody.
        if "report" not in vars(self):
            return []
        return self.report.causes

    def checks_of(self, file: Path) -> AvailableChecks:
        """What a file holds, known to the session from now on. The file is not imported as a module of its folder."""

        mine = _of_file(self.usual.checks, file)
        if mine:
            return AvailableChecks(mine)
        alone = find_checks([file])
        earlier = self._files_with_the_ids_of(alone.checks) - {file.resolve()}
        if earlier:
            alone = find_checks([*sorted(earlier), file])  # says in the command line's own words that an id is taken
        mine = _of_file(alone.checks, file)
        known = {spec.id for spec in self.available.checks}
        for spec in mine:
            if spec.id not in known:
                self.available.checks.append(spec)
        others = find_checks().problems
        problems = [problem for problem in alone.problems if problem not in others]
        for problem in problems:
            if problem not in self.available.problems:
                self.available.problems.append(problem)
        return AvailableChecks(mine, problems)

    def _files_with_the_ids_of(self, checks: list[CheckSpec]) -> set[Path]:
        """The files, met so far, of checks that have the same ids; not those of built-in checks."""
        ids = {spec.id for spec in checks}
        files = set()
        for spec in self.available.checks:
            if spec.id in ids and spec.origin != "built-in":
                files.add(_source(spec))
        return files

    def finding(self, check_id: str, summary: str = "") -> Finding | None:
        """The finding of that id; `summary` tells apart the problems of files that have the same name."""
        for finding in self.report.findings:
            if finding.id == check_id and summary in ("", finding.summary):
                return finding
        return None

    @property
    def _kept(self) -> Path | None:
        return self._file("from_evidence")

    def _file(self, name: str) -> Path | None:
        """What an option names, or else the variable that means the same on the command line."""
        value = self._given(name) or os.environ.get(OPTIONS[name].variable)
        return self._config.invocation_params.dir / value if value else None

    def _given(self, name: str) -> Any:
        return self._config.getoption(f"blueplane_{name}")

    def _from_start(self, value: Path | list[Path] | None) -> Path | list[Path] | None:
        start = self._config.invocation_params.dir
        if isinstance(value, list):
            return [start / path for path in value]
        return start / value if value else None


def health_of(config: pytest.Config) -> Health:
    """The one of this session."""
    return config.stash.setdefault(_KEY, Health(config))


def text_of(error: DoctorError) -> str:
    """An error's message and hint, with options by the names that they have here."""
    message = error.message
    if message.startswith("--"):
        message = f"--blueplane-{message[2:]}"
    if error.hint:
        message += f"\n  try: {error.hint}"
    return message


def _of_file(checks: list[CheckSpec], file: Path) -> list[CheckSpec]:
    return [spec for spec in checks if _source(spec) == file.resolve()]


def _source(spec: CheckSpec) -> Path:
    return Path(sys.modules[spec.function.__module__].__file__ or "").resolve()


_KEY = pytest.StashKey[Health]()
