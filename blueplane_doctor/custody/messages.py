"""One message of the queue stream, with its JSON read only when somebody asks for a value inside."""

import json
from typing import Any

from blueplane_doctor.sources.entries import RawEntry
from blueplane_doctor.sources.streams import EntryId, entry_id
from blueplane_doctor.times import parse_time, to_milliseconds

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
        self._json: dict[bytes, Any] = {}

    def json(self, name: bytes) -> Any:
        """The JSON value of a field; ABSENT when the field is missing or holds no JSON."""
        if name not in self._json:
            try:
                self._json[name] = json.loads(self.fields[name])
            except (KeyError, ValueError, RecursionError):
                self._json[name] = ABSENT
        return self._json[name]

    def value(self, path: tuple[bytes, ...], *, empty_too: bool = False) -> str | None:
        """The text at a path: a field, or inside the JSON of `metadata` or `payload`.

        None when it is missing, is no single value, or is empty (unless `empty_too`).
        """
        if len(path) == 1:
            raw = self.fields.get(path[0])
            return raw.decode("utf-8", "replace") if raw or (raw is not None and empty_too) else None
        value = self.json(path[0])
        for part in path[1:]:
            value = value.get(part.decode()) if isinstance(value, dict) else None
        if value is None or value is ABSENT or isinstance(value, dict | list) or (value == "" and not empty_too):
            return None
        if isinstance(value, bool):
            return str(int(value))  # as SQLite stores it
        return str(value).encode("utf-8", "replace").decode()  # lone surrogates are no text to look for

    def event_ms(self) -> int | None:
        """When the event happened, by its own `timestamp`, in milliseconds since 1970."""
        raw = self.fields.get(b"timestamp")
        moment = parse_time(raw.decode("utf-8", "replace")) if raw else None
        return to_milliseconds(moment) if moment else None

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
