"""One message of the queue stream. Its JSON is parsed only when somebody asks for a value inside."""

import json
from collections.abc import Callable
from functools import cache
from operator import itemgetter
from typing import Any

from msgspec.json import decode

from blueplane_doctor.privacy.public_text import event_type
from blueplane_doctor.sources.entries import RawEntry
from blueplane_doctor.sources.entry_ids import EntryId, entry_id, entry_ids
from blueplane_doctor.text.characters import Public
from blueplane_doctor.text.times import milliseconds_of

_ABSENT = object()
_KINDS_OF_JSON = {list: "a list", str: "text", type(None): "null"}


class Message:
    """A stream entry. Values are private: only IDs, types and times may be shown."""

    __slots__ = ("_json", "fields", "id", "raw_id")

    def __init__(self, entry: RawEntry) -> None:
        self.raw_id = entry[0]
        self.id: EntryId = entry_id(entry[0])
        flat = iter(entry[1])
        # Both arguments are the same iterator: each name meets the value after it, and no list is copied. There are as
        # many values as names (connection/shapes.py looks at that); to have zip look once more doubles its time.
        self.fields: dict[bytes, bytes] = dict(zip(flat, flat))  # noqa: B905
        self._json: dict[bytes, Any] | None = None  # made when first needed: most messages never need it

    @property
    def event_id(self) -> bytes | None:
        """The ID that its producer gave it."""
        return self.fields.get(b"event_id")

    def json(self, name: bytes) -> Any:
        """A field's JSON value; _ABSENT when the field is missing or holds no JSON."""
        known = self._json
        if known is None:
            known = self._json = {}
        elif name in known:
            return known[name]
        value = known[name] = _parse(self.fields.get(name))
        return value

    def value(self, path: str, *, empty_too: bool = False) -> str | None:
        """The text at a path; see `value_reader`."""
        return value_reader(path, empty_too)(self)

    def event_ms(self) -> int | None:
        """Its own `timestamp`, in milliseconds since 1970."""
        raw = self.fields.get(b"timestamp")
        if not raw:
            return None
        try:
            return milliseconds_of(raw.decode())
        except UnicodeDecodeError:
            return None  # no time has such a character

    def times(self) -> set[int | None]:
        """The times that its row may have, in milliseconds since 1970; None where one cannot be told."""
        times = {self.event_ms()}
        payload = self.json(b"payload")
        entry = payload.get("entry_data") if isinstance(payload, dict) else None
        if isinstance(entry, dict):
            times.add(milliseconds_of(str(entry.get("timestamp"))))
        return times

    def kind(self) -> Public:
        """Its type of event or of hook."""
        return event_type(self.fields.get(b"event_type") or self.fields.get(b"hook_type"))

    def malformed(self) -> str:
        """What is wrong with its JSON fields; empty when nothing is."""
        for name in (b"metadata", b"payload"):
            if name not in self.fields:
                continue
            value = self.json(name)
            if value is _ABSENT:
                return f"{name.decode()} is not JSON"
            if not isinstance(value, dict):
                kind = _KINDS_OF_JSON.get(type(value), "a bare value")
                return f"{name.decode()} is {kind} instead of an object"
        return ""


def messages_of(page: list[RawEntry]) -> list[Message]:
    """The messages of a page of entries, in less time than one by one: no line of Python is run for their fields."""
    raw_ids = list(map(itemgetter(0), page))
    flat = list(map(iter, map(itemgetter(1), page)))
    # Each iterator is given twice, as in Message itself.
    fields = map(dict, map(zip, flat, flat))
    messages = []
    for raw_id, identity, fields_of_one in zip(raw_ids, entry_ids(raw_ids), fields, strict=True):
        message = Message.__new__(Message)
        message.raw_id = raw_id
        message.id = identity
        message.fields = fields_of_one
        message._json = None
        messages.append(message)
    return messages


ValueReader = Callable[[Message], str | None]


@cache
def value_reader(path: str, empty_too: bool) -> ValueReader:
    """A function that reads the text of a field, or of a path inside its JSON (`metadata.source`), from a message.

    It gives None when that is missing, is no single value, or is empty (unless `empty_too`).
    """
    first, *inside = path.strip().split(".")
    name = first.encode()

    def read_field(message: Message) -> str | None:
        raw = message.fields.get(name)
        if raw or (empty_too and raw is not None):
            try:
                return raw.decode()  # twice as fast as with a handler of errors
            except UnicodeDecodeError:
                return raw.decode("utf-8", "replace")
        return None

    def read_nested(message: Message) -> str | None:
        value = message.json(name)
        for part in inside:
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        if type(value) is str and value and value.isascii():
            return value  # as nearly all are
        return _text(value, empty_too)

    if inside:
        return read_nested
    return read_field


def _text(value: Any, empty_too: bool) -> str | None:
    if value is None or value is _ABSENT or isinstance(value, dict | list):
        return None
    if value == "" and not empty_too:
        return None
    if isinstance(value, bool):
        return str(int(value))  # as SQLite stores it
    text = str(value)
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()  # SQLite refuses to look for a lone surrogate


def _parse(raw: bytes | None) -> Any:
    if raw is None:
        return _ABSENT
    try:
        return decode(raw)  # several times as fast as the json module
    except (ValueError, RecursionError):
        pass
    try:  # the pipeline uses the json module, which accepts a lone surrogate and deep nesting
        return json.loads(raw)
    except (ValueError, RecursionError):
        return _ABSENT
