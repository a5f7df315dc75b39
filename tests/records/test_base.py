"""Records: frozen, made by name, checked when they are made, and as JSON."""

from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from msgspec import UNSET, UnsetType, field

from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import Cleaned, InvalidRecord, Problem, Secret


class Part(Record):
    """Of a test."""

    number: int
    words: list[str] = []


class Whole(Record):
    """Of a test."""

    part: Part
    named: str = field(default="x", name="from")
    path: Annotated[Path, Cleaned(Path.absolute)] = Path("here")
    secret: Secret | None = None
    parts: dict[str, Part] = {}
    inner: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        """The parts have names."""
        if "" in self.parts:
            raise ValueError("a part needs a name")


class Defaults(Record):
    """Of a test."""

    checks_defaults: ClassVar[bool] = True

    number: int = 3
    path: Annotated[Path, Cleaned(Path.absolute)] = Path("here")


WHOLE = Whole(part=Part(number=1), secret=Secret("hunter2"), parts={"a": Part(number=2, words=["b"])})


def test_it_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        WHOLE.named = "y"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Part(1)  # type: ignore[misc]


def test_its_json_and_back() -> None:
    values = WHOLE.model_dump()
    assert values == {
        "part": {"number": 1, "words": []},
        "from": "x",
        "path": "here",
        "secret": "**********",
        "parts": {"a": {"number": 2, "words": ["b"]}},
    }
    again = Whole.model_validate_json(WHOLE.model_dump_json())
    assert again.parts == WHOLE.parts
    assert Whole.model_validate(WHOLE) is WHOLE
    assert WHOLE.model_dump_json(indent=1).count("\n") > 10


def test_a_choice_of_its_fields() -> None:
    assert WHOLE.model_dump(include={"from"}) == {"from": "x"}
    assert set(WHOLE.model_dump(exclude={"from", "part", "parts"})) == {"path", "secret"}
    assert "secret" not in Whole(part=Part(number=1)).model_dump(exclude_none=True)


def test_a_copy_with_other_values() -> None:
    assert WHOLE.model_copy(update={"named": "y"}).named == "y"
    deep = WHOLE.model_copy(deep=True)
    assert deep.parts == WHOLE.parts
    assert deep.parts is not WHOLE.parts


def test_a_copy_is_checked_as_whatever_is_made() -> None:
    assert WHOLE.model_copy(update={"part": {"number": "5"}}).part == Part(number=5)
    with pytest.raises(InvalidRecord, match="Whole: part: must be a map"):
        WHOLE.model_copy(update={"part": 5})
    with pytest.raises(InvalidRecord, match="Whole: prt: there is no such field"):
        WHOLE.model_copy(update={"prt": 5})


class WithProperty(Record):
    """Of a test."""

    number: int

    @cached_property
    def double(self) -> int:
        """Reckoned once."""
        return self.number * 2


def test_a_property_may_be_reckoned_once() -> None:
    record = WithProperty(number=2)
    assert record.double == record.double == 4
    assert record.model_dump() == {"number": 2}


def test_a_default_is_not_shared() -> None:
    Part(number=1).words.append("x")
    assert Part(number=1).words == []


def test_a_field_for_the_engine_alone_is_neither_read_nor_shown() -> None:
    made = Whole(part=Part(number=1), inner="known")
    assert made.inner == "known"
    assert "inner" not in made.model_dump()
    assert "inner" not in made.model_dump_json()
    assert "inner" not in Whole.model_fields
    with pytest.raises(InvalidRecord, match="inner: there is no such field"):
        Whole.model_validate({"part": {"number": 1}, "inner": "x"})


@pytest.mark.parametrize(
    ("values", "place", "kind"),
    [
        ({}, "part", Problem.MISSING),
        ({"part": {}}, "part.number", Problem.MISSING),
        ({"part": {"number": 1, "colour": 2}}, "part.colour", Problem.UNKNOWN),
        ({"part": {"number": 1}, "named": "x"}, "named", Problem.UNKNOWN),
        ({"part": {"number": 1}, 5: 6}, "5", Problem.VALUE),
        ({"part": {"number": 1}, "from": 6}, "from", Problem.VALUE),
        ({"part": {"number": 1}, "parts": {"a": {"number": 1, "words": ["x", 5]}}}, "parts.a.words.1", Problem.VALUE),
        ({"part": {"number": 1}, "parts": {"": {"number": 1}}}, "", Problem.VALUE),
        ([], "", Problem.VALUE),
    ],
)
def test_what_is_wrong_is_named(values: Any, place: str, kind: Problem) -> None:
    with pytest.raises(InvalidRecord) as refused:
        Whole.model_validate(values)
    assert (refused.value.record, refused.value.place, refused.value.kind) == ("Whole", place, kind)


def test_what_is_made_by_name_is_checked_too() -> None:
    with pytest.raises(InvalidRecord, match="Part: number: must be a whole number"):
        Part(number="x")  # type: ignore[arg-type]
    with pytest.raises(InvalidRecord, match="Part: numbr: there is no such field"):
        Part(number=1, numbr=1)  # type: ignore[call-arg]
    with pytest.raises(InvalidRecord, match="Part: number: it is missing"):
        Part()  # type: ignore[call-arg]
    assert Whole(part={"number": 1}).part == Part(number=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "[1", "{'a'}", b"\xff", "[" * 100_000])
def test_what_is_no_json(text: str | bytes) -> None:
    with pytest.raises(InvalidRecord, match="it is no JSON"):
        Part.model_validate_json(text)


def test_defaults_are_checked_where_the_class_says_so() -> None:
    assert Defaults().path == Path("here").absolute()
    assert Whole(part=Part(number=1)).path == Path("here")


def test_numbers_as_text_and_truth_as_a_number() -> None:
    assert Part(number="4").number == 4  # type: ignore[arg-type]
    assert Part(number=" 04 ").number == 4  # type: ignore[arg-type]
    assert Part(number=4.0).number == 4  # type: ignore[arg-type]
    assert Part(number=True).number is not True


class OwnText(str):
    """Of a test."""


class OwnNumber(int):
    """Of a test."""


class Evidence(Record):
    """Of a test."""

    anything: dict[str, Any]


def test_text_and_numbers_of_classes_of_somebody_elses() -> None:
    values = Evidence(anything={"text": OwnText("x"), "numbers": [OwnNumber(5), Fraction(1, 2)]}).model_dump()
    assert values == {"anything": {"text": "x", "numbers": [5, 0.5]}}
    assert type(values["anything"]["text"]) is str


def test_what_json_cannot_hold() -> None:
    with pytest.raises(TypeError):
        Evidence(anything={"a": object()}).model_dump_json()
    with pytest.raises(UnicodeError):
        Evidence(anything={"a": "\ud800"}).model_dump_json()
    numbers = Evidence(anything={"a": [10**299, float("nan"), (1.0,)]})
    assert numbers.model_dump_json() == '{"anything":{"a":[1' + 299 * "0" + ",null,[1.0]]}}"
