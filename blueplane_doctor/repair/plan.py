"""The plan: what one repair will touch, message by message. Made from one examination, kept in a private file. No I/O.

A plan holds IDs, names and keys of rows, never the content of a message: that is saved beside it when it is applied.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta

from blueplane_doctor.custody.copies import MARK, origins_in
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.trace_tables import Lookup

GOOD_FOR_MS = 600_000
"""A plan is as true as the examination that it was made from: after ten minutes another one is made."""
MOST_DELIVERIES = 2
"""Copies of copies: a message that was delivered again so often and was not written is not delivered once more."""


class Action(StrEnum):
    """What is done with one item of a plan."""

    DELIVER = "deliver"
    """Add its message to the stream once more, and acknowledge the original in the same step."""
    RELEASE = "release"
    """Nothing: its writer tries it by itself, and writes it once what blocks its batch is set aside."""
    SET_ASIDE = "set aside"
    """Acknowledge a message that cannot be written, and keep it among the dead letters until its key has a row."""
    ACKNOWLEDGE = "acknowledge"
    """Acknowledge it: its row is there, or by design nobody writes it."""
    REMOVE = "remove"
    """Remove a dead letter whose message is written, once its row is seen; it stays in the file."""
    KEEP = "keep"
    """Save it and change nothing."""
    MAKE_GROUP = "make group"
    """Make a writer group, and the stream where it is missing."""
    MOVE_GROUP = "move group"
    """Move a writer group on, past what is written."""


ADDS_TO_STREAM = frozenset((Action.DELIVER,))
SAVES = frozenset((Action.DELIVER, Action.RELEASE, Action.SET_ASIDE, Action.ACKNOWLEDGE, Action.REMOVE, Action.KEEP))
"""Actions before which the message is saved whole."""


class Source(StrEnum):
    """Where the message of an item is read."""

    STREAM = "stream"
    GONE = "gone"
    """Nowhere: it left the stream while it was pending, and its pending entry is all that is left."""
    DEAD_LETTER = "dead letter"
    BUFFER = "buffer"
    SPOOL = "spool"
    TRANSCRIPT = "transcript"
    NONE = "none"
    """The item has no message: it is a group."""


class RowKey(Record):
    """Where the row of a message would be."""

    table: str
    columns: tuple[str, ...]
    values: tuple[str, ...]

    @classmethod
    def of(cls, lookup: Lookup) -> "RowKey":
        """The same as a record."""
        return cls(table=lookup.table, columns=lookup.columns, values=lookup.values)

    @classmethod
    def all_of(cls, lookups: Iterable[Lookup]) -> "tuple[RowKey, ...]":
        """The same of several."""
        return tuple(map(cls.of, lookups))

    @property
    def lookup(self) -> Lookup:
        """The same as what the database is asked with."""
        return Lookup(self.table, self.columns, self.values)

    @property
    def is_unique(self) -> bool:
        """Whether a second row of this key is refused."""
        return self.lookup.is_unique


class Holding(Record):
    """The entry of a message in the pending entries list of one group."""

    group: str
    consumer: Annotated[str, Meta(pattern=r"^[\x00-\xff]*\Z")]
    """Its name, each byte as the character of that number: names are bytes, and JSON holds none."""
    delivered_ms: int
    """When it was delivered last, milliseconds since 1970 by the server's clock."""
    deliveries: int

    @property
    def consumer_name(self) -> bytes:
        """The name as Redis has it."""
        return self.consumer.encode("latin-1")


