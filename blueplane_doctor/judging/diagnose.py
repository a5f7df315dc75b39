"""The engine: a Doctor collects the health records, lets the checks judge them, and gathers the findings."""

import copy
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from blueplane_doctor import __version__
from blueplane_doctor.errors import ExitCode, FileUnreadable, SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.findings import compared, count_statuses, exit_code_for, in_order
from blueplane_doctor.history.samples import HISTORY
from blueplane_doctor.judging.causes import explained
from blueplane_doctor.judging.check_runner import HangingChecks, judged
from blueplane_doctor.judging.evidence import Evidence
from blueplane_doctor.judging.status_changes import changes_told, with_history
from blueplane_doctor.model import Finding, Report, Status, Tool
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.monitoring.connections import Connections
from blueplane_doctor.monitoring.server_health import ServerHealth
from blueplane_doctor.plugins.discovery import AvailableChecks, find_checks, find_monitors, selected
from blueplane_doctor.plugins.mistakes import mistake_at_run
from blueplane_doctor.process.threads import NO_THREADS, has_begun
from blueplane_doctor.records.base import Record
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.settings.waivers import waived
from blueplane_doctor.text.times import iso, parse_time
from blueplane_doctor.verdict import headline_of, status_of

_FIRST_STEPS = (
    "start the Blueplane server once, or name where it is with --home and --redis-url; "
    "blueplane-doctor demo shows a simulated one"
)
_SPARE_SECONDS = 0.1
"""Time beyond the deadline in which a reader that has just given up can still say why."""

Progress = Callable[[int, int], None]
"""Is called with the messages read so far and all there are, from another thread."""


def diagnose(settings: Settings, *, baseline: Report | None = None) -> Report:
    """Examine the pipeline once and judge it. Raises SettingsError and NoChecksError before anything is read."""
    return Doctor(settings, baseline).examine()


