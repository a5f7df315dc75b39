"""JSON Schema of records, with the docstrings of their fields as descriptions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec

from blueplane_doctor.model import descriptions_of
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import Secret

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/{name}"
_OWN: dict[type, dict[str, Any]] = {
    Path: {"type": "string", "format": "path"},
    Secret: {"type": "string", "format": "password", "writeOnly": True},
}


def json_schema(*records: type[Record]) -> dict[str, dict[str, Any]]:
    """The schema of each of these records, and of whatever is in them, by name; they refer to `#/$defs/NAME`."""
    twins = [_without_paths_as_defaults(record) for record in records]
    _, definitions = msgspec.json.schema_components(twins, schema_hook=_of_own, ref_template=_REFERENCE)
    for record in _with_those_inside(records):
        properties = definitions[record.__name__]["properties"]
        shown = {field.encoded: name for name, field in record.model_fields.items()}
        meanings = descriptions_of(record)
        for encoded in list(properties):
            if encoded not in shown:
                del properties[encoded]  # for the engine alone
            elif shown[encoded] in meanings:
                properties[encoded]["description"] = meanings[shown[encoded]]
    as_json: dict[str, dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(definitions))  # lists for tuples
    return as_json


def _of_own(kind: type) -> dict[str, Any]:
    return _OWN[kind].copy()


def _without_paths_as_defaults(record: type[Record]) -> type:
    """A class of the same name and fields, for msgspec cannot write a path as a default."""
    fields: list[Any] = []
    for name, field in record.model_fields.items():
        default = field.default
        if isinstance(default, Path):
            default = str(default)
        fields.append((name, field.annotation, msgspec.field(name=field.encoded, default=default)))
    return msgspec.defstruct(record.__name__, fields, kw_only=True, forbid_unknown_fields=True)


def _with_those_inside(records: tuple[type[Record], ...]) -> Iterator[type[Record]]:
    """These records and those in their fields, each once."""
    known: set[type[Record]] = set()
    waiting = list(records)
    while waiting:
        record = waiting.pop()
        if record in known:
            continue
        known.add(record)
        yield record
        for field in record.model_fields.values():
            waiting += _records_in(field.annotation)


def _records_in(annotation: Any) -> Iterator[type[Record]]:
    if isinstance(annotation, type) and issubclass(annotation, Record):
        yield annotation
    for argument in get_args(annotation):
        yield from _records_in(argument)