class Item(Record):
    """One message, or one group, and what is to be done with it."""

    target: str
    """The name of the target that asks for it."""
    action: Action
    source: Source
    id: str
    """What names it in its source: a stream ID, the ID of a dead letter, a row of the buffer."""
    stream: str = ""
    """The stream that holds it, where that is not the queue."""
    group: str = ""
    """The writer group that has to write it."""
    holdings: tuple[Holding, ...] = ()
    """The pending entries that are acknowledged with it."""
    keys: tuple[RowKey, ...] = ()
    reason: str = ""
    """Why this is done and nothing else; public text."""
    origins: tuple[str, ...] = ()
    """Of a message that is itself a copy: where it comes from."""
    is_written: bool = False
    """Whether a row of its key was there, or will be by another item of the plan."""
    written_as: str = ""
    """The origin of another item with the same unique key, which is written in its place."""
    position: str = ""
    """For a group: where it is made, or moved to."""

    @property
    def is_of_queue(self) -> bool:
        """Whether its ID is one of the queue: every stream counts IDs of its own, and two may hold the same."""
        return self.source in (Source.STREAM, Source.GONE)

    @property
    def has_message(self) -> bool:
        """Whether there is a message that can be saved."""
        return self.source not in (Source.NONE, Source.GONE)

    @property
    def may_be_taken_back(self) -> bool:
        """Whether it is one of those that `--undo` can take back, unless somebody is given it or its row comes."""
        if self.action is Action.ACKNOWLEDGE:
            return self.has_message and not self.is_written
        return self.action in (Action.DELIVER, Action.SET_ASIDE)

    @property
    def origin(self) -> str:
        """What a copy of it is marked with."""
        if self.source is Source.STREAM:
            return self.id
        return f"{self.stream or self.source.value.replace(' ', '_')}/{self.id}"


class Refusal(Record):
    """Why something that was wanted is not done; public text."""

    what: str
    reason: str


class Room(Record):
    """What the stream holds from its oldest unfinished message on, against what producers leave in it."""

    used: int
    limit: int
    """The fixed length to which the writers trim the stream."""

    @property
    def left(self) -> int:
        """Messages that can be added before an unfinished one is trimmed."""
        return max(0, self.limit - self.used)


class Condition(Record):
    """What an examination said of the pipeline as a whole."""

    status: str
    headline: str
    equation: str
    """All messages examined = the sum of their states."""


class Plan(Record):
    """What one repair will do."""

    id: str
    """Four hexadecimal digits."""
    made_at: str
    made_ms: int
    """Milliseconds since 1970, by the clock of the Redis server."""
    home: str
    address: str
    """The Redis, as messages may show it."""
    run_id: str
    """Of the Redis: another one after each restart."""
    queue: str
    dead_letters: str
    """The stream that set-aside messages go to; empty where there is none that a step can add to."""
    read_to: str
    """The last ID of the stream when it was examined; copies come after it."""
    items: tuple[Item, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    room: Room
    writers_run: bool = True
    """Whether every writer group has a writer that runs."""
    before: Condition

    def of(self, *actions: Action) -> list[Item]:
        """The items with one of these actions."""
        return [item for item in self.items if item.action in actions]

    @property
    def saved(self) -> list[Item]:
        """The items whose message is saved before anything is changed."""
        return [item for item in self.items if item.action in SAVES and item.has_message]

    @property
    def changes(self) -> bool:
        """Whether applying it changes the pipeline."""
        return any(item.action not in (Action.KEEP, Action.RELEASE) for item in self.items)

    @property
    def may_be_taken_back(self) -> bool:
        """Whether `--undo` can take back anything of it."""
        return any(item.may_be_taken_back for item in self.items)


Fields = list[tuple[bytes, bytes]]
"""The fields of a message in their order, byte for byte."""


def fields_in(entry: Sequence[Any]) -> Fields:
    """The fields of an entry as Redis sends it: its ID, then names and values by turns."""
    values = entry[1]
    return list(zip(values[::2], values[1::2], strict=True))


def flat(fields: Fields) -> tuple[bytes, ...]:
    """The fields as arguments of XADD."""
    arguments: list[bytes] = []
    for name, value in fields:
        arguments += [name, value]
    return tuple(arguments)


def marked(fields: Fields, origin: str) -> Fields:
    """The fields of a copy: those of the message, and its origins, the first one first."""
    origins = [*origins_of(fields), origin]
    kept = [(name, value) for name, value in fields if name != MARK]
    return [*kept, (MARK, " ".join(origins).encode())]


def origins_of(fields: Fields) -> list[str]:
    """Where a copy comes from; empty for a message that is none."""
    for name, value in fields:
        if name == MARK:
            return origins_in(value)
    return []
