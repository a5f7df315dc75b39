"""Runs checks: each gets the records it needs and gives a finding, whatever it does; one that hangs harms no other."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from threading import Lock, Thread

from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.judging.evidence import Evidence
from blueplane_doctor.model import Finding, Status
from blueplane_doctor.plugins.mistakes import mistake_at_run, mistaken_parameter
from blueplane_doctor.process.threads import has_begun
from blueplane_doctor.sources import Deadline

JUDGING_SECONDS = 5.0
"""Time that all checks together may take once everything is read; the built-in ones take milliseconds."""
_SHARE_OF_ONE_CHECK = 0.02
"""The share of it that the other checks wait for one check before another thread goes on without it."""

_ONLY_JUDGE = "a check must only judge what it is handed"


class HangingChecks:
    """The checks of earlier runs that have not ended: none of them is begun again, or each run would leave a thread."""

    def __init__(self) -> None:
        self._threads: dict[Callable[..., Finding], Thread] = {}
        self._lock = Lock()

    def add(self, spec: CheckSpec, thread: Thread) -> None:
        """Remember that this thread still runs the check."""
        with self._lock:
            self._threads[spec.function] = thread

    def __contains__(self, spec: CheckSpec) -> bool:
        with self._lock:
            thread = self._threads.get(spec.function)
        return thread is not None and thread.is_alive()


def judged(
    evidence: Evidence, checks: list[CheckSpec], record_names: Collection[str], hanging: HangingChecks | None = None
) -> list[Finding]:
    """A finding of each check, with its id, area and share of the time that reading took; in the order of the checks.

    `record_names`: the health records that there are, whether they could be read or not. `hanging`: what earlier runs
    left behind, for who judges again and again.
    """
    if hanging is None:
        hanging = HangingChecks()
    known = {*record_names, *evidence.records, *evidence.missing}
    findings = {}
    usable = []
    for spec in checks:
        mistake = mistaken_parameter(spec.function, spec.needs, known)
        if mistake:
            findings[spec.id] = _error(spec, mistake)
        elif spec in hanging:
            findings[spec.id] = _error(spec, f"an earlier run of it still hangs; {_ONLY_JUDGE}")
        else:
            usable.append(spec)
    findings |= _run_all(evidence, usable, hanging)
    users: Counter[str] = Counter()
    for spec in checks:
        users.update(spec.needs)
    never = f"no verdict within {JUDGING_SECONDS:g} s; {_ONLY_JUDGE}"
    signed = []
    for spec in checks:
        finding = findings.get(spec.id) or _error(spec, never)
        # A record is read once for all checks that need it: each has its share, and the shares add up to the whole.
        share = sum(evidence.durations.get(name, 0.0) / users[name] for name in spec.needs)
        signature = {"id": spec.id, "area": spec.area, "duration_ms": round(share, 2)}
        signed.append(finding.model_copy(update=signature))
    return signed


def _run_all(evidence: Evidence, checks: list[CheckSpec], hanging: HangingChecks) -> dict[str, Finding]:
    """The findings of the checks that ended in time, by the check's id.

    Checks run one after the other in one thread. When one of them hangs, a further thread takes over the rest, and
    the hanging one is left behind. All threads take the next check from the same iterator, so that none runs twice.
    """
    findings: dict[str, Finding] = {}
    rest = iter(checks)
    deadline = Deadline(JUDGING_SECONDS)
    threads = [_start_judging(rest, evidence, findings)]
    while threads[-1].is_alive() and not deadline.passed:
        threads.append(_start_judging(rest, evidence, findings))
    for thread in threads:
        if thread.is_alive():
            thread.join(deadline.remaining)
        if thread.is_alive() and thread.spec is not None:
            hanging.add(thread.spec, thread)
    return dict(findings)  # a copy: a check that was left behind may still add its finding


class _Judging(Thread):
    """Runs the next check, and the next, until there is none left."""

    def __init__(self, rest: Iterator[CheckSpec], evidence: Evidence, findings: dict[str, Finding]) -> None:
        super().__init__(daemon=True)
        self.spec: CheckSpec | None = None
        """What it runs now, or ran last."""
        self._rest = rest
        self._evidence = evidence
        self._findings = findings

    def run(self) -> None:
        for spec in self._rest:
            self.spec = spec
            self._findings[spec.id] = _run(spec, self._evidence)


def _start_judging(rest: Iterator[CheckSpec], evidence: Evidence, findings: dict[str, Finding]) -> _Judging:
    thread = _Judging(rest, evidence, findings)
    if has_begun(thread):
        thread.join(_SHARE_OF_ONE_CHECK * JUDGING_SECONDS)
    else:
        thread.run()  # here, where a check that hangs is waited for
    return thread


def _run(spec: CheckSpec, evidence: Evidence) -> Finding:
    missing = spec.missing(evidence.records)
    if missing:
        return _skipped(spec, missing, evidence)
    try:
        finding: object = spec.run(evidence.records)
        if not isinstance(finding, Finding):
            return _error(spec, f"it returned {type(finding).__name__} instead of a Finding")
        try:
            finding.model_dump_json()
        except (TypeError, ValueError):  # evidence that no report could show is the check's fault, not the report's
            return _error(
                spec, f"{_place(spec)}: Finding.evidence must hold numbers, texts, lists and maps of these alone"
            )
        return finding
    except (Exception, SystemExit) as error:
        return _error(spec, mistake_at_run(error, Path(spec.function.__code__.co_filename)))


def _place(spec: CheckSpec) -> str:
    """Where the check begins."""
    code = spec.function.__code__
    return f"{Path(code.co_filename).name} line {code.co_firstlineno}"


def _skipped(spec: CheckSpec, missing: list[str], evidence: Evidence) -> Finding:
    causes = [evidence.missing.get(name, "the kept evidence does not hold it") for name in missing]
    return Finding(
        status=Status.SKIPPED,
        summary=f"{spec.title}: not examined",
        cause="; ".join(dict.fromkeys(causes)),  # each cause once, in their order
    )


def _error(spec: CheckSpec, cause: str) -> Finding:
    return Finding(status=Status.ERROR, summary=f"The check {spec.id} itself broke", cause=cause)
