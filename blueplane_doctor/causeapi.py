"""All that a cause file imports: `cause`, `Cause`, `Stake`, `Findings`.

A cause is a function named `cause_*` in a file named `cause_*.py`. Its parameters name the health records that it
reads, as those of a check do, and `findings`, what the checks found. It returns a `Cause`, several of them, or None
where it is not there. It does no I/O. A parameter with a default is a record that it can do without.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from msgspec import UNSET
from msgspec.structs import asdict

from blueplane_doctor.checkapi import needed, sentence, those_there
from blueplane_doctor.errors import SettingsError
from blueplane_doctor.findings import counted
from blueplane_doctor.model import Cause, Finding, Remedy, SinceBound, Stake, Status
from blueplane_doctor.scales import Scale
from blueplane_doctor.text.times import iso_of_milliseconds

__all__ = ["CAUSE_MARK", "STAGES", "Cause", "CauseFunction", "CauseSpec", "Findings", "Stake", "cause", "stream_time"]

CAUSE_MARK = "__blueplane_cause__"
STAGES = ("redis", "database", "server", "messages", "capture")
"""What a cause is about, the deepest first: a fault of Redis is told before one of the messages in it."""
EVERYTHING = "*"
"""As a finding's id: whatever was found or could not be judged."""

CauseFunction = Callable[..., "Cause | list[Cause] | None"]


