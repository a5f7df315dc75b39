"""Which writer owns a message, and where its row would be. The routes are those of pipeline.py, compiled."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter

from blueplane_doctor.custody.messages import Message, ValueReader, value_reader
from blueplane_doctor.layouts import PLATFORMS, Key, Layout, Route
from blueplane_doctor.privacy.known_names import COLUMNS, ROUTES, TABLES
from blueplane_doctor.privacy.public_text import known_or_hidden
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources.trace_tables import Lookup

Columns = Mapping[str, frozenset[str]]
"""The columns of tables, by the table's name."""

KeyReader = Callable[[Message], tuple[str, ...] | None]
"""Reads the values of a key from a message; None where it has not all of them."""


class Kind:
    """What messages have in common that have the same route, and are of the same hook and monitor.

    It is found once for each message, by the bytes of the fields that tell all these. After that nobody compares
    bytes: of two messages of one kind, the kind is the same object. (Hardly ever are there two objects for one kind.)
    """

    __slots__ = ("route",)

    def __init__(self, route: "CompiledRoute | None") -> None:
        self.route = route
        """None for messages that are by design unwritten."""


_KIND_FIELDS = (b"platform", b"metadata", b"hook_type", b"event_type")
"""Those of hooks and monitors, and of the pipeline's own routes; settings may name routes by others as well."""
_read_kind_fields = itemgetter(*_KIND_FIELDS)
_make_tuple = tuple.__new__
_PLATFORMS = frozenset(name.encode() for name in PLATFORMS)
_REMEMBERED = 2048
"""Answers that the router keeps."""
_REMEMBERED_BYTES = 4096
"""Of the values that an answer is kept by; with longer ones it is not kept, which bounds memory."""


def is_of_unknown_platform(message: Message) -> bool:
    """Whether a message names a platform whose routes are not known: what becomes of it cannot be judged."""
    platform = message.fields.get(b"platform")
    return bool(platform) and platform not in _PLATFORMS


class CompiledRoute:
    """One route, ready for many messages. `tables` are those that exist; None when that is not known."""

    def __init__(self, route: Route, tables: frozenset[str] | None, columns: Columns) -> None:
        self.name = route.name
        self.group = route.group
        self._any_of = route.any_of
        self._none_of = route.none_of
        self._keys: dict[str, list[tuple[str, tuple[str, ...], KeyReader]]] = {}
        """By table, its keys in the order in which they are tried: table, columns, and what reads their values."""
        unknown: list[str] = []
        for key in route.keys:
            if tables is not None and key.table not in tables:
                continue
            missing = key.columns.keys() - columns.get(key.table, key.columns.keys())
            if missing:
                unknown += [_missing_column(key.table, column) for column in sorted(missing)]
                continue
            readers = [_alternatives(paths) for paths in key.columns.values()]
            self._keys.setdefault(key.table, []).append((key.table, tuple(key.columns), _key_reader(readers)))
        self.rows_cause = ""
        """Why none of its rows can be looked up."""
        if not unknown and not self._keys and route.keys:
            unknown.append(f"there is no table {known_or_hidden(route.keys[0].table, TABLES)}")
        if unknown and not self._keys:
            self.rows_cause = f"rows of route {known_or_hidden(route.name, ROUTES)} cannot be looked up: {unknown[0]}"

    def owns(self, message: Message) -> bool:
        """Whether this route's writer is the one that has to write the message."""
        if any(_fits(rule, message) for rule in self._none_of):
            return False
        if not self._any_of:
            return True
        return any(_fits(rule, message) for rule in self._any_of)

    def lookups(self, message: Message) -> list[Lookup]:
        """Where the row would be: in each table by the first key that the message has all values for."""
        lookups: list[Lookup] = []
        for keys in self._keys.values():
            for table, columns, read in keys:
                values = read(message)
                if values is not None:
                    # What Lookup(…) does, without the function that NamedTuple makes for it.
                    lookups.append(_make_tuple(Lookup, (table, columns, values)))
                    break
        return lookups


def _alternatives(paths: str) -> list[ValueReader]:
    return [_alternative(path.strip()) for path in paths.split("|")]


def _alternative(path: str) -> ValueReader:
    """`!` after a path: an empty value serves too; no path at all: empty text."""
    if not path:
        return lambda message: ""
    return value_reader(path.removesuffix("!"), path.endswith("!"))


