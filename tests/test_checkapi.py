"""How a value becomes a colour: every rule of Scale; what the decorator knows of a check."""

from collections.abc import Callable
from typing import Any

import pytest

from blueplane_doctor.checkapi import MARK, CheckSpec, Scale, check, many, not_graded, sentence, spec_of, unknown
from blueplane_doctor.errors import SettingsError
from blueplane_doctor.model import Finding, Remedy, Status

RISING = Scale.rising(yellow=10, orange=20, red_above=30, unit="s")
RISING_BEYOND = Scale.rising(yellow_above=10, orange_above=20, red=30, unit="s")
FALLING = Scale.falling(yellow=99, orange_below=95, red_below=90, unit="%", highest=100)
STATES = Scale.states(green="active", yellow="intermittent", orange="pid only|HTTP only", red="down")


@pytest.mark.parametrize(
    ("scale", "value", "status"),
    [
        pytest.param(RISING, 0, "green", id="rising-lowest"),
        pytest.param(RISING, 9.999, "green", id="rising-below-yellow"),
        pytest.param(RISING, 10, "yellow", id="rising-inclusive-edge"),
        pytest.param(RISING, 19.999, "yellow", id="rising-below-orange"),
        pytest.param(RISING, 20, "orange", id="rising-next-inclusive-edge"),
        pytest.param(RISING, 30, "orange", id="rising-exclusive-edge-stays-below"),
        pytest.param(RISING, 30.001, "red", id="rising-beyond-exclusive-edge"),
        pytest.param(RISING, 1e300, "red", id="rising-far-beyond"),
        pytest.param(RISING_BEYOND, 10, "green", id="rising-exclusive-first-edge"),
        pytest.param(RISING_BEYOND, 10.001, "yellow", id="rising-beyond-exclusive-first-edge"),
        pytest.param(RISING_BEYOND, 20, "yellow", id="rising-exclusive-second-edge"),
        pytest.param(RISING_BEYOND, 30, "red", id="rising-inclusive-last-edge"),
        pytest.param(FALLING, 100, "green", id="falling-highest"),
        pytest.param(FALLING, 99.001, "green", id="falling-above-yellow"),
        pytest.param(FALLING, 99, "yellow", id="falling-inclusive-edge"),
        pytest.param(FALLING, 95, "yellow", id="falling-exclusive-edge-stays-above"),
        pytest.param(FALLING, 94.999, "orange", id="falling-beyond-exclusive-edge"),
        pytest.param(FALLING, 90, "orange", id="falling-next-exclusive-edge"),
        pytest.param(FALLING, 89.999, "red", id="falling-red"),
        pytest.param(FALLING, 0, "red", id="falling-lowest"),
        pytest.param(STATES, "active", "green", id="state-green"),
        pytest.param(STATES, "intermittent", "yellow", id="state-yellow"),
        pytest.param(STATES, "pid only", "orange", id="state-first-of-two-words"),
        pytest.param(STATES, "HTTP only", "orange", id="state-second-of-two-words"),
        pytest.param(STATES, "down", "red", id="state-red"),
        pytest.param(Scale.rising(red=1, unit="x"), 0, "green", id="red-alone-below"),
        pytest.param(Scale.rising(red=1, unit="x"), 1, "red", id="red-alone"),
        pytest.param(Scale.rising(orange=1, red=10, unit="x"), 9, "orange", id="without-yellow"),
        pytest.param(Scale.rising(unit="x"), 5, "green", id="without-levels"),
        pytest.param(Scale.rising(red=5, unit="x", lowest=None), -7, "green", id="below-zero"),
    ],
)
def test_status(scale: Scale, value: float | str, status: str) -> None:
    assert scale.status(value) == status


def test_a_state_that_the_scale_does_not_know_is_an_error_and_never_green() -> None:
    with pytest.raises(KeyError):
        STATES.status("asleep")


@pytest.mark.parametrize("scale", [RISING, FALLING], ids=["rising", "falling"])
def test_not_a_number_is_an_error_and_never_green(scale: Scale) -> None:
    with pytest.raises(ValueError, match="not a number"):
        scale.status(float("nan"))


@pytest.mark.parametrize(
    ("scale", "described"),
    [
        pytest.param(
            RISING,
            {"green": "< 10", "yellow": "≥ 10 and < 20", "orange": "≥ 20 and ≤ 30", "red": "> 30"},
            id="rising",
        ),
        pytest.param(
            RISING_BEYOND,
            {"green": "≤ 10", "yellow": "> 10 and ≤ 20", "orange": "> 20 and < 30", "red": "≥ 30"},
            id="rising-beyond",
        ),
        pytest.param(
            FALLING,
            {"green": "> 99", "yellow": "≤ 99 and ≥ 95", "orange": "< 95 and ≥ 90", "red": "< 90"},
            id="falling",
        ),
        pytest.param(
            STATES,
            {"green": "active", "yellow": "intermittent", "orange": "pid only or HTTP only", "red": "down"},
            id="states",
        ),
        pytest.param(Scale.rising(red=1_000, unit="x"), {"green": "< 1,000", "red": "≥ 1,000"}, id="thousands"),
        pytest.param(Scale.rising(red=0.5, unit="x"), {"green": "< 0.5", "red": "≥ 0.5"}, id="fraction"),
        pytest.param(Scale.rising(unit="x"), {"green": "any value"}, id="without-levels"),
    ],
)
def test_describe(scale: Scale, described: dict[str, str]) -> None:
    assert scale.describe() == described


