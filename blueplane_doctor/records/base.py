"""Frozen records: what passes between the parts, checked when it is made.

msgspec makes their classes, because that takes it a fiftieth of the time that others take (docs/BENCHMARKS.md), and a
run makes some seventy. What it does not do itself stands here and in `field_checks`: it also checks what is given to a
class by name, and says where in nested values the first problem is. The methods have the names that they have in
pydantic.
"""

import copy
from collections.abc import Callable, Collection, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, dataclass_transform, get_args

import msgspec
from msgspec import NODEFAULT, Struct, StructMeta, UnsetType
from msgspec.structs import replace

from blueplane_doctor.records.field_checks import (
    NAME_IS_NO_TEXT,
    InvalidRecord,
    Problem,
    Secret,
    check_of,
    checked_or_read,
    in_words,
)
from blueplane_doctor.text.plain_numbers import plain_number


class Field(NamedTuple):
    """What is known of a field of a record."""

    name: str
    encoded: str
    """Its name in JSON."""
    annotation: Any
    default: Any
    """NODEFAULT where it must be given."""
    check: Callable[[Any], Any]
    """Gives the value that is kept. Raises ValueError."""


class _RecordType(StructMeta):
    """The class of record classes."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **options: Any) -> "_RecordType":
        if any(isinstance(member, cached_property) for member in body.values()):
            options["dict"] = True  # where its value is kept
        return super().__new__(cls, name, bases, body, kw_only=True, **options)

    def __call__(cls, **values: Any) -> Any:
        """Raises InvalidRecord."""
        fields = _fields_of(cls)
        values = _checked_values(cls, values)
        if len(values) < len(fields):
            for name, field in fields.items():
                if name in values:
                    continue
                if field.default is NODEFAULT:
                    raise InvalidRecord(cls.__name__, "it is missing", (name,), Problem.MISSING)
                if cls.checks_defaults:  # type: ignore[attr-defined]  # of Record
                    values[name] = _checked(cls, field, field.default)
        try:
            return super().__call__(**values)
        except ValueError as error:  # of __post_init__
            raise InvalidRecord(cls.__name__, str(error)) from None

    @property
    def model_fields(cls) -> Mapping[str, Field]:
        """The fields by name, without those that may be UNSET: these are for the engine alone."""
        return _shown_fields_of(cls)


def _checked_values(record: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRecord."""
    fields = _fields_of(record)
    checked = {}
    for name, value in values.items():
        field = fields.get(name)
        if field is None:
            raise InvalidRecord(record.__name__, "there is no such field", (name,), Problem.UNKNOWN)
        checked[name] = _checked(record, field, value)
    return checked


def _checked(record: type, field: Field, value: Any) -> Any:
    """Raises InvalidRecord."""
    try:
        return checked_or_read(field.check, value)
    except InvalidRecord as error:
        raise error.inside(record.__name__, field.encoded) from None
    except ValueError as error:
        message, below = in_words(error)
        raise InvalidRecord(record.__name__, message, (field.encoded, *below)) from None


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class Record(Struct, metaclass=_RecordType, frozen=True, forbid_unknown_fields=True):
    """Base of what passes between the parts: frozen, made by name, with no unknown fields.

    A field that may be UNSET is for the engine alone: it is neither read from outside nor shown. A class that overrides
    `__post_init__` checks there what concerns several fields, and raises ValueError.
    """

    checks_defaults: ClassVar[bool] = False
    """Whether the defaults of fields are checked and cleaned as what is given."""

    @classmethod
    def prepared(cls, value: Any) -> Any:
        """What is read from outside, before it is checked. Raises ValueError."""
        return value

    @classmethod
    def model_validate(cls, value: Any) -> Self:
        """The record that a map from outside is; a record is given back as it is. Raises InvalidRecord."""
        if isinstance(value, cls):
            return value
        try:
            value = cls.prepared(value)
        except InvalidRecord as error:
            raise error.inside(cls.__name__) from None
        except ValueError as error:
            raise InvalidRecord(cls.__name__, str(error)) from None
        if not isinstance(value, Mapping):
            raise InvalidRecord(cls.__name__, "must be a map")
        names = _names_of(cls)
        values = {}
        for encoded, member in value.items():
            if not isinstance(encoded, str):
                raise InvalidRecord(cls.__name__, NAME_IS_NO_TEXT, (str(encoded),))
            name = names.get(encoded)
            if name is None:
                raise InvalidRecord(cls.__name__, "there is no such field", (encoded,), Problem.UNKNOWN)
            values[name] = member
        return cls(**values)

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Self:
        """The record that JSON text is. Raises InvalidRecord."""
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise InvalidRecord(cls.__name__, "it is no JSON") from None
        return cls.model_validate(value)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The same with these values. Raises InvalidRecord."""
        if deep:
            return copy.deepcopy(self)
        return replace(self, **_checked_values(type(self), update or {}))

    def model_dump(
        self,
        *,
        include: Collection[str] | None = None,
        exclude: Collection[str] = (),
        exclude_none: bool = False,
    ) -> dict[str, Any]:
        """Its values by name in JSON, as lists, maps, texts and numbers. Raises TypeError for what can be none."""
        values: dict[str, Any] = msgspec.to_builtins(self, enc_hook=_encoded)
        for name in list(values):
            is_asked_for = name in _names_of(type(self)) and (include is None or name in include)
            if not is_asked_for or name in exclude or (exclude_none and values[name] is None):
                del values[name]
        return values

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """The same as JSON text. Raises TypeError, and UnicodeError for a text that is none."""
        text = msgspec.json.encode(self.model_dump())
        if indent is not None:
            text = msgspec.json.format(text, indent=indent)
        return text.decode()


@cache
def _fields_of(record: type[Record]) -> dict[str, Field]:
    """All fields by name."""
    fields = {}
    for known in msgspec.structs.fields(record):
        default = known.default
        if known.default_factory is not NODEFAULT:
            default = known.default_factory()
        check = check_of(known.type)
        fields[known.name] = Field(known.name, known.encode_name, known.type, default, check)
    return fields


@cache
def _shown_fields_of(record: type[Record]) -> dict[str, Field]:
    shown = {}
    for name, field in _fields_of(record).items():
        if UnsetType not in get_args(field.annotation):
            shown[name] = field
    return shown


@cache
def _names_of(record: type[Record]) -> dict[str, str]:
    """Of the fields that are read and shown: the name in JSON, and the one here."""
    return {field.encoded: name for name, field in _shown_fields_of(record).items()}


def _encoded(value: object) -> str | int | float:
    """What msgspec does not know. Raises TypeError."""
    if isinstance(value, Secret):
        return repr(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str):
        return "".join(value)  # of a class of somebody else's
    number = plain_number(value)
    if number is None:
        raise TypeError(f"{type(value).__name__} has no form in JSON")
    return number
