"""What each type of field takes, and what is said of anything else: never the value."""

from datetime import date
from enum import Enum, StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, UnsetType

from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import (
    Cleaned,
    InvalidRecord,
    Prepared,
    Problem,
    Secret,
    check_of,
    checked_or_read,
    in_words,
)

SECRET = "hunter2"


class Colour(StrEnum):
    """Of a test."""

    RED = "red"
    BLUE = "blue"


class Whole(Enum):
    """Of a test."""

    ONE = 1


class OwnFloat(float):
    """Of a test: numpy's numbers are of such a class."""


class Inner(Record):
    """Of a test."""

    number: int


TAKEN: list[tuple[Any, Any, Any]] = [
    (int, 5, 5),
    (float, 5, 5.0),
    (str | None, None, None),
    (int | float | str, 2.5, 2.5),
    (list[int], (1, 2), [1, 2]),
    (tuple[str, ...], ["a"], ("a",)),
    (tuple[str, int], ["a", 1], ("a", 1)),
    (dict[str, int], {"a": 1}, {"a": 1}),
    (dict[str, dict[str, float | None]], {"a": {"b": 1, "c": None}}, {"a": {"b": 1.0, "c": None}}),
    (Colour, "red", Colour.RED),
    (Colour, Colour.RED, Colour.RED),
    (list[Colour], ["red"], [Colour.RED]),
    (Literal["a", "b"], "b", "b"),
    (Path, "/a", Path("/a")),
    (Path | None, None, None),
    (Secret, "x", Secret("x")),
    (Secret, Secret("x"), Secret("x")),
    (date, "2026-03-14", date(2026, 3, 14)),
    (Any, {1: "x"}, {1: "x"}),
    (Inner, {"number": 1}, Inner(number=1)),
    (list[Inner] | None, [Inner(number=1)], [Inner(number=1)]),
    (dict[str, Inner], {"a": {"number": 1}}, {"a": Inner(number=1)}),
    (Annotated[int, Meta(gt=0)], 1, 1),
    (Annotated[str, Prepared(lambda value: value or "a"), Cleaned(str.upper)], "", "A"),
    (list[Annotated[str, Cleaned(str.upper)]], ["a"], ["A"]),
    (str | UnsetType, UNSET, UNSET),
    (str | UnsetType | None, None, None),
    (Whole, Whole.ONE, Whole.ONE),
    (int, 10**25, 10**25),
]


@pytest.mark.parametrize(("kind", "value", "kept"), TAKEN)
def test_taken(kind: Any, value: Any, kept: Any) -> None:
    result = check_of(kind)(value)
    assert result == kept
    assert type(result) is type(kept)


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        (int, "5", 5),
        (float, "2.5", 2.5),
        (Annotated[float, Meta(gt=0)], "2.5", 2.5),
        (bool, "yes", True),
        (bool, "Off", False),
        (bool, "0", False),
        (bool, True, True),
        (dict[str, float | None], {"a": "3"}, {"a": 3.0}),
    ],
)
def test_numbers_and_truth_may_come_as_text(kind: Any, text: Any, kept: Any) -> None:
    assert check_of(kind)(text) == kept


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (float, " 2.5 ", 2.5),
        (int, "017", 17),
        (int | None, "1_000", 1000),
        (int, True, 1),
        (float, OwnFloat(1.5), 1.5),
        (int | float | str | None, OwnFloat(1.5), 1.5),
        (float, Fraction(1, 2), 0.5),
        (list[Annotated[float, Cleaned(float)]], [" 3", OwnFloat(1.5)], [3.0, 1.5]),
        (dict[str, int], {"a": " 3"}, {"a": 3}),
    ],
    ids=str,
)
def test_what_python_reads_as_a_number_is_one(kind: Any, value: Any, kept: Any) -> None:
    result = checked_or_read(check_of(kind), value)
    assert result == kept
    assert type(result) is type(kept)


