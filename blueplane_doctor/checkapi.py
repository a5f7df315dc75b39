"""All that a check file imports: `check`, `Scale`, `unknown`.

A check is a function named `check_*` in a file named `check_*.py`. Its parameters name the health records
it needs (`queue`, `database`, `capture`, `spool`, `chain`, `server`, `redis`, `connections`, `history`) and, where it
grades by numbers, `scale`. It returns one `Finding`, does no I/O, and takes the time from the record that it judges.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf, isnan
from typing import Any, Literal, TypedDict, Unpack

from blueplane_doctor.errors import SettingsError
from blueplane_doctor.model import Finding, Remedy, Status

LEVELS = ("yellow", "orange", "red")
MARK = "__blueplane_check__"
RECORDED_MINUTES = 2
"""A colour that rests on a rate needs two samples: minutes in which a recorder counted."""
MEASURE = Remedy(
    text="Only a recorder inside the server can measure this. Start the server with it.",
    commands=["blueplane-doctor instrument -- python scripts/start_server.py"],
)
_OPPOSITE = {"≥": "<", ">": "≤", "≤": ">", "<": "≥"}


class _Levels(TypedDict, total=False):
    lowest: float | None
    highest: float | None
    yellow: float
    orange: float
    red: float


class _Rising(_Levels, total=False):
    yellow_above: float
    orange_above: float
    red_above: float


class _Falling(_Levels, total=False):
    yellow_below: float
    orange_below: float
    red_below: float


@dataclass(frozen=True)
class Bound:
    """Where a level begins: at `value` itself, or only beyond it."""

    value: float
    inclusive: bool


@dataclass(frozen=True)
class Scale:
    """How a value becomes a colour. Make one with `rising`, `falling` or `states`.

    The edge belongs to the level it is written in: `yellow=100` begins at 100 itself, `red_above=5_000`
    (or `red_below`) only beyond it. `lowest` and `highest` are the values that are possible at all: a bound
    outside them could never be reached, and is refused.
    """

    direction: Literal["rising", "falling", "states"]
    unit: str
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    words: Mapping[str, Status] = field(default_factory=dict)
    lowest: float | None = 0
    highest: float | None = None

    @classmethod
    def rising(cls, *, unit: str, **levels: Unpack[_Rising]) -> "Scale":
        """More is worse. `yellow=x`: from x on; `yellow_above=x`: only above x."""
        return cls("rising", unit, **_limits("above", {**levels})).checked()

    @classmethod
    def falling(cls, *, unit: str, **levels: Unpack[_Falling]) -> "Scale":
        """Less is worse. `yellow=x`: from x down; `yellow_below=x`: only below x."""
        return cls("falling", unit, **_limits("below", {**levels})).checked()

    @classmethod
    def states(cls, **words: str) -> "Scale":
        """Named states, `Scale.states(green="active", red="down")`; several words for a colour: `"a|b"`."""
        named = {word: Status(colour) for colour, texts in words.items() for word in texts.split("|")}
        return cls("states", "", words=named)

    def status(self, value: float | int | str) -> Status:
        """The colour of a value."""
        if self.direction == "states":
            return self.words[str(value)]
        number = float(value)
        if isnan(number):
            raise ValueError("not a number; what is not known is unknown(), never graded")
        place = self._place(Bound(number, True))
        reached = [level for level, bound in self.bounds.items() if place >= self._place(bound)]
        return Status(reached[-1]) if reached else Status.GREEN

    def grade(
        self,
        value: float | int | str,
        summary: str,
        *,
        remedy: Remedy | None = None,
        evidence: Mapping[str, Any] | None = None,
        at_worst: Status = Status.RED,
    ) -> Finding:
        """The finding for a value; the remedy is kept only where there is something to mend.

        `at_worst` caps the colour, for what is worth saying and costs no trace.
        """
        status = min(self.status(value), at_worst, key=lambda s: s.severity)
        return Finding(
            status=status,
            summary=summary,
            observed=value,
            unit=self.unit,
            scale=self.describe(),
            remedy=remedy if status is not Status.GREEN else None,
            evidence=dict(evidence or {}),
        )

    def describe(self) -> dict[str, str]:
        """For each colour, the values that get it, in words."""
        described: dict[str, str] = {}
        if self.direction == "states":
            for colour in ("green", *LEVELS):
                if words := [word for word, status in self.words.items() if status == colour]:
                    described[colour] = " or ".join(words)
            return described
        inside, outside = ("≥", ">") if self.direction == "rising" else ("≤", "<")
        name, begins = "green", ""
        for level, bound in self.bounds.items():
            sign, number = inside if bound.inclusive else outside, _number(bound.value)
            described[name] = f"{begins} and {_OPPOSITE[sign]} {number}".removeprefix(" and ")
            name, begins = level, f"{sign} {number}"
        return described | {name: begins or "any value"}

    def numbers(self) -> str:
        """The bounds as a map of YAML."""
        return f"{{{', '.join(f'{level}: {bound.value:g}' for level, bound in self.bounds.items())}}}"

    def with_thresholds(self, thresholds: Mapping[str, float | None], check_id: str) -> "Scale":
        """The same scale with other numbers; `null` removes a level.

        Raises SettingsError when the result could never be reached, or never be green.
        """
        where = f"thresholds.{check_id}"
        if self.direction == "states":
            raise SettingsError(
                f"{where}: this check grades states, not numbers; it has no threshold to set",
                f"its states: {self.describe()}",
            )
        if strange := sorted(set(thresholds) - set(LEVELS)):
            raise SettingsError(f"{where}.{strange[0]}: no such level", f"levels are {', '.join(LEVELS)}")
        bounds = {}
        for level in LEVELS:
            old = self.bounds.get(level)
            value = thresholds.get(level, old.value if old else None)
            if value is not None:
                bounds[level] = Bound(value, old.inclusive if old else True)
        return replace(self, bounds=bounds).checked(where)

    def checked(self, where: str = "scale") -> "Scale":
        """Itself, when every level can be reached and green is possible; else SettingsError."""
        best, worst = (self.lowest, self.highest) if self.direction == "rising" else (self.highest, self.lowest)
        previous = ""
        for level, bound in self.bounds.items():
            place, problem = self._place(bound), ""
            if isnan(bound.value):
                problem = "nan is not a number"
            elif place[0] == inf or worst is not None and place > self._place(Bound(worst, True)):
                end = worst if worst is not None else inf if self.direction == "rising" else -inf
                problem = f"{_number(bound.value)} can never fire; the value never goes past {_number(end)}"
            elif best is not None and place <= self._place(Bound(best, True)):
                problem = f"{_number(bound.value)} would always fire; nothing could ever be green"
            if problem:
                raise SettingsError(f"{where}.{level}: {problem}", "another number, or null to take the level away")
            if previous and place <= self._place(self.bounds[previous]):
                raise SettingsError(
                    f"{where}.{previous}: {_number(self.bounds[previous].value)} can never fire, because "
                    f"{level} begins at {_number(bound.value)}",
                    f"{previous} must be {'below' if self.direction == 'rising' else 'above'} {level}",
                )
            previous = level
        return self

    def _place(self, bound: Bound) -> tuple[float, bool]:
        return -bound.value if self.direction == "falling" else bound.value, not bound.inclusive


def _limits(beyond: str, levels: dict[str, Any]) -> dict[str, Any]:
    bounds = {}
    for level in LEVELS:
        for name, inclusive in ((f"{level}_{beyond}", False), (level, True)):
            if name in levels:
                bounds[level] = Bound(levels.pop(name), inclusive)
    return {**levels, "bounds": bounds}


def _number(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,g}"


@dataclass(frozen=True)
class CheckSpec:
    """What the decorator knows of a check; discovery adds where it was found."""

    function: Callable[..., Finding]
    area: str
    scale: Scale | None
    id: str
    title: str
    doc: str
    needs: tuple[str, ...]
    origin: str = "built-in"

    def run(self, records: Mapping[str, Any]) -> Finding:
        """Call the check with the records that it names."""
        arguments = {name: records[name] for name in self.needs}
        if "scale" in inspect.signature(self.function).parameters:
            arguments["scale"] = self.scale
        return self.function(**arguments)


def check(*, area: str, scale: Scale | None = None) -> Callable[[Callable[..., Finding]], Callable[..., Finding]]:
    """Declare a health check: its area (`queue`, `database`, …) and how its value is graded."""

    def declare(function: Callable[..., Finding]) -> Callable[..., Finding]:
        setattr(function, MARK, spec_of(function, area, scale))
        return function

    return declare


def spec_of(function: Callable[..., Finding], area: str, scale: Scale | None) -> CheckSpec:
    """A check's id, title, explanation and needs, from its name, docstring and parameters."""
    doc = inspect.getdoc(function) or ""
    return CheckSpec(
        function=function,
        area=area,
        scale=scale,
        id=function.__name__.removeprefix("check_").replace("_", "-"),
        title=doc.splitlines()[0].rstrip(".") if doc else function.__name__,
        doc=doc,
        needs=tuple(name for name in inspect.signature(function).parameters if name != "scale"),
    )


