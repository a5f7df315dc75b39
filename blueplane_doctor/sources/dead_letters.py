"""The dead-letter streams: what the writers gave up, in all three shapes, and which messages they name."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from blueplane_doctor.connection.base import Command
from blueplane_doctor.errors import SourceMissing, SourceRefused, SourceWrongType
from blueplane_doctor.sources.entries import RawEntry, pages
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId, entry_id, id_text
from blueplane_doctor.sources.letter_errors import letter_error
from blueplane_doctor.sources.redis_source import RedisSource, pairs
from blueplane_doctor.text.times import HOUR_MS, parse_time, to_milliseconds

_SHOWN_IDS = 3
"""IDs that stand for many."""
_MOST_ERRORS = 20
"""Different errors of an hour that are told apart."""
_OTHERS = "other errors"


class DeadLetterEntry(NamedTuple):
    """One entry as it is: when, of which shape, and the message that it names (either ID may be missing)."""

    stream: str
    id: EntryId
    queued_ms: int
    shape: str
    """Which part of the pipeline wrote it: `claude_consumer`, `cursor_consumer`, `queue_writer`, `unknown`."""
    message_id: bytes | None
    """Its stream ID."""
    event_id: bytes | None
    fields: dict[bytes, bytes]
    """Private, never to be shown."""

    @property
    def message(self) -> bytes:
        """The stream ID of the message that it names, else its event_id, else the letter's own ID."""
        return self.message_id or self.event_id or id_text(self.id).encode()

    def __repr__(self) -> str:
        return f"<DeadLetterEntry {id_text(self.id)} of {self.stream}>"  # nothing private


@dataclass(eq=False, repr=False)
class ArrivingError:
    """Dead letters of the last hour that name the same error."""

    shown: str
    """The error as it may be shown."""
    count: int = 0
    first_ms: int = 0
    newest: EntryId = BEGINNING
    """The ID of the newest of them."""
    messages: set[bytes] = field(default_factory=set)
    """The messages that they name, once each: a writer may give up the same one again and again."""