@pytest.mark.parametrize(
    ("make", "told"),
    [
        pytest.param(
            lambda: Scale.falling(yellow=99, red=-1, unit="%"), "red: -1 can never fire", id="falling-under-the-lowest"
        ),
        pytest.param(
            lambda: Scale.falling(red_below=0, unit="%"), "red: 0 can never fire", id="falling-below-the-lowest"
        ),
        pytest.param(
            lambda: Scale.rising(red=101, highest=100, unit="%"),
            "red: 101 can never fire",
            id="rising-over-the-highest",
        ),
        pytest.param(
            lambda: Scale.rising(red_above=100, highest=100, unit="%"),
            "red: 100 can never fire",
            id="rising-above-the-highest",
        ),
        pytest.param(lambda: Scale.rising(yellow=0, unit="x"), "yellow: 0 would always fire", id="rising-from-zero"),
        pytest.param(
            lambda: Scale.rising(yellow_above=-1, unit="x"), "yellow: -1 would always fire", id="rising-below-zero"
        ),
        pytest.param(
            lambda: Scale.falling(yellow=100, highest=100, unit="%"), "yellow: 100 would always fire", id="falling-all"
        ),
        pytest.param(
            lambda: Scale.falling(yellow=101, highest=100, unit="%"),
            "yellow: 101 would always fire",
            id="falling-more-than-all",
        ),
        pytest.param(
            lambda: Scale.rising(yellow=10, orange=5, unit="x"), "yellow: 10 can never fire", id="rising-out-of-order"
        ),
        pytest.param(
            lambda: Scale.rising(yellow=10, red=10, unit="x"), "yellow: 10 can never fire", id="rising-same-edge"
        ),
        pytest.param(
            lambda: Scale.rising(yellow_above=10, red=10, unit="x"),
            "yellow: 10 can never fire",
            id="rising-beyond-where-the-next-begins",
        ),
        pytest.param(
            lambda: Scale.rising(yellow_above=10, red_above=10, unit="x"),
            "yellow: 10 can never fire",
            id="rising-same-exclusive-edge",
        ),
        pytest.param(
            lambda: Scale.falling(yellow=90, orange_below=95, unit="%"),
            "yellow: 90 can never fire",
            id="falling-out-of-order",
        ),
        pytest.param(lambda: Scale.rising(red=float("nan"), unit="x"), "red: nan is not a number", id="nan"),
        pytest.param(lambda: Scale.rising(red=float("inf"), unit="x"), "red: inf can never fire", id="infinite"),
    ],
)
def test_a_scale_with_a_level_that_makes_no_sense_is_refused(make: Callable[[], Scale], told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make()
    assert f"scale.{told}" in caught.value.message


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Scale.rising(yellow_above=0, unit="x"), id="anything-above-zero"),
        pytest.param(lambda: Scale.rising(red=100, highest=100, unit="%"), id="rising-exactly-the-highest"),
        pytest.param(lambda: Scale.falling(yellow_below=100, highest=100, unit="%"), id="falling-anything-missing"),
        pytest.param(lambda: Scale.falling(red=0, unit="x"), id="falling-exactly-the-lowest"),
        pytest.param(lambda: Scale.rising(yellow=10, red_above=10, unit="x"), id="one-value-wide"),
    ],
)
def test_a_scale_whose_levels_can_just_be_reached_is_fine(make: Callable[[], Scale]) -> None:
    assert make().bounds


@pytest.mark.parametrize(
    ("thresholds", "value", "status"),
    [
        pytest.param({}, 10, "yellow", id="nothing-changed"),
        pytest.param({"yellow": 5}, 5, "yellow", id="lower-inclusive-stays-inclusive"),
        pytest.param({"red": 25}, 25, "orange", id="exclusive-stays-exclusive"),
        pytest.param({"red": 25}, 25.001, "red", id="beyond-the-new-edge"),
        pytest.param({"yellow": None}, 15, "green", id="null-removes-yellow"),
        pytest.param({"yellow": None, "orange": None, "red": None}, 1e9, "green", id="null-removes-all"),
        pytest.param({"red": None}, 1e9, "orange", id="null-removes-red"),
        pytest.param({"yellow": 100, "orange": 200, "red": 300}, 99, "green", id="all-three"),
    ],
)
def test_thresholds_change_a_scale(thresholds: dict[str, float | None], value: float, status: str) -> None:
    assert RISING.with_thresholds(thresholds, "x").status(value) == status


