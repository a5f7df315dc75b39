"""One message of the queue stream, with its JSON read only when somebody asks for a value inside."""

import json
from collections.abc import Callable
from typing import Any

from pydantic_core import from_json

from blueplane_doctor.sources.entries import RawEntry
from blueplane_doctor.sources.streams import EntryId, entry_id
from blueplane_doctor.times import milliseconds_of

_JSON_FIELDS = (b"metadata", b"payload")
ABSENT = object()


class Message:
    """A stream entry. Values are private: only `route`, IDs, types and times ever leave this class's users."""

    __slots__ = ("_json", "fields", "id", "raw_id")

    def __init__(self, entry: RawEntry) -> None:
        self.raw_id = entry[0]
        self.id: EntryId = entry_id(entry[0])
        flat = entry[1]
        self.fields: dict[bytes, bytes] = dict(zip(flat[::2], flat[1::2], strict=True))
        self._json: dict[bytes, Any] | None = None

    def json(self, name: bytes) -> Any:
        """The JSON value of a field; ABSENT when the field is missing or holds no JSON."""
        if self._json is None:
            self._json = {}
        if name not in self._json:
            self._json[name] = _parsed(self.fields.get(name))
        return self._json[name]

    def value(self, path: tuple[bytes, ...], *, empty_too: bool = False) -> str | None:
        """The text at a path; see `value_reader`."""
        return value_reader(path, empty_too=empty_too)(self)

    def event_ms(self) -> int | None:
        """When the event happened, by its own `timestamp`, in milliseconds since 1970."""
        raw = self.fields.get(b"timestamp")
        return milliseconds_of(raw.decode("utf-8", "replace")) if raw else None

    def malformed(self) -> str:
        """What is wrong with the form of its JSON fields; empty when nothing is."""
        for name in _JSON_FIELDS:
            if name not in self.fields:
                continue
            value = self.json(name)
            if value is ABSENT:
                return f"{name.decode()} is not JSON"
            if not isinstance(value, dict):
                kind = {list: "a list", str: "text", type(None): "null"}.get(type(value), "a bare value")
                return f"{name.decode()} is {kind} instead of an object"
        return ""


ValueReader = Callable[[Message], str | None]


def value_reader(path: tuple[bytes, ...], *, empty_too: bool = False) -> ValueReader:
    """What reads the text at a path from a message: a field, or inside the JSON of `metadata` or `payload`.

    It gives None when that is missing, is no single value, or is empty (unless `empty_too`).
    """
    name, inside = path[0], [part.decode() for part in path[1:]]

    def field(message: Message) -> str | None:
        raw = message.fields.get(name)
        return raw.decode("utf-8", "replace") if raw or (empty_too and raw is not None) else None

    def nested(message: Message) -> str | None:
        value = message.json(name)
        for part in inside:
            value = value.get(part) if isinstance(value, dict) else None
        return _text(value, empty_too)

    return nested if inside else field


def _text(value: Any, empty_too: bool) -> str | None:
    if value is None or value is ABSENT or isinstance(value, dict | list) or (value == "" and not empty_too):
        return None
    if isinstance(value, bool):
        return str(int(value))  # as SQLite stores it
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()  # lone surrogates cannot be looked for


def _parsed(raw: bytes | None) -> Any:
    """The quick parser refuses some of what the pipeline's own accepts (a lone surrogate, deep nesting)."""
    if raw is None:
        return ABSENT
    try:
        return from_json(raw)
    except ValueError:
        pass
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return ABSENT
