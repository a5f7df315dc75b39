"""The doctor, run as a process or by its library, and what it said."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from blueplane_doctor.judging.diagnose import diagnose
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.json import render
from blueplane_doctor.settings.values import load
from tests.preloaded import preloaded_doctor

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Examination:
    """One run: its exit code and what it printed."""

    exit_code: int
    stdout: str
    stderr: str

    @cached_property
    def report(self) -> Any:
        """The JSON report. Raises ValueError where stdout is none."""
        return json.loads(self.stdout)

    @property
    def status(self) -> str:
        """The verdict."""
        status: str = self.report["status"]
        return status

    def finding(self, check: str) -> Any:
        """The finding of one check."""
        matches = [finding for finding in self.report["findings"] if finding["id"] == check]
        assert len(matches) == 1, f"{len(matches)} findings of {check}"
        return matches[0]

    def colours(self) -> dict[str, str]:
        """The status of each check that is not green."""
        findings = self.report["findings"]
        return {finding["id"]: finding["status"] for finding in findings if finding["status"] != "green"}

    @property
    def custody(self) -> Any:
        """The chain of custody's metrics; None where it could not be judged."""
        return self.report["metrics"]["chain"]


def run_doctor(arguments: Sequence[str], environment: Mapping[str, str], timeout: float) -> Examination:
    """Run the doctor with these arguments; JSON on stdout unless they name another format."""
    formats = [argument for argument in arguments if argument in ("-f", "--format")]
    command = [*preloaded_doctor(), *arguments]
    if not formats:
        command += ["--format", "json"]
    completed = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        cwd=environment["HOME"],
        env={**environment, "PYTHONPATH": str(REPOSITORY)},
        check=False,
    )
    return Examination(completed.returncode, completed.stdout, completed.stderr)


def examine(flags: Mapping[str, object], environment: Mapping[str, str]) -> Examination:
    """What `run_doctor` gives for these settings, without the start of a process, which takes most of its time."""
    with _in(environment):
        report = diagnose(load(flags).settings)
    return Examination(report.exit_code, render(report, View()), "")


@contextlib.contextmanager
def _in(environment: Mapping[str, str]) -> Iterator[None]:
    """These environment variables alone, as a process has them that is started with them."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
