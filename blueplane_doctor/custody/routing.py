"""Which writer owns a message, and where its row would be: the routes of pipeline.py, compiled."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from blueplane_doctor.custody.messages import Message, ValueReader, value_reader
from blueplane_doctor.pipeline import Key, Layout, Route
from blueplane_doctor.settings import Settings

Path = tuple[bytes, ...]
_REMEMBERED = 2048
_REMEMBERED_BYTES = 4096


class Lookup(NamedTuple):
    """A row to look for: the table, its columns, and the message's value for each."""

    table: str
    columns: tuple[str, ...]
    values: tuple[str, ...]


class _CompiledKey(NamedTuple):
    table: str
    columns: tuple[str, ...]
    readers: tuple[tuple[ValueReader, ...], ...]
    """For each column its alternatives; the first that finds something counts."""

    def lookup(self, message: Message) -> Lookup | None:
        values = []
        for alternatives in self.readers:
            for read in alternatives:
                value = read(message)
                if value is not None:
                    values.append(value)
                    break
            else:
                return None
        return Lookup(self.table, self.columns, tuple(values))


class CompiledRoute(NamedTuple):
    """One route, ready for many messages."""

    name: str
    group: str
    any_of: tuple[tuple[tuple[Path, frozenset[str]], ...], ...]
    none_of: tuple[tuple[tuple[Path, frozenset[str]], ...], ...]
    keys: tuple[_CompiledKey, ...]

    def owns(self, message: Message) -> bool:
        """Whether this route's writer is the one that has to write the message."""
        if any(_fits(rule, message) for rule in self.none_of):
            return False
        return not self.any_of or any(_fits(rule, message) for rule in self.any_of)

    def lookups(self, message: Message) -> list[Lookup]:
        """Where the row would be: for each table the first key that the message has all values for."""
        found: list[Lookup] = []
        tables: list[str] = []
        for key in self.keys:
            if key.table not in tables and (lookup := key.lookup(message)):
                found.append(lookup)
                tables.append(key.table)
        return found


class Router:
    """Finds the route of each message. Messages alike in what the rules look at are judged once."""

    def __init__(self, routes: Iterable[Route], tables: Iterable[str] | None) -> None:
        """`tables` are those that exist; None when that is not known."""
        there = None if tables is None else frozenset(tables)
        self.routes = tuple(_compile(route, there) for route in routes)
        used = {path[0] for route in self.routes for rule in route.any_of + route.none_of for path, _ in rule}
        self._fields = tuple(sorted(used))
        self._known: dict[tuple[bytes | None, ...], CompiledRoute | None] = {}
        self._sources: dict[bytes, str | None] = {}

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

    def source(self, message: Message) -> str | None:
        """`metadata.source`: which part of the pipeline enqueued the message."""
        raw = message.fields.get(b"metadata", b"")
        if raw not in self._sources:
            if len(self._sources) >= _REMEMBERED or len(raw) > _REMEMBERED_BYTES:
                self._sources.clear()
            self._sources[raw] = message.value((b"metadata", b"source"))
        return self._sources[raw]


def routes_in_force(layout: Layout, tables: Iterable[str] | None, settings: Settings) -> tuple[Route, ...]:
    """The routes for what is there: the settings' own, else the layout's.

    Where only the earlier `raw_traces` table exists, everything is written there by the one writer group.
    """
    if settings.routes is not None:
        return tuple(settings.routes)
    there = set(tables or ())
    routes: Sequence[Route] = layout.routes
    if there and "raw_traces" in there and not there & {"cursor_raw_traces", "claude_raw_traces"}:
        key = Key(table="raw_traces", columns={"event_id": "event_id"})
        routes = (Route(name="events", group=layout.routes[0].group, any_of=[], keys=[key]),)
    if settings.streams.group:
        renamed = {"processors": settings.streams.group}
        routes = [r.model_copy(update={"group": renamed.get(r.group, r.group)}) for r in routes]
    return tuple(routes)


def _compile(route: Route, tables: frozenset[str] | None) -> CompiledRoute:
    return CompiledRoute(
        name=route.name,
        group=route.group,
        any_of=tuple(_compile_rule(rule) for rule in route.any_of),
        none_of=tuple(_compile_rule(rule) for rule in route.none_of),
        keys=tuple(
            _CompiledKey(
                key.table,
                tuple(key.columns),
                tuple(tuple(_alternative(p) for p in paths.split("|")) for paths in key.columns.values()),
            )
            for key in route.keys
            if tables is None or key.table in tables
        ),
    )


def _compile_rule(rule: dict[str, list[str]]) -> tuple[tuple[Path, frozenset[str]], ...]:
    return tuple((_path(path), frozenset(values)) for path, values in rule.items())


def _alternative(text: str) -> ValueReader:
    """`!` after a path: an empty value serves too; no path at all: empty text."""
    text = text.strip()
    if not text:
        return lambda message: ""
    return value_reader(_path(text.removesuffix("!")), empty_too=text.endswith("!"))


def _path(text: str) -> Path:
    return tuple(part.encode() for part in text.strip().split("."))


def _fits(rule: tuple[tuple[Path, frozenset[str]], ...], message: Message) -> bool:
    for path, allowed in rule:
        value = message.value(path)
        if not allowed:
            if value is not None:
                return False
        elif value is None or ("*" not in allowed and value not in allowed):
            return False
    return True