def unknown(
    summary: str, cause: str, *, remedy: Remedy | None = None, evidence: Mapping[str, Any] | None = None
) -> Finding:
    """The finding for what was looked at and cannot be told; `cause` says what would make it known."""
    return Finding(status=Status.UNKNOWN, summary=summary, cause=cause, remedy=remedy, evidence=dict(evidence or {}))


def not_graded(
    value: float | int | str | None, summary: str, *, unit: str = "", evidence: Mapping[str, Any] | None = None
) -> Finding:
    """Green without a grade: reported, and not judged because nothing is asked of it now (idle is no illness)."""
    return Finding(status=Status.GREEN, summary=summary, observed=value, unit=unit, evidence=dict(evidence or {}))


def unmeasured(
    summary: str, minutes: int, cause: str, hint: str, *, evidence: Mapping[str, Any] | None = None
) -> Finding:
    """The finding where a recorder counted in fewer than RECORDED_MINUTES; `cause` says why there are none."""
    cause = cause or f"recorded in {minutes} of at least {RECORDED_MINUTES} minutes"
    return unknown(summary, cause, remedy=hinted(hint, MEASURE), evidence=evidence)


def hinted(hint: str, otherwise: Remedy) -> Remedy:
    """The hint of a part that was refused what it asked for, where there is one."""
    return Remedy(text=sentence(hint)) if hint else otherwise


def many(count: float, one: str, more: str) -> str:
    """A count with the words for it: `1 message is`, `1,200 messages are`, `0.2 errors`."""
    return f"{_number(count)} {one if count == 1 else more}"


def sentence(text: str) -> str:
    """Words of another part, such as an error's hint, as a sentence of its own."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
