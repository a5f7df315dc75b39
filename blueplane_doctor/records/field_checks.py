"""What the field of a record may be given: a check for each type, and the first problem in words."""

from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from functools import partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, UnsetType

from blueplane_doctor.text.characters import plain
from blueplane_doctor.text.patterns import pattern
from blueplane_doctor.text.plain_numbers import is_in_bounds, plain_number

_Check = Callable[[Any], Any]
"""Is given a value, and gives the one that is kept. Raises ValueError."""
_PLACE = pattern(r" - at `(?:key` in `)?\$(.*)`\Z")
_INDEX = pattern(r"\[(\d+)\]")
_EXPECTED = pattern(r"Expected `([^`]+)`(?: (of length )?(?:([<>]=?) )?(\d\S*?))?(?:, got `?[\w.]+`?)?\Z")
_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "a map",
    "date": "a day such as 2026-03-14",
}
"""What msgspec calls a kind of value, and how it is said."""
_DATE = f"must be {_KINDS['date']}"
_NAME_CHARACTERS = 60
"""Characters of a name in a place; longer ones are cut."""
_NUMBERS = (int, float)
"""Kinds whose values may be out of bounds."""
_TOO_LARGE = "is too large a number"
_OTHERWISE = {"Number out of range": _TOO_LARGE, "Integer value out of range": _TOO_LARGE}
NAME_IS_NO_TEXT = "a name must be text"
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_TRUTH = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}


class Problem(StrEnum):
    """What is wrong with a field."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    """There is no such field."""
    VALUE = "value"


class InvalidRecord(ValueError):
    """Values that cannot be this record. It never holds a value, which may be private."""

    def __init__(self, record: str, message: str, where: tuple[str, ...] = (), kind: Problem = Problem.VALUE) -> None:
        """`record`: name of its class; `where`: field, and what lies below it, of the first problem."""
        super().__init__(": ".join(part for part in (record, ".".join(where), message) if part))
        self.record = record
        self.message = message
        self.where = where
        self.kind = kind

    @property
    def place(self) -> str:
        """Field, and what lies below it, of the first problem; empty where it concerns several."""
        return ".".join(map(_shown_name, self.where))

    def inside(self, record: str, *above: str) -> "InvalidRecord":
        """The same, where its record stands in a field of another one."""
        return InvalidRecord(record, self.message, (*above, *self.where), self.kind)


def _shown_name(name: str) -> str:
    scheme, mark, _ = name.partition("://")
    if mark:
        return plain(f"{scheme}{mark}…", _NAME_CHARACTERS)  # a URL may hold a password
    return plain(name, _NAME_CHARACTERS)


class Cleaned(NamedTuple):
    """In `Annotated`: a function that is given the checked value and gives the one that is kept."""

    function: _Check


class Prepared(NamedTuple):
    """In `Annotated`: a function that is given the value before it is checked."""

    function: _Check


class Secret:
    """A text that is shown nowhere."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        """The text itself."""
        return self._value

    def __repr__(self) -> str:
        return "**********"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def check_of(kind: Any) -> _Check:
    """The check for a type. Numbers and truth may also come as text, as environment variables and Redis have them."""
    return _own_check(kind) or partial(msgspec.convert, type=kind, strict=False)


def _own_check(kind: Any) -> _Check | None:
    """None where msgspec can check it alone."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _annotated(kind)
    if origin in (Union, UnionType):
        return _union(kind)
    if origin is list or origin is tuple:
        return _sequence(kind, origin)
    if origin is dict:
        return _map(kind)
    if origin is Literal:
        return _choice({value: value for value in get_args(kind)})
    if kind is Any:
        return _as_it_is
    if kind is Path:
        return _path
    if kind is Secret:
        return _secret
    if kind is bool:
        return _truth
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _choice({member.value: member for member in kind})
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        validate: _Check = kind.model_validate  # type: ignore[attr-defined]  # every one here is a Record
        return validate
    return None


def _as_it_is(value: Any) -> Any:
    return value


def _annotated(kind: Any) -> _Check | None:
    inner, *marks = get_args(kind)
    before = []
    for mark in marks:
        if isinstance(mark, Prepared):
            before.append(mark.function)
    after = []
    for mark in marks:
        if isinstance(mark, Cleaned):
            after.append(mark.function)
    if not before and not after:
        return _own_check(inner)
    check = check_of(inner)

    def checked(value: Any) -> Any:
        for function in (*before, check, *after):
            value = function(value)
        return value

    return checked


