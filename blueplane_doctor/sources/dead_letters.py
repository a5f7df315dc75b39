"""The dead-letter streams: what the writers gave up, in all three shapes, and which messages they name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from blueplane_doctor.errors import SourceMissing
from blueplane_doctor.sources.entries import RawEntry, pages
from blueplane_doctor.sources.redis_source import RedisSource, pairs
from blueplane_doctor.sources.streams import BEGINNING, EntryId, entry_id
from blueplane_doctor.times import HOUR_MS, parse_time, to_milliseconds


@dataclass(frozen=True)
class DeadLetterEntry:
    """One entry: when, of which shape, and the message that it names (either ID may be missing)."""

    stream: str
    id: EntryId
    queued_ms: int
    shape: str
    message_id: bytes | None
    """Its stream ID."""
    event_id: bytes | None
    fields: dict[bytes, bytes] = field(repr=False)
    """Private, never to be shown."""


@dataclass
class DeadLetterIndex:
    """What all dead-letter streams hold."""

    sizes: dict[str, int] = field(default_factory=dict)
    """Entries of each stream, 0 for one that does not exist."""
    last_hour: int = 0
    hour_before: int = 0
    oldest_ms: int | None = None
    message_ids: set[bytes] = field(default_factory=set)
    event_ids: set[bytes] = field(default_factory=set)

    @property
    def total(self) -> int:
        """Entries of all streams together."""
        return sum(self.sizes.values())

    def names(self, message_id: bytes, event_id: bytes | None) -> bool:
        """Whether some entry names this message."""
        return message_id in self.message_ids or (event_id is not None and event_id in self.event_ids)

    def add(self, letter: DeadLetterEntry, now_ms: int) -> None:
        """Count one entry."""
        age = now_ms - letter.queued_ms
        self.last_hour += age < HOUR_MS
        self.hour_before += HOUR_MS <= age < 2 * HOUR_MS
        self.oldest_ms = min(self.oldest_ms or letter.queued_ms, letter.queued_ms)
        if letter.message_id:
            self.message_ids.add(letter.message_id)
        if letter.event_id:
            self.event_ids.add(letter.event_id)


class DeadLetterReader:
    """Reads the streams, and reads on in them when asked again."""

    def __init__(self, redis: RedisSource, streams: tuple[str, ...], now_ms: int, dataset_bytes: int | None) -> None:
        """`now_ms` is the server's time."""
        self.found = DeadLetterIndex()
        self._redis, self._streams, self._now, self._dataset = redis, streams, now_ms, dataset_bytes
        self._read_to: dict[str, EntryId] = {}

    def catch_up(self) -> DeadLetterIndex:
        """Count all that came since the last look. Raises SourceError."""
        replies = self._redis.ask(*[("XINFO", "STREAM", stream) for stream in self._streams])
        for stream, reply in zip(self._streams, replies, strict=True):
            self.found.sizes.setdefault(stream, 0)
            try:
                state = pairs(self._redis.checked(reply, ("XINFO STREAM", stream)))
            except SourceMissing:
                continue
            last, read_to = entry_id(state["last-generated-id"]), self._read_to.get(stream, BEGINNING)
            if last <= read_to:
                continue
            for letter in each_dead_letter_entry(self._redis, stream, state, self._dataset, after=read_to):
                self.found.sizes[stream] += 1
                self.found.add(letter, self._now)
            self._read_to[stream] = last
        return self.found


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
        yield from (parse_dead_letter_entry(stream, entry) for entry in page)


def parse_dead_letter_entry(stream: str, entry: RawEntry) -> DeadLetterEntry:
    """Understand one entry by its fields; `unknown` is a shape that is none of the three."""
    raw_id, flat = entry
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    when, shape, message_id, event_id = None, "unknown", None, fields.get(b"event_id")
    if b"original_entry_id" in fields:  # the Cursor consumer: the message's own fields, and these
        shape, message_id, when = "cursor_consumer", fields[b"original_entry_id"], fields.get(b"moved_to_dlq_at")
    elif b"message_id" in fields:  # the Claude consumer
        shape, message_id = "claude_consumer", fields[b"message_id"]
        inner = json_object(fields.get(b"event")).get("event_id")
        event_id = str(inner).encode("utf-8", "replace") if inner else None
    elif b"original_event_id" in fields:  # the queue writer
        shape, event_id, when = "queue_writer", fields[b"original_event_id"], fields.get(b"dlq_queued_at")
    identity = entry_id(raw_id)
    moment = parse_time(when.decode("utf-8", "replace")) if when else None
    return DeadLetterEntry(
        stream=stream,
        id=identity,
        queued_ms=to_milliseconds(moment) if moment else identity[0],
        shape=shape,
        message_id=message_id,
        event_id=event_id if event_id != b"unknown" else None,
        fields=fields,
    )


def json_object(raw: bytes | None) -> dict[str, Any]:
    """The object that JSON holds; empty when it holds none."""
    try:
        content = json.loads(raw or b"null")
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