class Doctor:
    """Examines the pipeline of these settings, as often as it is asked, from several threads if need be.

    The checks are collected once, when it is made.
    """

    def __init__(
        self, settings: Settings, baseline: Report | None = None, *, available: AvailableChecks | None = None
    ) -> None:
        """`available`: all checks that there are, for a caller that has collected them itself.

        Raises SettingsError and NoChecksError.
        """
        self.settings = settings
        self.baseline = baseline
        self.available = available or find_checks(settings.check_folders, settings.monitor_folders)
        self.checks = selected(self.available.checks, settings, self.available.problems)
        """The checks to run, with the settings' thresholds."""
        self._given_up: list[_Reader] = []
        self._hanging_checks = HangingChecks()
        self._lock = Lock()

    @property
    def needs(self) -> frozenset[str]:
        """Names of the health records that the checks judge."""
        names: set[str] = set()
        for spec in self.checks:
            names.update(spec.needs)
        return frozenset(names)

    @property
    def hanging_reads(self) -> Counter[str]:
        """By health record, the reads that were given up when their time was over, and have not ended since."""
        counts: Counter[str] = Counter()
        with self._lock:
            self._given_up = [reader for reader in self._given_up if reader.is_alive()]
            counts.update(reader.record_name for reader in self._given_up)
        return counts

    def without(self, record: str) -> "Doctor":
        """The same doctor, but it does not read this record, and runs no check that cannot do without it."""
        other = copy.copy(self)
        other.checks = []
        for spec in self.checks:
            if record not in spec.needs:
                other.checks.append(spec)
            elif record in spec.optional:
                others = tuple(name for name in spec.needs if name != record)
                other.checks.append(spec._replace(needs=others))
        return other

    def examine(self) -> Report:
        """Read and judge, once."""
        return self.judge(self.collect())

    def collect(
        self,
        progress: Progress | None = None,
        *,
        names: Iterable[str] | None = None,
        timeout: float | None = None,
        examination: Examination | None = None,
    ) -> Evidence:
        """Read the health records, each monitor in a thread of its own, until the deadline.

        A source that hangs keeps only its own monitors from answering. `names`: the records to read; default: those
        that the checks need. `timeout`: seconds for all of them together; default: that of the settings.
        `examination`: what to read from, for a caller that reads on in it; the caller closes it.
        """
        settings = self.settings
        if timeout is not None:
            settings = settings.model_copy(update={"timeout": timeout})
        wanted = self.needs if names is None else set(names)
        is_lent = examination is not None
        examination = examination or Examination(settings, progress, self.available.built_in_ids)
        began = time.perf_counter()
        thresholds = {}
        for check, levels in settings.thresholds.items():
            thresholds[check] = dict(levels)
        evidence = Evidence(taken_at=iso(examination.now) or "", thresholds=thresholds)
        readers = _start_readers(examination, wanted, evidence)
        hanging = []
        for reader in readers:
            reader.join(examination.deadline.remaining + _SPARE_SECONDS)
            if reader.is_alive():
                hanging.append(reader)
                evidence.missing[reader.record_name] = f"no answer within the run's {settings.timeout:g} s"
        for reader in readers:
            if reader not in hanging:
                reader.add_to(evidence)
        if hanging:
            with self._lock:
                self._given_up += hanging
        if is_lent:
            pass  # its owner closes it
        elif hanging:
            # Nobody waits for them any more, and what they use is closed all the same once they have ended.
            # Where there is no thread for that, they are closed when the process ends.
            has_begun(Thread(target=_close_when_ended, args=(examination, hanging), daemon=True))
        else:
            examination.close()
        evidence.duration_ms = _milliseconds(began)
        return evidence

    def judge(self, evidence: Evidence) -> Report:
        """The report on this evidence: findings of the checks, and of check files that could not be loaded."""
        monitors = find_monitors(self.settings.monitor_folders)
        nothing_found = _nothing_found(evidence)
        if nothing_found:
            # There is nothing to judge: dozens of findings about parts that are not there would hide that.
            names = [*evidence.records, *evidence.missing]
            evidence = replace(evidence, records={}, missing=dict.fromkeys(names, f"{nothing_found}; {_FIRST_STEPS}"))
        findings = [*judged(evidence, self.checks, monitors, self._hanging_checks), *self.available.problems]
        if self.settings.waivers:
            check_ids = [spec.id for spec in self.available.checks]
            findings = waived(findings, self.settings.waivers, _day_of(evidence), check_ids)
        explanation = explained(findings, evidence.records, () if nothing_found else self.available.causes)
        history = evidence.records.get(HISTORY)
        explanation = with_history(explanation, history, self.available)
        findings = explanation.findings
        if self.baseline:
            findings = compared(findings, self.baseline)
        findings = in_order(findings)
        status = status_of(findings)
        exit_code = self.exit_code(findings)
        # Nothing bad was found, but something vital was not judged: that must not end as a healthy pipeline does.
        if status is Status.UNKNOWN and exit_code is ExitCode.OK:
            exit_code = ExitCode.NOT_JUDGED
        return Report(
            tool=Tool(version=__version__),
            generated_at=evidence.taken_at,
            duration_ms=evidence.duration_ms,
            status=status,
            headline=headline_of(findings, self._left_out(), nothing_found),
            exit_code=exit_code,
            counts=count_statuses(findings),
            since=explanation.beginning.since,
            since_bound=explanation.beginning.since_bound,
            causes=explanation.causes,
            known_causes=sorted(spec.id for spec in self.available.causes),
            changes=changes_told(history, self.available),
            findings=findings,
            metrics=_metrics(evidence, monitors),
            baseline=self.baseline.generated_at if self.baseline else None,
            other_thresholds=self._other_thresholds(evidence),
        )

    def _left_out(self) -> int:
        """Checks that there are and that were not selected."""
        return len(self.available.checks) - len(self.checks)

    def _other_thresholds(self, evidence: Evidence) -> list[str]:
        """The checks whose thresholds in the settings are not those with which the evidence was taken."""
        then = evidence.thresholds
        if then is None:
            return []
        now = self.settings.thresholds
        return sorted(spec.id for spec in self.checks if then.get(spec.id, {}) != now.get(spec.id, {}))

    def exit_code(self, findings: Iterable[Finding]) -> ExitCode:
        """What a process that reports these findings ends with."""
        only_new = self.settings.fail_on_new and self.baseline is not None
        return exit_code_for(findings, self.settings.failing_status, self.settings.strict, only_new=only_new)