def _union(kind: Any) -> _Check | None:
    kinds = [part for part in get_args(kind) if part is not NoneType]
    if UnsetType in kinds:
        return lambda value: value if value is UNSET else msgspec.convert(value, type=kind, strict=False)
    if len(kinds) > 1 or _own_check(kinds[0]) is None:
        return None
    check = check_of(kinds[0])

    def checked(value: Any) -> Any:
        return None if value is None else check(value)

    return checked


def _sequence(kind: Any, origin: type) -> _Check | None:
    """Of a list, or of a tuple whose items are all of one type."""
    item = get_args(kind)[0]
    if origin is tuple and get_args(kind)[1:] != (...,):
        return None
    if _own_check(item) is None and item not in _NUMBERS:
        return None
    check = check_of(item)

    def checked(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise ValueError(_must_be("array"))
        return origin([_at(number, check, one) for number, one in enumerate(value)])

    return checked


def _map(kind: Any) -> _Check:
    """Item by item, for msgspec does not say of which key a value is wrong."""
    key, item = get_args(kind)
    check_key = check_of(key)
    check = check_of(item)

    def checked(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(_must_be("object"))
        members = {}
        for name, member in value.items():
            if key is str and not isinstance(name, str):
                raise InvalidRecord("", NAME_IS_NO_TEXT, (str(name),))
            members[_at(name, check_key, name)] = _at(name, check, member)
        return members

    return checked


def _at(place: object, check: _Check, value: Any) -> Any:
    """Raises InvalidRecord, which says where."""
    try:
        return checked_or_read(check, value)
    except InvalidRecord as error:
        raise error.inside("", str(place)) from None
    except ValueError as error:
        message, below = in_words(error)
        raise InvalidRecord("", message, (str(place), *below)) from None


def checked_or_read(check: _Check, value: Any) -> Any:
    """What the check gives; a number that only Python takes for one is tried as a plain one. Raises ValueError."""
    try:
        kept = check(value)
    except msgspec.ValidationError:
        number = plain_number(value)
        if number is None:
            raise
        kept = check(number)
    if isinstance(value, str) and isinstance(kept, int | float) and not is_in_bounds(kept):
        raise ValueError(_TOO_LARGE)  # a text may have any number of digits
    return kept


def _choice(choices: Mapping[Any, Any]) -> _Check:
    """`choices`: what may be given, and what is kept."""
    names = [str(name) or "empty" for name in choices]
    shown = " or ".join([", ".join(names[:-1]), names[-1]]).removeprefix(" or ")

    def checked(value: Any) -> Any:
        if isinstance(value, Enum):
            value = value.value
        try:
            return choices[value]
        except (KeyError, TypeError):  # TypeError: a list or a map
            raise ValueError(f"must be {shown}") from None

    return checked


def _path(value: Any) -> Path:
    if not isinstance(value, str | Path):
        raise ValueError("must be a path")
    return Path(value)


def _secret(value: Any) -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise ValueError(_must_be("str"))
    return Secret(value)


def _truth(value: Any) -> bool:
    known = _TRUTH.get(str(value).lower())
    if known is None:
        raise ValueError(_must_be("bool"))
    return known


def in_words(error: Exception) -> tuple[str, tuple[str, ...]]:
    """What is wrong by an error of a check, and where below the field."""
    if isinstance(error, UnicodeError):
        return "it holds what is no text", ()  # its own words repeat a part
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return text, ()
    place = _PLACE.search(text)
    below: tuple[str, ...] = ()
    if place:
        text = text[: place.start()]
        below = tuple(_INDEX.findall(place[1]))
    expected = _EXPECTED.match(text)
    if expected is None:
        return _OTHERWISE.get(text, _DATE if "date" in text else "has another form"), below
    kinds, of_length, bound, number = expected.groups(default="")
    number = number.removesuffix(".0")
    message = _must_be(*kinds.split(" | "))
    if of_length and not bound:
        message = f"must be a list of {number}"
    elif of_length:
        message = f"must have {_BOUNDS[bound]} {number} characters"
    elif bound:
        message = f"must be {_BOUNDS[bound]} {number}"
    return message, below


def _must_be(*kinds: str) -> str:
    return f"must be {' or '.join(_KINDS.get(kind, kind) for kind in kinds)}"