@dataclass(eq=False, repr=False)
class DeadLetterIndex:
    """What all dead-letter streams hold: counts, and the messages that they name."""

    sizes: dict[str, int] = field(default_factory=dict)
    """Entries of each stream, 0 for one that does not exist."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Streams that cannot be read, and why: their key holds something else, or this user may not read it."""
    may_hold_unseen: bool = False
    """Whether this user may not read one of them, so that there may be dead letters that were not seen."""
    dropped: dict[str, int] = field(default_factory=dict)
    """For each stream that lost some, the entries that were ever added and are no longer there."""
    dropped_until_ms: int = 0
    """Time of the newest entry that streams which lost some may have dropped."""
    last_hour: int = 0
    hour_before: int = 0
    oldest_ms: int | None = None
    """When the oldest was given up, milliseconds since 1970."""
    messages: set[bytes] = field(default_factory=set)
    """The messages that all of them name, once each."""
    not_lost: set[bytes] = field(default_factory=set)
    """Stream IDs and event_ids of messages that have a dead letter, and their row or a writer that has them too."""
    message_ids: set[bytes] = field(default_factory=set)
    event_ids: set[bytes] = field(default_factory=set)
    arriving: dict[str, ArrivingError] = field(default_factory=dict)
    """Errors of the last hour, by their text without particulars, which is private."""
    newest: dict[str, deque[EntryId]] = field(default_factory=dict)
    """For each stream that holds any, the IDs of its newest entries."""

    @property
    def total(self) -> int:
        """Entries of all streams together."""
        return sum(self.sizes.values())

    @property
    def newest_ids(self) -> list[str]:
        """The IDs of the newest _SHOWN_IDS entries of all streams, newest first."""
        ids: list[EntryId] = []
        for of_stream in self.newest.values():
            ids += of_stream
        shown: list[str] = []
        for one in sorted(ids, reverse=True)[:_SHOWN_IDS]:
            shown.append(id_text(one))
        return shown

    def names(self, message_id: bytes, event_id: bytes | None) -> bool:
        """Whether some entry names this message."""
        return message_id in self.message_ids or (event_id is not None and event_id in self.event_ids)

    def note_not_lost(self, message_id: bytes, event_id: bytes | None) -> None:
        """Take notice of a message that is written, or that its writer still has to write."""
        if self.names(message_id, event_id):
            self.not_lost.add(message_id)
            if event_id:
                self.not_lost.add(event_id)

    def add(self, entry: DeadLetterEntry, now_ms: int) -> None:
        """Count one entry."""
        age_ms = now_ms - entry.queued_ms
        if age_ms < HOUR_MS:
            self.last_hour += 1
            self._add_error(entry)
        elif age_ms < 2 * HOUR_MS:
            self.hour_before += 1
        self.oldest_ms = min(self.oldest_ms or entry.queued_ms, entry.queued_ms)
        self.newest.setdefault(entry.stream, deque(maxlen=_SHOWN_IDS)).append(entry.id)
        self.messages.add(entry.message)
        if entry.message_id:
            self.message_ids.add(entry.message_id)
        if entry.event_id:
            self.event_ids.add(entry.event_id)

    def _add_error(self, entry: DeadLetterEntry) -> None:
        error = letter_error(entry.fields)
        key = error.general
        if key not in self.arriving and len(self.arriving) >= _MOST_ERRORS:
            key = _OTHERS
        known = self.arriving.get(key)
        if known is None:
            shown = _OTHERS if key == _OTHERS else error.shown
            known = self.arriving[key] = ArrivingError(shown, first_ms=entry.queued_ms)
        known.count += 1
        known.first_ms = min(known.first_ms, entry.queued_ms)
        known.newest = max(known.newest, entry.id)
        known.messages.add(entry.message)


class DeadLetterReader:
    """Reads the streams, and reads on in them when asked again."""

    def __init__(self, redis: RedisSource, streams: tuple[str, ...], now_ms: int, dataset_bytes: int | None) -> None:
        """`now_ms` is the server's time."""
        self.index = DeadLetterIndex()
        self._redis = redis
        self._streams = streams
        self._now_ms = now_ms
        self._dataset_bytes = dataset_bytes
        self._read_to: dict[str, EntryId] = {}

    def catch_up(self) -> DeadLetterIndex:
        """Add all that came since the last call. Raises SourceError."""
        commands: list[Command] = [("XINFO", "STREAM", stream) for stream in self._streams]
        for stream in self._streams:
            commands.append(("XREVRANGE", removed_key(stream), "+", "-", "COUNT", 1))
        replies = self._redis.ask(*commands)
        removed = replies[len(self._streams) :]
        for stream, reply, last in zip(self._streams, replies, removed, strict=False):
            try:
                state = pairs(self._redis.checked(reply, ("XINFO STREAM", stream)))
            except SourceMissing:
                self.index.sizes.setdefault(stream, 0)
                continue
            except SourceWrongType as error:
                self.index.unreadable[stream] = error.message
                continue
            except SourceRefused as error:
                self.index.unreadable[stream] = error.message
                self.index.may_hold_unseen = True
                continue
            self.index.sizes.setdefault(stream, 0)
            self._read_on(stream, state)
            self._count_dropped(stream, state, _removed(last))
        return self.index

    def _count_dropped(self, stream: str, state: dict[str, Any], removed: int) -> None:
        added = state.get("entries-added")  # not before Redis 7.0
        if added is None or added - removed <= state["length"]:
            return
        self.index.dropped[stream] = added - removed - state["length"]
        # Trimming takes the oldest; of a stream that was emptied all letters up to its last one are gone. XDEL takes
        # any, and the newest that it took is kept.
        first = state["first-entry"]
        until = entry_id(first[0]) if first else entry_id(state["last-generated-id"])
        until = max(until, entry_id(state.get("max-deleted-entry-id", b"0-0")))
        self.index.dropped_until_ms = max(self.index.dropped_until_ms, until[0])

    def _read_on(self, stream: str, state: dict[str, Any]) -> None:
        last = entry_id(state["last-generated-id"])
        read_to = self._read_to.get(stream, BEGINNING)
        if last <= read_to:
            return
        for entry in each_dead_letter_entry(self._redis, stream, state, self._dataset_bytes, after=read_to):
            self.index.sizes[stream] += 1
            self.index.add(entry, self._now_ms)
        self._read_to[stream] = last


