"""All that a check file imports: `check`, `Scale`, `unknown`, `not_set_up`.

A check is a function named `check_*` in a file named `check_*.py`. Its parameters name the health records
it needs (`queue`, `database`, `capture`, `transcripts`, `spool`, `chain`, `server`, `redis`, `connections`,
`history`, `locations`) and, where it grades by numbers, `scale`. It returns one `Finding`, does no I/O, and takes the
time from the record that it judges.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from blueplane_doctor.model import Finding, Remedy, Status
from blueplane_doctor.scales import Scale
from blueplane_doctor.text.quantities import many

__all__ = [
    "MARK",
    "MEASURE",
    "RECORDED_MINUTES",
    "HISTORY",
    "RECORDER",
    "CheckSpec",
    "Scale",
    "check",
    "hinted",
    "many",
    "not_graded",
    "not_set_up",
    "sentence",
    "spec_of",
    "unknown",
    "unmeasured",
]

MARK = "__blueplane_check__"
RECORDER = "the recorder"
HISTORY = "the history"
"""Optional parts, as people read of them."""
RECORDED_MINUTES = 2
"""A colour that rests on a rate needs two samples: minutes in which a recorder counted."""
MEASURE = Remedy(
    # In words: as a command it would be run in any folder, and beside a running server.
    text="Only a recorder inside the server can measure this. Stop the server; in the folder of its checkout, "
    "blueplane-doctor instrument -- python scripts/start_server.py starts it with the recorder.",
)


class CheckSpec(NamedTuple):
    """What the decorator knows of a check; discovery adds which file defines it."""

    function: Callable[..., Finding]
    area: str
    scale: Scale | None
    id: str
    title: str
    doc: str
    needs: tuple[str, ...]
    origin: str = "built-in"
    optional: frozenset[str] = frozenset()
    """Of those that it needs, the records without which it runs too: parameters with a default."""
    takes_scale: bool = False
    """Whether it is given its scale."""

    def missing(self, records: Mapping[str, Any]) -> list[str]:
        """The records without which it cannot run."""
        return [name for name in self.needs if name not in records and name not in self.optional]

    def run(self, records: Mapping[str, Any]) -> Finding:
        """Call the check with the records that it names."""
        arguments = those_there(self.needs, records)
        if self.takes_scale:
            arguments["scale"] = self.scale
        return self.function(**arguments)


def check(*, area: str, scale: Scale | None = None) -> Callable[[Callable[..., Finding]], Callable[..., Finding]]:
    """Declare a health check: its area (`queue`, `database`, …) and how its value is graded.

    Raises TypeError for an argument of another type.
    """
    if not isinstance(area, str):
        raise TypeError("check(): the argument 'area' must be a string")
    if scale is not None and not isinstance(scale, Scale):
        raise TypeError("check(): the argument 'scale' must be a 'Scale'")

    def declare(function: Callable[..., Finding]) -> Callable[..., Finding]:
        setattr(function, MARK, spec_of(function, area, scale))
        return function

    return declare


def spec_of(function: Callable[..., Finding], area: str, scale: Scale | None) -> CheckSpec:
    """A check's id, title, explanation and needs, from its name, docstring and parameters."""
    doc = inspect.getdoc(function) or ""
    parameters = inspect.signature(function).parameters
    needs, optional = needed(parameters, besides="scale")
    return CheckSpec(
        function=function,
        area=area,
        scale=scale,
        id=function.__name__.removeprefix("check_").replace("_", "-"),
        title=doc.splitlines()[0].rstrip(".") if doc else function.__name__,
        doc=doc,
        needs=needs,
        optional=optional,
        takes_scale="scale" in parameters,
    )


def needed(parameters: Mapping[str, inspect.Parameter], *, besides: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The records that a check or a cause names, and those of them without which it runs too.

    `besides`: the parameter that is no record.
    """
    needs = []
    optional = set()
    for name, parameter in parameters.items():
        if name == besides:
            continue
        needs.append(name)
        if parameter.default is not parameter.empty:
            optional.add(name)
    return tuple(needs), frozenset(optional)


def those_there(needs: Sequence[str], records: Mapping[str, Any]) -> dict[str, Any]:
    """The records of these names, as far as they are there."""
    there = {}
    for name in needs:
        if name in records:
            there[name] = records[name]
    return there


def unknown(
    summary: str, cause: str, *, remedy: Remedy | None = None, evidence: Mapping[str, Any] | None = None
) -> Finding:
    """The finding for what was read and cannot be judged; `cause` says what would make it known."""
    return Finding(status=Status.UNKNOWN, summary=summary, cause=cause, remedy=remedy, evidence=dict(evidence or {}))


def not_set_up(
    summary: str, cause: str, *, part: str = "", remedy: Remedy | None = None, evidence: Mapping[str, Any] | None = None
) -> Finding:
    """The finding for what rests on an optional part that was never set up; `remedy` says how to set it up.

    `part`: its name, such as RECORDER; what rests on the same part is counted together.
    """
    return Finding(
        status=Status.NOT_SET_UP, summary=summary, cause=cause, part=part, remedy=remedy, evidence=dict(evidence or {})
    )


def not_graded(
    value: float | int | str | None, summary: str, *, unit: str = "", evidence: Mapping[str, Any] | None = None
) -> Finding:
    """Green without a grade: reported, and not judged because nothing is expected now (being idle is no fault)."""
    return Finding(status=Status.GREEN, summary=summary, observed=value, unit=unit, evidence=dict(evidence or {}))


def unmeasured(
    summary: str,
    minutes: int,
    cause: str,
    hint: str,
    *,
    recorder_ran: bool | None,
    evidence: Mapping[str, Any] | None = None,
) -> Finding:
    """The finding where a recorder counted in fewer than RECORDED_MINUTES; `cause` says why there are none.

    `recorder_ran`: whether it counted anything at all in the last hour; None where that could not be read.
    """
    if recorder_ran is False:
        return not_set_up(summary, cause, part=RECORDER, remedy=MEASURE, evidence=evidence)
    cause = cause or f"recorded in {minutes} of at least {RECORDED_MINUTES} minutes"
    return unknown(summary, cause, remedy=hinted(hint, MEASURE), evidence=evidence)


def trace_commands(doctor: str, ids: Sequence[str]) -> list[str]:
    """The command that follows these messages; none without an ID. `doctor` is the one of the record `locations`."""
    if not ids:
        return []
    return [f"{doctor} trace {' '.join(ids)}"]


def hinted(hint: str, otherwise: Remedy) -> Remedy:
    """The hint of a part that was refused what it asked for, where there is one."""
    return Remedy(text=sentence(hint)) if hint else otherwise


def sentence(text: str) -> str:
    """Words of another part, such as an error's hint, as a sentence of its own."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
