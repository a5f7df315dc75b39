"""Scale: how a value becomes a colour. `scale_words` says in words which values get which colour."""

from collections.abc import Iterator, Mapping
from math import inf, isnan
from typing import Any, TypedDict, Unpack

from blueplane_doctor.errors import SettingsError, did_you_mean
from blueplane_doctor.model import Bound, Finding, Grading, Remedy, Status
from blueplane_doctor.text.quantities import number


class UngradableValue(ValueError):
    """A scale was asked to grade what it has no colour for. The message names what it takes, never the value."""


LEVELS = ("yellow", "orange", "red")
"""The levels of a scale, best first; green is what reaches none of them."""
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


class Scale(Grading):
    """How a value becomes a colour. Make one with `rising`, `falling` or `states`.

    The edge belongs to the level it is written in: `yellow=100` begins at 100 itself, `red_above=5_000`
    (or `red_below`) only beyond it. `lowest` and `highest` are the values that are possible at all: a bound
    outside them could never be reached, and is refused.
    """

    lowest: float | None = 0.0
    """The smallest possible value; null: there is none."""
    highest: float | None = None
    """The largest possible value; null: there is none."""

    @classmethod
    def rising(cls, *, unit: str, **levels: Unpack[_Rising]) -> "Scale":
        """More is worse. `yellow=x`: from x on; `yellow_above=x`: only above x. Raises SettingsError."""
        return cls(direction="rising", unit=unit, **_fields("rising", "above", {**levels})).checked()

    @classmethod
    def falling(cls, *, unit: str, **levels: Unpack[_Falling]) -> "Scale":
        """Less is worse. `yellow=x`: from x down; `yellow_below=x`: only below x. Raises SettingsError."""
        return cls(direction="falling", unit=unit, **_fields("falling", "below", {**levels})).checked()

    @classmethod
    def states(cls, **words: str) -> "Scale":
        """Named states, `Scale.states(green="active", red="down")`; several words for a colour: `"a|b"`."""
        colours = {}
        for colour, texts in words.items():
            if colour not in ("green", *LEVELS):
                known = ["green", *LEVELS]
                hint = did_you_mean(colour, known, f"it has {', '.join(known)}")
                raise TypeError(f"Scale.states has no argument '{colour}', {hint}")
            if not isinstance(texts, str):
                raise TypeError(f"Scale.states: the argument '{colour}' must be a string")
            for word in texts.split("|"):
                colours[word] = Status(colour)
        return cls(direction="states", words=colours)

    def status(self, value: float | int | str) -> Status:
        """The colour of a value. Raises UngradableValue for a state that is not in `words`, and for what is no number.

        A check of somebody's own may hand over anything.
        """
        if self.direction == "states":
            if str(value) not in self.words:
                raise UngradableValue(f"the value must be one of the states {', '.join(self.words)}")
            return self.words[str(value)]
        try:
            measured = float(value)
        except (TypeError, ValueError):
            raise UngradableValue("the value must be a number") from None
        if isnan(measured):
            raise UngradableValue("the value is not a number; what is not known is unknown(), never graded")
        position = self._position(Bound(value=measured, inclusive=True))
        status = Status.GREEN
        for level, bound in self.bounds.items():
            if position >= self._position(bound):
                status = Status(level)
        return status

    def grade(
        self,
        value: float | int | str,
        summary: str,
        *,
        remedy: Remedy | None = None,
        evidence: Mapping[str, Any] | None = None,
        at_worst: Status = Status.RED,
    ) -> Finding:
        """The finding for a value. A green one has no remedy.

        `at_worst` caps the colour, for what is worth a warning although nothing is lost by it.
        """
        status = self.status(value)
        if status.severity > at_worst.severity:
            status = at_worst
        return Finding(
            status=status,
            summary=summary,
            observed=value,
            unit=self.unit,
            scale=Grading(direction=self.direction, unit=self.unit, bounds=self.bounds, words=self.words),
            remedy=None if status is Status.GREEN else remedy,
            evidence=dict(evidence or {}),
        )

    def as_yaml(self) -> str:
        """The bounds as a map of YAML, ready for `thresholds` in the settings: `{yellow: 1000, red: 5000}`."""
        # Not `:g`: YAML reads `1e+06` as a text.
        levels = [f"{level}: {bound.value:.15g}" for level, bound in self.bounds.items()]
        return f"{{{', '.join(levels)}}}"

    def with_thresholds(self, thresholds: Mapping[str, float | None], check_id: str) -> "Scale":
        """The same scale with other numbers; `null` removes a level.

        Raises SettingsError when a level could never be reached, or the result could never be green.
        """
        where = f"thresholds.{check_id}"
        if self.direction == "states":
            words = ", ".join(f"{colour} {states}" for colour, states in scale_words(self).items())
            raise SettingsError(
                f"{where}: this check grades states, not numbers; it has no threshold to set", f"its states: {words}"
            )
        for name in sorted(thresholds):
            if name not in LEVELS:
                hint = did_you_mean(name, LEVELS, f"levels are {', '.join(LEVELS)}")
                raise SettingsError(f"{where}.{name}: no such level", hint)
        bounds = {}
        for level in LEVELS:
            bound = self.bounds.get(level)
            if level in thresholds:
                bound = _moved(bound, thresholds[level])
            if bound is not None:
                bounds[level] = bound
        return self.model_copy(update={"bounds": bounds}).checked(where)

    def checked(self, where: str = "scale") -> "Scale":
        """Itself, when every level can be reached and green is possible; else SettingsError."""
        previous = ""
        for level, bound in self.bounds.items():
            if problem := self._problem(bound):
                raise SettingsError(f"{where}.{level}: {problem}", "another number, or null to take the level away")
            if previous and self._position(bound) <= self._position(self.bounds[previous]):
                side = "below" if self.direction == "rising" else "above"
                raise SettingsError(
                    f"{where}.{previous}: {number(self.bounds[previous].value)} can never fire, because "
                    f"{level} begins at {number(bound.value)}",
                    f"{previous} must be {side} {level}",
                )
            previous = level
        return self

    def _problem(self, bound: Bound) -> str:
        """Why a level that begins there makes no sense; empty when it does."""
        if isnan(bound.value):
            return "nan is not a number"
        if self.direction == "rising":
            best = self.lowest
            end = inf if self.highest is None else self.highest
        else:
            best = self.highest
            end = -inf if self.lowest is None else self.lowest
        position = self._position(bound)
        if position[0] == inf or position > self._position(Bound(value=end, inclusive=True)):
            return f"{number(bound.value)} can never fire; the value never goes past {number(end)}"
        if best is not None and position <= self._position(Bound(value=best, inclusive=True)):
            return f"{number(bound.value)} would always fire; nothing could ever be green"
        return ""

    def _position(self, bound: Bound) -> tuple[float, bool]:
        """What bounds are compared by: the larger, the worse."""
        # The sign turns a falling scale round. An exclusive bound lies just behind its value: (5, True) > (5, False).
        value = -bound.value if self.direction == "falling" else bound.value
        return value, not bound.inclusive


