"""What one pytest session knows of the pipeline: read once and judged once, and not before somebody asks."""

import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from blueplane_doctor.pytest_plugin.options import file_given, load_baseline, load_settings

if TYPE_CHECKING:
    from blueplane_doctor.checkapi import CheckSpec
    from blueplane_doctor.discovery import Found
    from blueplane_doctor.evidence import Evidence
    from blueplane_doctor.model import Finding, Report
    from blueplane_doctor.settings import Settings

HANDED_OVER = "blueplane_evidence"
"""Where a worker of pytest-xdist finds the evidence that the controller has read."""


class Health:
    """Settings, checks, evidence and report of a session. Every part may raise DoctorError."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.names: set[str] | None = None
        """The records to read, where it is known that no others will be asked for; None: all."""

    def load(self) -> None:
        """Load what files and options say, so that what cannot be used is known at once. Raises DoctorError."""
        parts = ["settings", "baseline", *(["evidence"] if self._kept else [])]
        for part in parts:
            getattr(self, part)

    @cached_property
    def settings(self) -> "Settings":
        """The settings in force."""
        return load_settings(self._config)

    @cached_property
    def baseline(self) -> "Report | None":
        """The report to compare with, where one is named."""
        return load_baseline(self._config, self.settings)

    @cached_property
    def usual(self) -> "Found":
        """The checks that every run has: built-in ones, those of other packages, those of the settings' folders."""
        from blueplane_doctor.discovery import find_checks

        return find_checks(self.settings.check_folders)

    @cached_property
    def found(self) -> "Found":
        """The usual checks and those of the files collected so far."""
        from blueplane_doctor.discovery import Found

        return Found([*self.usual.checks], [*self.usual.problems])

    @cached_property
    def chosen(self) -> "list[CheckSpec]":
        """The selected checks, with the settings' thresholds; asked for when everything is collected."""
        from blueplane_doctor.discovery import selected

        return selected(self.found.checks, self.settings)

    @cached_property
    def evidence(self) -> "Evidence":
        """The health records."""
        from blueplane_doctor.diagnose import collect
        from blueplane_doctor.discovery import find_monitors
        from blueplane_doctor.evidence import from_json, read_evidence

        if text := getattr(self._config, "workerinput", {}).get(HANDED_OVER):
            return from_json(text, Path(HANDED_OVER))
        if self._kept:
            return read_evidence(self._kept)
        return collect(self.settings, find_monitors() if self.names is None else self.names)

    @cached_property
    def report(self) -> "Report":
        """The report on all selected checks."""
        from blueplane_doctor.diagnose import judge

        return judge(self.evidence, self.chosen, self.found.problems, self.settings, baseline=self.baseline)

    def checks_of(self, file: Path) -> "Found":
        """What a file holds, known to the session from now on. The file is not imported as a module of its folder."""
        from blueplane_doctor.discovery import Found, find_checks

        mine = [spec for spec in self.usual.checks if _source(spec) == file.resolve()]
        if mine:
            return Found(mine)
        alone = find_checks([file])
        if earlier := self._holders_of({spec.id for spec in alone.checks}, file):
            alone = find_checks([*earlier, file])  # says in the command line's own words that an id is taken
        mine = [spec for spec in alone.checks if _source(spec) == file.resolve()]
        known = {spec.id for spec in self.found.checks}
        self.found.checks += [spec for spec in mine if spec.id not in known]
        others = find_checks().problems
        problems = [problem for problem in alone.problems if problem not in others]
        self.found.problems += [problem for problem in problems if problem not in self.found.problems]
        return Found(mine, problems)

    @property
    def _kept(self) -> Path | None:
        return file_given(self._config, "from_evidence")

    def finding(self, check_id: str, summary: str = "") -> "Finding | None":
        """The finding of that id; `summary` tells apart the problems of files that have the same name."""
        findings = self.report.findings
        return next((f for f in findings if f.id == check_id and summary in ("", f.summary)), None)

    def _holders_of(self, ids: set[str], file: Path) -> list[Path]:
        holders = {_source(spec) for spec in self.found.checks if spec.id in ids and spec.origin != "built-in"}
        return sorted(holders - {file.resolve()})


def health_of(config: pytest.Config) -> Health:
    """The one of this session."""
    return config.stash.setdefault(_KEY, Health(config))


def _source(spec: "CheckSpec") -> Path:
    return Path(sys.modules[spec.function.__module__].__file__ or "").resolve()


_KEY = pytest.StashKey[Health]()