@pytest.mark.parametrize("text", ["9" * 400, f" {'9' * 400}", "-" + "9" * 21, "1e300"])
@pytest.mark.parametrize("kind", [int, float, int | None, list[int], dict[str, float], Annotated[int, Cleaned(abs)]])
def test_no_text_is_a_number_that_overflows(kind: Any, text: str) -> None:
    value: Any = text
    if get_origin(kind) is list:
        value = [text]
    elif get_origin(kind) is dict:
        value = {"a": text}
    with pytest.raises(ValueError, match="too large|out of range|whole number|Expected `int"):
        checked_or_read(check_of(kind), value)


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity"])
def test_no_text_is_a_number_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="too large"):
        checked_or_read(check_of(float), text)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (int, SECRET, "must be a whole number"),
        (int | None, SECRET, "must be a whole number or null"),
        (float, SECRET, "must be a number"),
        (str, 5, "must be text"),
        (list[int], SECRET, "must be a list"),
        (list[Inner], SECRET, "must be a list"),
        (list[int], [1, SECRET], "1: must be a whole number"),
        (dict[str, int], SECRET, "must be a map"),
        (dict[str, dict[str, int]], {"a": {"b": SECRET}}, "a.b: must be a whole number"),
        (Colour, SECRET, "must be red or blue"),
        (Colour, [SECRET], "must be red or blue"),
        (Literal["a", "b", "c"], SECRET, "must be a, b or c"),
        (date, SECRET, "must be a day such as 2026-03-14"),
        (date, 5, "must be a day such as 2026-03-14"),
        (Path, 5, "must be a path"),
        (Secret, 5, "must be text"),
        (Annotated[int, Meta(gt=0)], 0, "must be at least 1"),
        (Annotated[float, Meta(gt=0, le=5)], 0.0, "must be more than 0"),
        (Annotated[float, Meta(gt=0, le=5)], 9.0, "must be at most 5"),
        (float, "9" * 400, "is too large a number"),
        (float, "\ud800", "it holds what is no text"),
        (str, Inner(number=1), "must be text"),
        (str, list[int], "must be text"),
        (Literal["", "a"], SECRET, "must be empty or a"),
        (dict[str, int], {5: 1}, "5: a name must be text"),
        (Annotated[str, Meta(max_length=2)], SECRET, "must have at most 2 characters"),
        (Annotated[str, Meta(pattern="^x$")], SECRET, "has another form"),
        (str | UnsetType, 5, "must be text"),
        (Inner, {}, "Inner: number: it is missing"),
        (Inner, SECRET, "Inner: must be a map"),
        (list[Inner], [{"number": 1}, {"number": SECRET}], "1.number: must be a whole number"),
        (tuple[str, int], ["a"], "must be a list of 2"),
    ],
)
def test_refused_and_not_repeated(kind: Any, value: Any, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        check_of(kind)(value)
    message, below = in_words(refused.value)
    assert ": ".join(part for part in (".".join(below), message) if part) == said
    assert SECRET not in message


def test_truth_that_is_none() -> None:
    with pytest.raises(ValueError, match="must be true or false"):
        check_of(bool)(SECRET)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_whatever_comes_is_taken_or_refused_as_a_mistake_in_the_value(value: Any) -> None:
    for kind, _, _ in TAKEN:
        try:
            check_of(kind)(value)
        except ValueError as error:
            assert in_words(error)[0]


def test_the_place_of_a_problem() -> None:
    error = InvalidRecord("Inner", "it is missing", ("number",), Problem.MISSING).inside("Outer", "parts", "0")
    assert (error.record, error.place, error.kind) == ("Outer", "parts.0.number", Problem.MISSING)
    assert str(error) == "Outer: parts.0.number: it is missing"
    assert len(InvalidRecord("Inner", "m", ("x" * 1_000,)).place) == 60
    assert InvalidRecord("Inner", "m", ("a\ud800\x1b[31m",)).place.isprintable()


def test_a_place_shows_no_url() -> None:
    error = InvalidRecord("Inner", "m", ("notify", f"ntfy://ntfy.sh/{SECRET}"))
    assert error.place == "notify.ntfy://…"


def test_a_secret_shows_nothing() -> None:
    assert SECRET not in f"{Secret(SECRET)} {Secret(SECRET)!r}"
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