class Findings:
    """What the checks found, by id. Waived findings are not in it: they do not count."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._by_id = {finding.id: finding for finding in counted(findings)}

    def get(self, check_id: str) -> Finding | None:
        """The finding of this check; None where it did not run or is waived."""
        return self._by_id.get(check_id)

    def bad(self, check_id: str) -> bool:
        """Whether this check ran and found yellow or worse."""
        finding = self._by_id.get(check_id)
        return finding is not None and finding.status.severity > 0

    def fault(self, *check_ids: str) -> Finding | None:
        """What the first of these checks found that found yellow or worse; None where none did."""
        for check_id in check_ids:
            if self.bad(check_id):
                return self._by_id[check_id]
        return None

    def cause(self, *check_ids: str, more: str = "", **fields: Any) -> Cause | None:
        """A cause that says what the first of these checks found, and what to do; None where none found a fault.

        `more`: a sentence that follows; `fields`: those of Cause that say more than the finding does.
        """
        finding = self.fault(*check_ids)
        if finding is None:
            return None
        summary = f"{sentence(finding.summary)} {more}".rstrip()
        return Cause(**{"summary": summary, "next_step": finding.remedy, **fields})

    def value(self, check_id: str) -> object:
        """What this check observed; None where it did not."""
        finding = self._by_id.get(check_id)
        if finding is None:
            return None
        return finding.observed

    def status_of(self, check_id: str, value: float) -> Status:
        """Which colour a part of what this check counted has by its scale in force; unknown where it graded nothing."""
        finding = self._by_id.get(check_id)
        if finding is None or finding.scale is None:
            return Status.UNKNOWN
        return Scale(**asdict(finding.scale)).status(value)

    def unhealthy(self) -> list[Finding]:
        """All that a cause may explain: yellow or worse, and what could not be judged."""
        without = (Status.GREEN, Status.NOT_SET_UP)
        return [finding for finding in self._by_id.values() if finding.status not in without]


class Beginning(NamedTuple):
    """Since when something is there: three fields of Cause that belong together."""

    since: str | None = None
    since_by: str = ""
    since_bound: SinceBound = ""

    @property
    def fields(self) -> dict[str, Any]:
        """To be given to Cause by name."""
        return self._asdict()


class _Wiring(NamedTuple):
    """How a cause and the findings belong together, as the decorator was told."""

    stage: str
    shown_by: tuple[str, ...]
    brings: tuple[str, ...]
    follows: tuple[str, ...]
    repair: str
    no_repair: str


class CauseSpec(NamedTuple):
    """What the decorator knows of a cause; discovery adds which file defines it."""

    function: CauseFunction
    stage: str
    """One of STAGES."""
    shown_by: tuple[str, ...]
    """Findings that are its own signs: without one of them being yellow or worse it is not told."""
    brings: tuple[str, ...]
    """Findings that may follow from it."""
    follows: tuple[str, ...]
    """Causes from which it may follow: with one of them it is not told for itself."""
    id: str
    title: str
    doc: str
    needs: tuple[str, ...]
    optional: frozenset[str]
    takes_findings: bool
    repair: str = ""
    """What follows `blueplane-doctor repair` in the command that heals it, unless the cause itself says another."""
    no_repair: str = ""
    """Why no repair heals it, in a sentence."""
    origin: str = "built-in"

    def run(self, records: Mapping[str, Any], findings: Findings) -> list[Cause]:
        """Its causes; none where it is not there, or where a record that it needs is not."""
        for name in self.needs:
            if name not in records and name not in self.optional:
                return []
        arguments = those_there(self.needs, records)
        if self.takes_findings:
            arguments["findings"] = findings
        result = self.function(**arguments)
        if result is None:
            return []
        causes = result if isinstance(result, list) else [result]
        doctor = getattr(records.get("locations"), "doctor", "blueplane-doctor")
        return [self._completed(one, doctor) for one in causes]

    def _completed(self, one: Cause, doctor: str) -> Cause:
        """The cause, whose next step names the repair that heals it, or says why none does.

        What tells since when it is there says nothing where that is not known.
        """
        if not isinstance(one, Cause):
            return one
        if one.since is None and one.since_by:
            one = one.model_copy(update={"since_by": "", "since_bound": ""})
        repair = self.repair
        if isinstance(one.repair, str):
            repair = one.repair
        one = one.model_copy(update={"repair": UNSET})
        if not (repair or self.no_repair):
            return one
        step = one.next_step or Remedy(text="")
        if repair:
            step = Remedy(text=step.text, commands=[f"{doctor} repair {repair}", *step.commands])
        else:
            step = Remedy(text=f"{step.text} {self.no_repair}".strip(), commands=step.commands)
        return one.model_copy(update={"next_step": step})


def cause(
    *,
    stage: str,
    shown_by: Iterable[str],
    brings: Iterable[str] = (),
    follows: Iterable[str] = (),
    repair: str = "",
    no_repair: str = "",
) -> Callable[[CauseFunction], CauseFunction]:
    """Declare a cause: see the attributes of CauseSpec. The first line of the docstring is its title."""
    if stage not in STAGES:
        raise SettingsError(f"stage must be one of {', '.join(STAGES)}")
    wiring = _Wiring(stage, tuple(shown_by), tuple(brings), tuple(follows), repair, no_repair)

    def declare(function: CauseFunction) -> CauseFunction:
        setattr(function, CAUSE_MARK, _spec_of(function, wiring))
        return function

    return declare


def _spec_of(function: CauseFunction, wiring: _Wiring) -> CauseSpec:
    doc = inspect.getdoc(function) or ""
    parameters = inspect.signature(function).parameters
    needs, optional = needed(parameters, besides="findings")
    return CauseSpec(
        function=function,
        stage=wiring.stage,
        shown_by=wiring.shown_by,
        brings=wiring.brings,
        follows=wiring.follows,
        repair=wiring.repair,
        no_repair=wiring.no_repair,
        id=function.__name__.removeprefix("cause_").replace("_", "-"),
        title=doc.partition("\n")[0].rstrip("."),
        doc=doc,
        needs=needs,
        optional=optional,
        takes_findings="findings" in parameters,
    )


def stream_time(stream_id: str) -> str | None:
    """When a message was added, by its stream ID: ISO 8601, UTC; None for what is no stream ID."""
    milliseconds, dash, _ = stream_id.partition("-")
    if not dash or not milliseconds.isdigit():
        return None
    return iso_of_milliseconds(int(milliseconds))
