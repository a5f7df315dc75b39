"""The main job: examine, or judge again what was kept; once, or until all is well."""

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blueplane_doctor.commands.base import Invocation, progress, say, seconds, write_file
from blueplane_doctor.errors import UsageError

if TYPE_CHECKING:
    from blueplane_doctor.checkapi import CheckSpec
    from blueplane_doctor.evidence import Evidence
    from blueplane_doctor.model import Finding, Report
    from blueplane_doctor.settings import Settings


@dataclass(frozen=True)
class Run:
    """What the main job was asked to do, beside the settings."""

    outputs: list[Path]
    baseline: Path | None = None
    waivers: Path | None = None
    wait: str | None = None
    every: str = "2s"
    save_evidence: Path | None = None
    from_evidence: Path | None = None


def examined(given: Invocation, run: Run) -> "Report":
    """The report; with --wait the first that is good enough, or the last. Raises DoctorError."""
    from blueplane_doctor.discovery import find_checks
    from blueplane_doctor.selection import meaningless, selected

    step_aside()
    if run.from_evidence and (run.wait or run.save_evidence):
        raise UsageError("--from-evidence reads one file; it goes with neither --wait nor --save-evidence")
    limit = seconds(run.wait, "--wait") if run.wait else 0.0
    pause = seconds(run.every, "--every")
    settings = _settings(given, run)
    baseline = _baseline(run.baseline, settings)
    found = find_checks(settings.check_folders)
    checks = selected(found.checks, settings)
    for word in meaningless(settings, found.checks):
        say(f"blueplane-doctor: warning: {word} in --select or --ignore means no check")
    end = time.monotonic() + limit
    while True:
        evidence = _evidence(run, settings, checks)
        report = _judged(evidence, checks, found.problems, settings, baseline)
        if report.exit_code == 0 or time.monotonic() + pause > end:
            break
        time.sleep(pause)
    if run.save_evidence:
        from blueplane_doctor.evidence import to_json

        write_file(run.save_evidence, to_json(evidence))
    return report


def step_aside() -> None:
    """Let the pipeline come first on a machine that has too little for both."""
    with contextlib.suppress(OSError, AttributeError):  # AttributeError: there is no nice on Windows
        os.nice(15)


def _settings(given: Invocation, run: Run) -> "Settings":
    settings = given.load().settings
    if run.waivers is None:
        return settings
    from blueplane_doctor.waivers import read_waivers

    return settings.model_copy(update={"waivers": [*settings.waivers, *read_waivers(run.waivers)]})


def _baseline(path: Path | None, settings: "Settings") -> "Report | None":
    if path is None:
        if settings.fail_on_new:
            raise UsageError("--fail-on new:… needs a report to compare with", "name it with --baseline REPORT.json")
        return None
    from blueplane_doctor.reports.json import read_report

    return read_report(path)


def _evidence(run: Run, settings: "Settings", checks: "list[CheckSpec]") -> "Evidence":
    if run.from_evidence:
        from blueplane_doctor.evidence import read_evidence

        return read_evidence(run.from_evidence)
    from blueplane_doctor.diagnose import collect, needed

    with progress() as tell:
        return collect(settings, needed(checks), tell)


def _judged(
    evidence: "Evidence",
    checks: "list[CheckSpec]",
    problems: "list[Finding]",
    settings: "Settings",
    baseline: "Report | None",
) -> "Report":
    from blueplane_doctor.diagnose import judge

    return judge(evidence, checks, problems, settings, baseline=baseline)