def scale_words(scale: Grading) -> dict[str, str]:
    """For each colour of a scale, the values that get it: `{"green": "< 10", "red": "≥ 10"}`."""
    if scale.direction == "states":
        return dict(_state_words(scale))
    return dict(_range_words(scale))


def _state_words(scale: Grading) -> Iterator[tuple[str, str]]:
    for colour in ("green", *LEVELS):
        words = []
        for word, status in scale.words.items():
            if status == colour:
                words.append(word)
        if words:
            yield colour, " or ".join(words)


def _range_words(scale: Grading) -> Iterator[tuple[str, str]]:
    inclusive, exclusive = ("≥", ">") if scale.direction == "rising" else ("≤", "<")
    colour = "green"
    begins = ""
    for level, bound in scale.bounds.items():
        sign = inclusive if bound.inclusive else exclusive
        ends = f"{_OPPOSITE[sign]} {number(bound.value)}"
        yield colour, f"{begins} and {ends}" if begins else ends
        colour = level
        begins = f"{sign} {number(bound.value)}"
    yield colour, begins or "any value"


def _fields(kind: str, beyond: str, given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a scale from the arguments of `rising` or `falling`. Raises TypeError for an unknown name."""
    fields: dict[str, Any] = {"bounds": {}}
    known = ["lowest", "highest"]
    for level in LEVELS:
        known += [level, f"{level}_{beyond}"]
    for name, value in given.items():
        # Before a record is made of it, whose message would name a field that nobody wrote.
        if name in known and name not in ("lowest", "highest") and not isinstance(value, (int, float)):
            raise TypeError(f"Scale.{kind}: the argument '{name}' must be a number")
    for level in LEVELS:
        if level in given:
            fields["bounds"][level] = Bound(value=given[level], inclusive=True)
        elif f"{level}_{beyond}" in given:
            fields["bounds"][level] = Bound(value=given[f"{level}_{beyond}"], inclusive=False)
    for name, value in given.items():
        if name not in known:
            hint = did_you_mean(name, known, f"it has {', '.join(known)}")
            raise TypeError(f"Scale.{kind} has no argument '{name}', {hint}")
        if name in ("lowest", "highest"):
            fields[name] = value
    return fields


def _moved(bound: Bound | None, value: float | None) -> Bound | None:
    """A level's bound at another value; a level that was not there begins at its value."""
    if value is None:
        return None
    return Bound(value=value, inclusive=bound is None or bound.inclusive)