def _key_reader(columns: list[list[ValueReader]]) -> KeyReader:
    """A function that reads for each column the first of its alternatives that a message has."""

    def read_all(message: Message) -> tuple[str, ...] | None:
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

    def read_one(message: Message) -> tuple[str] | None:
        value = read_only(message)
        if value is None:
            return None
        return (value,)

    if len(columns) > 1 or len(columns[0]) > 1:
        return read_all
    # Most keys are one value: two loops of one round each would take as long as reading it.
    read_only = columns[0][0]
    return read_one


def _missing_column(table: str, column: str) -> str:
    return f"{known_or_hidden(table, TABLES)} has no column {known_or_hidden(column, COLUMNS)}"


def _fits(rule: dict[str, list[str]], message: Message) -> bool:
    """Whether each value is one of those named; `*`: whatever it is; none named: it must be missing."""
    for path, allowed in rule.items():
        value = message.value(path)
        must_be_there = bool(allowed)
        if (value is not None) != must_be_there:
            return False
        if allowed and "*" not in allowed and value not in allowed:
            return False
    return True


class Router:
    """Finds the routes of messages. Those with the same values in the fields that rules look at are judged once."""

    def __init__(self, routes: Sequence[Route], tables: Iterable[str] | None, columns: Columns | None = None) -> None:
        """`tables` are those that exist; None when that is not known. `columns` of those of which they are known."""
        existing = None if tables is None else frozenset(tables)
        compiled = []
        for route in routes:
            compiled.append(CompiledRoute(route, existing, columns or {}))
        self.routes = tuple(compiled)
        fields: set[bytes] = set()
        for route in routes:
            for rule in (*route.any_of, *route.none_of):
                fields.update(path.strip().partition(".")[0].encode() for path in rule)
        self._rule_fields = tuple(fields.difference(_KIND_FIELDS))
        """Those that only rules look at, as `sessionId`: hardly any message of the pipeline has one."""
        self._known: dict[tuple[bytes | None, ...], Kind] = {}

    def kinds(self, messages: list[Message]) -> list[Kind]:
        """The kind of each message, at its place."""
        rule_fields = self._rule_fields
        known = self._known
        kinds = []
        for message in messages:
            fields = message.fields
            values: tuple[bytes | None, ...]
            try:
                values = _read_kind_fields(fields)  # as of nearly all: without a call for each field
            except KeyError:
                values = tuple(map(fields.get, _KIND_FIELDS))
            if not fields.keys().isdisjoint(rule_fields):
                values += tuple(map(fields.get, rule_fields))
            kind = known.get(values)
            if kind is None:
                kind = self._new_kind(message, values)
            kinds.append(kind)
        return kinds

    def route(self, message: Message) -> CompiledRoute | None:
        """The route that owns the message; None when it is by design unwritten."""
        return self.kinds([message])[0].route

    def _new_kind(self, message: Message, values: tuple[bytes | None, ...]) -> Kind:
        kind = Kind(self._first_owner(message))
        if sum(len(value) for value in values if value) <= _REMEMBERED_BYTES:
            # To begin anew is cheaper than to know what was used last, and only made-up values lead to so many kinds.
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[values] = kind
        return kind

    def _first_owner(self, message: Message) -> CompiledRoute | None:
        for route in self.routes:
            if route.owns(message):
                return route
        return None


def routes_in_force(layout: Layout, tables: Iterable[str] | None, settings: Settings) -> tuple[Route, ...]:
    """The routes for what is there: the settings' own, else the layout's.

    Where only the earlier `raw_traces` table exists, everything is written there by the one writer group.
    """
    if settings.routes is not None:
        return tuple(settings.routes)
    existing = set(tables or ())
    routes: Sequence[Route] = layout.routes
    if "raw_traces" in existing and not existing & {"cursor_raw_traces", "claude_raw_traces"}:
        key = Key(table="raw_traces", columns={"event_id": "event_id"})
        routes = (Route(name="events", group=layout.routes[0].group, any_of=[], keys=[key]),)
    if settings.streams.group:
        renamed = {"processors": settings.streams.group}
        routes = [route.model_copy(update={"group": renamed.get(route.group, route.group)}) for route in routes]
    return tuple(routes)