class _Reader(Thread):
    """Reads one health record. Its result is taken only after it has ended, so that none changes under a judge."""

    def __init__(self, examination: Examination, name: str) -> None:
        super().__init__(name=f"blueplane-read-{name}", daemon=True)
        self.record_name = name
        self._examination = examination
        self._monitor: Monitor | None = None
        self._record: Record | None = None
        self._cause = ""
        self._milliseconds = 0.0

    def run(self) -> None:
        started = time.perf_counter()
        try:
            monitors = find_monitors(self._examination.settings.monitor_folders)
            self._monitor = monitors[self.record_name](self._examination)
            self._record = self._monitor.collect()
        except FileUnreadable as error:  # its message names the path
            self._cause = f"a file cannot be read: {error.reason}"
        except SourceError as error:
            self._cause = error.message
        except (Exception, SystemExit) as error:  # a defect of one monitor must not stop the others
            self._cause = f"the monitor broke: {mistake_at_run(error, _own_file(self._monitor))}"
        self._milliseconds = _milliseconds(started)

    def add_to(self, evidence: Evidence) -> None:
        """Put the record, or why there is none, into the evidence. To be called when all readers have ended."""
        if self._monitor and self._record is not None:
            try:
                self._record = self._monitor.concluded(self._record)
            except SourceError as error:
                self._record = None
                self._cause = error.message
        evidence.durations[self.record_name] = self._milliseconds
        if self._record is None:
            evidence.missing[self.record_name] = self._cause
        else:
            evidence.records[self.record_name] = self._record


def _own_file(monitor: Monitor | None) -> Path | None:
    """The file of a monitor from outside this package, in which its author looks for the mistake."""
    if monitor is None or type(monitor).__module__.startswith("blueplane_doctor."):
        return None
    file = getattr(sys.modules.get(type(monitor).__module__), "__file__", None)
    return Path(file) if file else None


def _close_when_ended(examination: Examination, readers: Iterable[_Reader]) -> None:
    """Close the sources of an examination whose time is over once no reader uses them any more."""
    for reader in readers:
        reader.join()
    examination.close()


def _start_readers(examination: Examination, names: Iterable[str], evidence: Evidence) -> list[_Reader]:
    """Those that have begun; of the others the evidence says why not."""
    known = set(names) & set(find_monitors(examination.settings.monitor_folders))
    readers = []
    for name in sorted(known):
        reader = _Reader(examination, name)
        if has_begun(reader):
            readers.append(reader)
        else:
            evidence.missing[name] = NO_THREADS
    return readers


def _nothing_found(evidence: Evidence) -> str:
    """The sentence where there is no Blueplane; empty where there is one, or where that was not looked for."""
    connections = evidence.records.get("connections")
    server = evidence.records.get("server")
    if not isinstance(connections, Connections) or connections.blueplane_found:
        return ""
    if isinstance(server, ServerHealth) and server.http_ok:
        return ""
    return f"No Blueplane found in {connections.home}, nor its stream in Redis at {connections.redis.address}"


def _day_of(evidence: Evidence) -> date:
    taken = parse_time(evidence.taken_at) or datetime.now(UTC)
    return taken.date()


def _metrics(evidence: Evidence, monitors: Mapping[str, type[Monitor]]) -> dict[str, dict[str, Any] | None]:
    metrics: dict[str, dict[str, Any] | None] = {}
    for name, monitor in sorted(monitors.items()):
        if not monitor.in_metrics:
            continue
        record = evidence.records.get(name)
        metrics[name] = record.model_dump() if record is not None else None
    return metrics


def _milliseconds(since: float) -> float:
    return round((time.perf_counter() - since) * 1000, 1)
