"""One message of the queue stream: which writer owns it, and where its row would be.

Its JSON is read only when somebody asks for a value inside. The routes are those of pipeline.py, compiled.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from pydantic_core import from_json

from blueplane_doctor.pipeline import Key, Layout, Route
from blueplane_doctor.settings import Settings
from blueplane_doctor.sources.entries import RawEntry
from blueplane_doctor.sources.streams import EntryId, entry_id
from blueplane_doctor.sources.trace_tables import Lookup
from blueplane_doctor.text import word
from blueplane_doctor.times import milliseconds_of

_ABSENT = object()
_REMEMBERED = 2048
_REMEMBERED_BYTES = 4096


class Message:
    """A stream entry. Values are private: only IDs, types and times may be shown."""

    __slots__ = ("_json", "fields", "id", "raw_id")

    def __init__(self, entry: RawEntry) -> None:
        self.raw_id = entry[0]
        self.id: EntryId = entry_id(entry[0])
        flat = entry[1]
        self.fields: dict[bytes, bytes] = dict(zip(flat[::2], flat[1::2], strict=True))
        self._json: dict[bytes, Any] | None = None

    def json(self, name: bytes) -> Any:
        """A field's JSON value; _ABSENT when the field is missing or holds no JSON."""
        if self._json is None:
            self._json = {}
        if name not in self._json:
            self._json[name] = _parsed(self.fields.get(name))
        return self._json[name]

    def value(self, path: str, *, empty_too: bool = False) -> str | None:
        """The text at a path; see `value_reader`."""
        return value_reader(path, empty_too)(self)

    def event_ms(self) -> int | None:
        """Its own `timestamp`, in milliseconds since 1970."""
        raw = self.fields.get(b"timestamp")
        return milliseconds_of(raw.decode("utf-8", "replace")) if raw else None

    def kind(self) -> str:
        """Its type of event or of hook, as one word."""
        return word(self.fields.get(b"event_type") or self.fields.get(b"hook_type"))

    def malformed(self) -> str:
        """What is wrong with its JSON fields; empty when nothing is."""
        for name in (b"metadata", b"payload"):
            value = self.json(name) if name in self.fields else {}
            if value is _ABSENT:
                return f"{name.decode()} is not JSON"
            if not isinstance(value, dict):
                kind = {list: "a list", str: "text", type(None): "null"}.get(type(value), "a bare value")
                return f"{name.decode()} is {kind} instead of an object"
        return ""


ValueReader = Callable[[Message], str | None]


@cache
def value_reader(path: str, empty_too: bool) -> ValueReader:
    """What reads the text of a field, or of a path inside its JSON (`metadata.source`), from a message.

    It gives None when that is missing, is no single value, or is empty (unless `empty_too`).
    """
    first, *inside = path.strip().split(".")
    name = first.encode()

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
    if value is None or value is _ABSENT or isinstance(value, dict | list) or (value == "" and not empty_too):
        return None
    if isinstance(value, bool):
        return str(int(value))  # as SQLite stores it
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()  # lone surrogates cannot be looked for


def _parsed(raw: bytes | None) -> Any:
    if raw is None:
        return _ABSENT
    try:
        return from_json(raw)
    except ValueError:
        pass
    try:  # as the pipeline does it: a lone surrogate and deep nesting are no errors
        return json.loads(raw)
    except (ValueError, RecursionError):
        return _ABSENT


class CompiledRoute:
    """One route, ready for many messages. `tables` are those that exist; None when that is not known."""

    def __init__(self, route: Route, tables: frozenset[str] | None) -> None:
        self.name, self.group = route.name, route.group
        self._any_of, self._none_of = route.any_of, route.none_of
        self._keys = [
            (key.table, tuple(key.columns), [_alternatives(paths) for paths in key.columns.values()])
            for key in route.keys
            if tables is None or key.table in tables
        ]

    def owns(self, message: Message) -> bool:
        """Whether this route's writer is the one that has to write the message."""
        if any(_fits(rule, message) for rule in self._none_of):
            return False
        return not self._any_of or any(_fits(rule, message) for rule in self._any_of)

    def lookups(self, message: Message) -> list[Lookup]:
        """Where the row would be: in each table by the first key that the message has all values for."""
        found: dict[str, Lookup] = {}
        for table, columns, readers in self._keys:
            if table not in found and (values := _values(readers, message)) is not None:
                found[table] = Lookup(table, columns, values)
        return list(found.values())


def _alternatives(paths: str) -> list[ValueReader]:
    return [_alternative(path.strip()) for path in paths.split("|")]


def _alternative(path: str) -> ValueReader:
    """`!` after a path: an empty value serves too; no path at all: empty text."""
    return value_reader(path.removesuffix("!"), path.endswith("!")) if path else lambda message: ""


def _values(columns: list[list[ValueReader]], message: Message) -> tuple[str, ...] | None:
    values = []
    for alternatives in columns:
        for read in alternatives:
            value = read(message)
            if value is not None:
                values.append(value)
                break
        else:
            return None
    return tuple(values)


def _fits(rule: dict[str, list[str]], message: Message) -> bool:
    """Whether each value is one of those named; `*`: whatever it is; none named: it must be missing."""
    for path, allowed in rule.items():
        value = message.value(path)
        if (value is not None) != bool(allowed) or (allowed and "*" not in allowed and value not in allowed):
            return False
    return True


class Router:
    """Finds messages' routes. Those alike in what the rules look at are judged once."""

    def __init__(self, routes: Sequence[Route], tables: Iterable[str] | None) -> None:
        """`tables` are those that exist; None when that is not known."""
        there = None if tables is None else frozenset(tables)
        rules = [rule for route in routes for rule in (*route.any_of, *route.none_of)]
        self.routes = tuple(CompiledRoute(route, there) for route in routes)
        self._fields = tuple({path.strip().partition(".")[0].encode() for rule in rules for path in rule})
        self._known: dict[tuple[bytes | None, ...], CompiledRoute | None] = {}

    def route(self, message: Message) -> CompiledRoute | None:
        """The route that owns the message; None when it is by design unwritten."""
        alike = tuple(map(message.fields.get, self._fields))
        try:
            return self._known[alike]
        except KeyError:
            route = next((route for route in self.routes if route.owns(message)), None)
        if sum(len(value) for value in alike if value) <= _REMEMBERED_BYTES:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[alike] = route
        return route


def routes_in_force(layout: Layout, tables: Iterable[str] | None, settings: Settings) -> tuple[Route, ...]:
    """The routes for what is there: the settings' own, else the layout's.

    Where only the earlier `raw_traces` table exists, everything is written there by the one writer group.
    """
    if settings.routes is not None:
        return tuple(settings.routes)
    there = set(tables or ())
    routes: Sequence[Route] = layout.routes
    if "raw_traces" in there and not there & {"cursor_raw_traces", "claude_raw_traces"}:
        key = Key(table="raw_traces", columns={"event_id": "event_id"})
        routes = (Route(name="events", group=layout.routes[0].group, any_of=[], keys=[key]),)
    if settings.streams.group:
        renamed = {"processors": settings.streams.group}
        routes = [r.model_copy(update={"group": renamed.get(r.group, r.group)}) for r in routes]
    return tuple(routes)
