"""The engine: collect the health records, let the checks judge them, gather the findings into a Report."""

import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from threading import Thread

from blueplane_doctor import __version__
from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.discovery import find_monitors, find_selected
from blueplane_doctor.errors import SourceError
from blueplane_doctor.evidence import Evidence
from blueplane_doctor.examination import Examination
from blueplane_doctor.model import (
    Finding,
    Report,
    Status,
    Tool,
    compared,
    count_statuses,
    counted,
    exit_code_for,
    in_order,
    worst,
)
from blueplane_doctor.settings import Settings
from blueplane_doctor.sources import Deadline
from blueplane_doctor.times import iso, parse_time
from blueplane_doctor.waivers import waived

JUDGING_SECONDS = 5.0
"""Time that all checks together may take once everything is read; the built-in ones take milliseconds."""
_PATIENCE = 0.02
"""The share of it that the others wait for one check, before they go on without it."""


def diagnose(settings: Settings, *, baseline: Report | None = None) -> Report:
    """Examine the pipeline once and judge it. Raises SettingsError and NoChecksError before anything is read."""
    found, checks = find_selected(settings)
    evidence = collect(settings, needed(checks))
    return judge(evidence, checks, found.problems, settings, baseline=baseline)


def needed(checks: Iterable[CheckSpec]) -> set[str]:
    """Names of the health records that these checks judge."""
    return {name for spec in checks for name in spec.needs}


def collect(settings: Settings, names: Iterable[str], progress: Callable[[int, int], None] | None = None) -> Evidence:
    """Read the records of these names, each monitor in a thread of its own, until the deadline.

    One source that hangs keeps only its own monitors from answering. `progress` is called with the messages read
    so far and all there are, from another thread.
    """
    monitors = find_monitors()
    examination = Examination(settings, progress)
    evidence = Evidence(taken_at=iso(examination.now) or "")
    began = time.perf_counter()

    def read(name: str) -> None:
        started = time.perf_counter()
        try:
            evidence.records[name] = monitors[name](examination).collect()
        except SourceError as error:
            evidence.missing[name] = error.message
        except (Exception, SystemExit) as error:  # a defect of ours must not take the other areas along
            evidence.missing[name] = f"the monitor broke: {_where(error)}"
        evidence.durations[name] = _milliseconds(started)

    threads = {name: Thread(target=read, args=(name,), daemon=True) for name in sorted(set(names) & set(monitors))}
    for thread in threads.values():
        thread.start()
    for name, thread in threads.items():
        thread.join(examination.deadline.remaining + 0.1)
        if thread.is_alive():
            evidence.missing[name] = f"no answer within the run's {settings.timeout:g} s"
    if not any(thread.is_alive() for thread in threads.values()):
        examination.close()
    evidence.duration_ms = _milliseconds(began)
    return evidence


def judge(
    evidence: Evidence,
    checks: list[CheckSpec],
    problems: list[Finding],
    settings: Settings,
    *,
    baseline: Report | None = None,
) -> Report:
    """The report that this evidence deserves; `problems` are findings about check files that could not be loaded."""
    monitors = find_monitors()
    findings = [*_judged(evidence, checks), *problems]
    if settings.waivers:
        taken = parse_time(evidence.taken_at)
        findings = waived(findings, settings.waivers, (taken or datetime.now(UTC)).date())
    findings = in_order(compared(findings, baseline) if baseline else findings)
    return Report(
        tool=Tool(version=__version__),
        generated_at=evidence.taken_at,
        duration_ms=evidence.duration_ms,
        status=worst(finding.status for finding in counted(findings)),
        exit_code=exit_code_for(
            findings, settings.fail_on, settings.strict, only_new=settings.fail_on_new and baseline is not None
        ),
        counts=count_statuses(findings),
        findings=findings,
        metrics={
            name: evidence.records[name].model_dump(mode="json") if name in evidence.records else None
            for name in sorted(monitors)
            if monitors[name].in_metrics
        },
        baseline=baseline.generated_at if baseline else None,
    )


def _judged(evidence: Evidence, checks: list[CheckSpec]) -> list[Finding]:
    # In threads: a check that never ends is left behind with its thread, and harms no other.
    findings: dict[str, Finding] = {}
    left = iter(checks)

    def run() -> None:
        for spec in left:
            findings[spec.id] = _run(spec, evidence)

    deadline, threads = Deadline(JUDGING_SECONDS), list[Thread]()
    while not threads or (threads[-1].is_alive() and not deadline.passed):
        threads.append(Thread(target=run, daemon=True))  # takes over where a check that hangs keeps the others waiting
        threads[-1].start()
        threads[-1].join(_PATIENCE * JUDGING_SECONDS)
    for thread in threads:
        thread.join(deadline.remaining)
    never = f"no verdict within {JUDGING_SECONDS:g} s; a check must only judge what it is handed"
    judged = []
    for spec in checks:
        finding = findings.get(spec.id) or _error(spec, never)
        took = max((evidence.durations.get(name, 0.0) for name in spec.needs), default=0.0)
        judged.append(finding.model_copy(update={"id": spec.id, "area": spec.area, "duration_ms": took}))
    return judged


def _run(spec: CheckSpec, evidence: Evidence) -> Finding:
    if missing := [name for name in spec.needs if name not in evidence.records]:
        return _skipped(spec, missing, evidence.missing)
    try:
        finding: object = spec.run(evidence.records)
        if isinstance(finding, Finding):
            finding.model_dump_json()  # evidence that no report could show is the check's fault, not the report's
            return finding
        return _error(spec, f"it returned {type(finding).__name__} instead of a Finding")
    except (Exception, SystemExit) as error:
        return _error(spec, _where(error))


def _skipped(spec: CheckSpec, missing: list[str], causes: Mapping[str, str]) -> Finding:
    if unknown := [name for name in missing if name not in causes and name not in find_monitors()]:
        return _error(spec, f"there is no health record named {', '.join(unknown)}")
    return Finding(
        status=Status.SKIPPED,
        summary=f"{spec.title}: not examined",
        cause="; ".join(dict.fromkeys(causes.get(name, "the kept evidence does not hold it") for name in missing)),
    )


def _error(spec: CheckSpec, cause: str) -> Finding:
    return Finding(status=Status.ERROR, summary=f"The check {spec.id} itself broke", cause=cause)


def _where(error: BaseException) -> str:
    # Not its text, which may quote what was examined.
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {last.filename.rpartition('/')[2]} line {last.lineno}"


def _milliseconds(since: float) -> float:
    return round((time.perf_counter() - since) * 1000, 1)
