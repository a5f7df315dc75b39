"""The main job: examine, or judge again what was kept; once, or until all is well."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blueplane_doctor.commands.base import (
    Invocation,
    checks_for,
    complain,
    progress,
    seconds,
    step_aside,
    write_file,
)
from blueplane_doctor.errors import UsageError

if TYPE_CHECKING:
    from blueplane_doctor.model import Report


@dataclass(frozen=True)
class Run:
    """What the main job was asked to do, beside the settings."""

    outputs: list[Path]
    baseline: Path | None
    waivers: Path | None
    wait: str | None
    every: str
    save_evidence: Path | None
    from_evidence: Path | None


def examined(given: Invocation, run: Run) -> "Report":
    """The report; with --wait the first that is good enough, or the last. Raises DoctorError."""
    step_aside()
    if run.from_evidence and (run.wait or run.save_evidence):
        raise UsageError("--from-evidence reads one file; it goes with neither --wait nor --save-evidence")
    limit = seconds(run.wait, "--wait") if run.wait else 0.0
    pause = seconds(run.every, "--every")
    settings = given.load().settings
    from blueplane_doctor.diagnose import collect, judge, needed
    from blueplane_doctor.evidence import read_evidence, to_json
    from blueplane_doctor.selection import meaningless

    if run.waivers:
        from blueplane_doctor.waivers import read_waivers

        settings = settings.model_copy(update={"waivers": [*settings.waivers, *read_waivers(run.waivers)]})
    baseline = None
    if run.baseline:
        from blueplane_doctor.reports.saved import read_report

        baseline = read_report(run.baseline)
    elif settings.fail_on_new:
        raise UsageError("--fail-on new:… needs a report to compare with", "name it with --baseline REPORT.json")
    found, checks = checks_for(settings)
    for word in meaningless(settings, found.checks):
        complain(f"warning: {word} in --select or --ignore means no check")
    end = time.monotonic() + limit
    while True:
        if run.from_evidence:
            evidence = read_evidence(run.from_evidence)
        else:
            with progress() as tell:
                evidence = collect(settings, needed(checks), tell)
        report = judge(evidence, checks, found.problems, settings, baseline=baseline)
        if report.exit_code == 0 or time.monotonic() + pause > end:
            break
        time.sleep(pause)
    if run.save_evidence:
        write_file(run.save_evidence, to_json(evidence))
    return report