def test_a_level_that_was_not_there_begins_at_its_number() -> None:
    assert Scale.rising(red=10, unit="x").with_thresholds({"yellow": 5}, "x").status(5) == "yellow"


def test_levels_keep_their_order_however_they_are_given() -> None:
    scale = Scale.rising(red=10, unit="x").with_thresholds({"orange": 7, "yellow": 5}, "x")
    assert list(scale.bounds) == ["yellow", "orange", "red"]


@pytest.mark.parametrize(
    ("scale", "thresholds", "told", "hint"),
    [
        pytest.param(RISING, {"purple": 3}, "thresholds.my-check.purple: no such level", "yellow", id="unknown-level"),
        pytest.param(RISING, {"green": 3}, "thresholds.my-check.green: no such level", "yellow", id="green-no-level"),
        pytest.param(STATES, {"red": 3}, "thresholds.my-check: this check grades states", "active", id="states"),
        pytest.param(RISING, {"yellow": 25}, "thresholds.my-check.yellow: 25 can never fire", "below", id="order"),
        pytest.param(
            FALLING, {"yellow": 92}, "thresholds.my-check.yellow: 92 can never fire", "above", id="falling-order"
        ),
        pytest.param(FALLING, {"yellow": 100}, "thresholds.my-check.yellow: 100 would always fire", "", id="always"),
        pytest.param(FALLING, {"red": 0}, "thresholds.my-check.red: 0 can never fire", "", id="never"),
        pytest.param(RISING, {"red": float("nan")}, "thresholds.my-check.red: nan is not a number", "", id="nan"),
    ],
)
def test_thresholds_that_cannot_be_used_are_refused(
    scale: Scale, thresholds: dict[str, float | None], told: str, hint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        scale.with_thresholds(thresholds, "my-check")
    assert told in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.hint, "says what to try"


REMEDY = Remedy(text="Do this.")


def test_grade_keeps_everything_that_was_seen() -> None:
    finding = RISING.grade(25, "25 s", remedy=REMEDY, evidence={"a": 1})
    assert finding == Finding(
        status=Status.ORANGE,
        summary="25 s",
        observed=25,
        unit="s",
        scale=RISING.describe(),
        remedy=REMEDY,
        evidence={"a": 1},
    )


def test_green_has_nothing_to_mend() -> None:
    assert RISING.grade(0, "0 s", remedy=REMEDY).remedy is None


@pytest.mark.parametrize(("value", "status"), [(0, "green"), (15, "yellow"), (99, "yellow")])
def test_at_worst_caps_the_colour(value: float, status: str) -> None:
    assert RISING.grade(value, "x", at_worst=Status.YELLOW).status == status


def test_what_is_not_graded_is_green_without_a_scale() -> None:
    finding = not_graded(3.5, "idle", unit="rows/s", evidence={"a": 1})
    assert (finding.status, finding.observed, finding.unit, finding.scale) == (Status.GREEN, 3.5, "rows/s", {})


def test_unknown_carries_its_cause() -> None:
    finding = unknown("not known", "nobody measures it", remedy=REMEDY)
    assert (finding.status, finding.cause, finding.remedy) == (Status.UNKNOWN, "nobody measures it", REMEDY)


def test_the_decorator_reads_id_title_explanation_and_needs() -> None:
    @check(area="mine", scale=RISING)
    def check_how_old_it_is(queue: Any, database: Any, scale: Scale) -> Finding:
        """How old it is.

        A second paragraph.
        """
        return scale.grade(queue + database, "x")

    spec: CheckSpec = getattr(check_how_old_it_is, MARK)
    assert (spec.id, spec.area, spec.title) == ("how-old-it-is", "mine", "How old it is")
    assert spec.doc == "How old it is.\n\nA second paragraph."
    assert spec.needs == ("queue", "database")
    assert spec.run({"queue": 10, "database": 5, "chain": None}).status == "yellow"


def test_a_check_without_scale_or_docstring() -> None:
    def check_it(queue: Any) -> Finding:
        return Finding(status=Status.RED, summary=f"{queue}")

    spec = spec_of(check_it, "mine", None)
    assert (spec.title, spec.scale, spec.doc) == ("check_it", None, "")
    assert spec.run({"queue": "x"}).summary == "x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("start it", "Start it."), ("Start it.", "Start it."), ("why?", "Why?"), ("~/x is gone", "~/x is gone.")],
)
def test_sentence(text: str, expected: str) -> None:
    assert sentence(text) == expected


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 errors"), (0.2, "0.2 errors"), (1, "1 error"), (1.0, "1 error"), (1_234_567, "1,234,567 errors")],
)
def test_a_count_has_the_word_that_belongs_to_it(count: float, said: str) -> None:
    assert many(count, "error", "errors") == said
