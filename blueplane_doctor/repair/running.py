"""One repair from end to end: apply the plan, wait for the rows, examine again, and say how both compare."""

from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any, NamedTuple

from blueplane_doctor.errors import DoctorError, ExitCode
from blueplane_doctor.examination import Examination
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.repair.applying import Applied, Applier, save_messages
from blueplane_doctor.repair.plan import Condition, Plan
from blueplane_doctor.repair.planning import condition_of
from blueplane_doctor.repair.store import RepairFiles, Store
from blueplane_doctor.repair.verifying import PATIENCE_SECONDS
from blueplane_doctor.repair.wording import counts_in_words
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.text.quantities import many


class Outcome(NamedTuple):
    """How a repair ended."""

    text: str
    exit_code: ExitCode
    result: dict[str, Any]
    """The same for programs, as it is kept beside the plan."""


def run_plan(
    settings: Settings,
    store: Store,
    identity: str,
    write_url: str,
    *,
    rate: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    patience: float = PATIENCE_SECONDS,
) -> Outcome:
    """Apply a plan and see what became of it. Raises RepairRefused, SourceError and UsageError."""
    files = store.files(identity)
    plan = files.plan()
    applier = Applier(settings, store, plan, write_url=write_url, rate=rate, patience=patience, progress=progress)
    second = _SecondExamination(settings)
    applied = applier.apply(meanwhile=second.prepare)
    after = second.condition()
    result = {
        "plan": plan.id,
        "done": dict(applied.counts),
        "left_alone": dict(applied.refused),
        "rows_not_seen": applied.unseen,
        "interrupted": applied.is_interrupted,
        "before": plan.before.model_dump(),
        "after": after.model_dump(),
    }
    files.write_result(result)
    code = ExitCode.OK
    if applied.is_interrupted:
        code = ExitCode.INTERRUPTED
    elif applied.unseen or applied.refused:
        code = ExitCode.FINDINGS
    return Outcome(_in_words(plan, applied, after), code, result)


def save_alone(settings: Settings, plan: Plan, files: RepairFiles) -> int:
    """Save the messages of a plan and change nothing; how many. Rights to read suffice. Raises SourceError."""
    with closing(Examination(settings)) as examination:
        return save_messages(examination, plan, files)


class _SecondExamination:
    """The examination after a repair."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._doctor: Doctor | None = None

    def prepare(self) -> None:
        """Load what it needs, which takes part of a second, while the writers write what was delivered."""
        with suppress(DoctorError):
            self._doctor = Doctor(self._settings)

    def condition(self) -> Condition:
        """What it says of the pipeline as a whole, or why it says nothing."""
        try:
            doctor = self._doctor or Doctor(self._settings)
            return condition_of(doctor.examine())
        except DoctorError as error:
            return Condition(status="unknown", headline=error.message, equation="")


def _in_words(plan: Plan, applied: Applied, after: Condition) -> str:
    first = f"Plan {plan.id} is done."
    if applied.is_interrupted:
        first = f"Plan {plan.id} was interrupted between two messages. Go on: blueplane-doctor repair --apply {plan.id}"
    elif applied.unseen:
        rows = many(applied.unseen, "row is", "rows are")
        first = f"Plan {plan.id} is done, but {rows} not there: the writer has not written all that it was given."
    lines = [first, *counts_in_words(applied.counts, applied.refused, applied.unseen)]
    written = len(applied.seen)
    if applied.expected and not applied.is_interrupted:
        rows = many(len(applied.expected), "expected row", "expected rows")
        lines.append(f"  written     {written:,} of {rows}")
    lines += [
        f"Before: {plan.before.headline}",
        f"        {plan.before.equation}",
        f"After:  {after.headline}",
        f"        {after.equation}",
    ]
    if plan.may_be_taken_back:
        lines.append(f"Take it back: blueplane-doctor repair --undo {plan.id}")
    return "\n".join(lines) + "\n"