def removed_key(stream: str) -> str:
    """The key under which repairs count the letters that they removed; in a cluster on the node of the queue."""
    # The first braces of a key decide its node: these have to be the queue's, not those of the stream's name.
    name = stream.replace("{", "").replace("}", "")
    queue = stream.removesuffix(":dlq")
    return f"telemetry:blueplane_doctor_removed:{name}:{{{queue}}}"


def _removed(reply: Any) -> int:
    """What a repair counted; 0 where there was none, and where the reply cannot be read."""
    if not isinstance(reply, list) or not reply:
        return 0
    count = dict(zip(reply[0][1][::2], reply[0][1][1::2], strict=True)).get(b"removed", b"")
    if count.isdigit() and len(count) < 16:
        return int(count)
    return 0


def each_dead_letter_entry(
    redis: RedisSource,
    stream: str,
    state: dict[str, Any],
    dataset_bytes: int | None,
    *,
    after: EntryId = BEGINNING,
) -> Iterator[DeadLetterEntry]:
    """The entries of one stream, oldest first; `state` is what XINFO says. Raises SourceError."""
    last = entry_id(state["last-generated-id"])
    for page in pages(redis, stream, last, after=after, length=state["length"], dataset_bytes=dataset_bytes):
        for entry in page:
            yield parse_dead_letter_entry(stream, entry)


def parse_dead_letter_entry(stream: str, entry: RawEntry) -> DeadLetterEntry:
    """Understand one entry by its fields; `unknown` is a shape that is none of the three."""
    raw_id, flat = entry
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    shape = "unknown"
    queued_at = None
    message_id = None
    event_id = fields.get(b"event_id")
    if b"original_entry_id" in fields:  # the Cursor consumer: the message's own fields, and these
        shape = "cursor_consumer"
        message_id = fields[b"original_entry_id"]
        queued_at = fields.get(b"moved_to_dlq_at")
    elif b"message_id" in fields:
        shape = "claude_consumer"
        message_id = fields[b"message_id"]
        event_id = _event_id_inside(fields.get(b"event"))
    elif b"original_event_id" in fields:
        shape = "queue_writer"
        event_id = fields[b"original_event_id"]
        queued_at = fields.get(b"dlq_queued_at")
    if event_id == b"unknown":  # what the queue writer puts there when the message has none
        event_id = None
    identity = entry_id(raw_id)
    return DeadLetterEntry(
        stream=stream,
        id=identity,
        queued_ms=_queued_ms(queued_at, identity),
        shape=shape,
        message_id=message_id,
        event_id=event_id,
        fields=fields,
    )


def _event_id_inside(event: bytes | None) -> bytes | None:
    inner = json_object(event).get("event_id")
    if not inner:
        return None
    return str(inner).encode("utf-8", "replace")


def _queued_ms(queued_at: bytes | None, identity: EntryId) -> int:
    """By its own field; where that is missing or no time, by the ID that Redis gave the entry."""
    moment = parse_time(queued_at.decode("utf-8", "replace")) if queued_at else None
    if moment is None:
        return identity[0]
    return to_milliseconds(moment)


def json_object(text: Any) -> dict[str, Any]:
    """The object that JSON text or bytes hold; empty for anything else."""
    try:
        content = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    return content
