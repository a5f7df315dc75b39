"""How a value becomes a colour: every rule of Scale, and its words."""

from collections.abc import Callable

import pytest
import yaml

from blueplane_doctor.errors import SettingsError
from blueplane_doctor.model import Finding, Grading, Remedy, Status
from blueplane_doctor.scales import Scale, UngradableValue, scale_words

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
    with pytest.raises(UngradableValue, match="must be one of the states "):
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
    assert scale_words(scale) == described


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
        scale=Grading(direction="rising", unit="s", bounds=RISING.bounds),
        remedy=REMEDY,
        evidence={"a": 1},
    )


def test_green_has_nothing_to_mend() -> None:
    assert RISING.grade(0, "0 s", remedy=REMEDY).remedy is None


@pytest.mark.parametrize(("value", "status"), [(0, "green"), (15, "yellow"), (99, "yellow")])
def test_at_worst_caps_the_colour(value: float, status: str) -> None:
    assert RISING.grade(value, "x", at_worst=Status.YELLOW).status == status


def test_a_finding_carries_its_scale_as_numbers() -> None:
    scale = RISING.grade(25, "25 s").model_dump()["scale"]
    assert scale == {
        "direction": "rising",
        "unit": "s",
        "bounds": {
            "yellow": {"value": 10, "inclusive": True},
            "orange": {"value": 20, "inclusive": True},
            "red": {"value": 30, "inclusive": False},
        },
        "words": {},
    }


def test_a_finding_carries_the_words_of_its_states() -> None:
    scale = STATES.grade("down", "It is down").model_dump()["scale"]
    assert scale["direction"] == "states"
    assert scale["words"] == {
        "active": "green",
        "intermittent": "yellow",
        "pid only": "orange",
        "HTTP only": "orange",
        "down": "red",
    }


def test_a_finding_carries_the_thresholds_in_force() -> None:
    scale = RISING.with_thresholds({"yellow": 5, "red": None}, "x").grade(7, "7 s").scale
    assert scale is not None
    assert scale_words(scale) == {"green": "< 5", "yellow": "≥ 5 and < 20", "orange": "≥ 20"}


def test_bounds_as_yaml_are_numbers_for_yaml_too() -> None:
    scale = Scale.rising(yellow=0.5, orange=1_000_000, red=10**9, unit="x")
    assert scale.as_yaml() == "{yellow: 0.5, orange: 1000000, red: 1000000000}"
    assert yaml.safe_load(scale.as_yaml()) == {"yellow": 0.5, "orange": 1_000_000, "red": 10**9}


def test_an_argument_that_does_not_exist_is_named() -> None:
    with pytest.raises(TypeError, match="Scale.rising has no argument 'yelow', did you mean yellow"):
        Scale.rising(unit="x", **{"yelow": 5})  # type: ignore[misc]
    with pytest.raises(TypeError, match="Scale.falling has no argument 'red_above', did you mean red_below"):
        Scale.falling(unit="x", **{"red_above": 5})  # type: ignore[misc]
