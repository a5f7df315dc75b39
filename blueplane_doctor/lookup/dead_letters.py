"""Dead letters for a person: listed, filtered, grouped by what went wrong; never what is private."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from blueplane_doctor.characters import Public
from blueplane_doctor.connection.base import Command
from blueplane_doctor.errors import SourceError, SourceMissing, UsageError
from blueplane_doctor.examination import Examination
from blueplane_doctor.machine_key import fingerprint
from blueplane_doctor.model import Record
from blueplane_doctor.sources.dead_letters import (
    DeadLetterEntry,
    json_object,
    parse_dead_letter_entry,
)
from blueplane_doctor.sources.entry_ids import id_text, is_entry_id
from blueplane_doctor.sources.letter_errors import letter_error
from blueplane_doctor.text import event_type, identifier, platform
from blueplane_doctor.text import group as shown_group
from blueplane_doctor.text import stream as shown_stream
from blueplane_doctor.times import HOUR_MS, from_milliseconds, iso, seconds_in

_CURSOR_LIMIT = 10_000
"""Entries that the Cursor consumer's own stream keeps, whatever the configuration says."""
NEARLY_FULL = 0.9
"""Share of its limit from which on a stream is about to discard entries."""


class DeadLetter(Record):
    """One dead letter, without anything private."""

    id: Public
    stream: Public
    queued_at: Public | None
    age_ms: int
    shape: Public
    """Which part of the pipeline wrote it: `claude_consumer`, `cursor_consumer`, `queue_writer`, `unknown`."""
    group: Public
    message_id: Public | None
    event_id: Public | None
    event_type: Public
    platform: Public
    error: Public
    """Type of the error, and its text where that is a library's own phrase."""
    fingerprint: Public
    """Eight characters that are the same for the same error, whatever its particulars."""
    retry_count: int | None


class ErrorGroup(Record):
    """Dead letters that failed in the same way."""

    fingerprint: Public
    """Eight characters that stay the same for the same error."""
    error: Public
    count: int
    last_hour: int
    oldest_age_ms: int
    newest_age_ms: int
    event_types: dict[Public, int]
    example_id: Public


class DeadLetterStats(Record):
    """All dead letters summed up."""

    total: int
    distinct_messages: int
    """Messages that are named; the Claude consumer adds an entry for the same one again and again."""
    last_hour: int
    hour_before: int
    oldest_age_ms: int | None
    verdict: Public
    """`empty`, `static pile` (none within the last hour), `active bleed`."""
    groups: list[ErrorGroup]
    sizes: dict[Public, int]
    limits: dict[Public, int]
    about_to_discard: list[Public]
    """Streams at 90 % of their limit or more: the oldest entries go next."""


@dataclass(frozen=True)
class DeadLetterFilter:
    """Which dead letters are meant; an empty part means all."""

    newer_than_ms: int | None = None
    older_than_ms: int | None = None
    group: str = ""
    error: str = ""
    event_type: str = ""
    platform: str = ""

    def passes(self, dead_letter: DeadLetter) -> bool:
        """Whether a dead letter fits every part."""
        if self.newer_than_ms is not None and dead_letter.age_ms > self.newer_than_ms:
            return False
        if self.older_than_ms is not None and dead_letter.age_ms < self.older_than_ms:
            return False
        if self.group and dead_letter.group not in (self.group, shown_group(self.group)):
            return False
        if self.event_type not in ("", dead_letter.event_type):
            return False
        if self.platform not in ("", dead_letter.platform):
            return False
        searched = f"{dead_letter.fingerprint} {dead_letter.error}".lower()
        return self.error.lower() in searched


def letter_filter(newer: str | None, older: str | None, *texts: str) -> DeadLetterFilter:
    """Raises UsageError for an age that is no span of time."""
    newest = None if newer is None else round(seconds_in(newer, "--newer-than") * 1000)
    oldest = None if older is None else round(seconds_in(older, "--older-than") * 1000)
    return DeadLetterFilter(newest, oldest, *texts)


def each_dead_letter(examination: Examination, chosen: DeadLetterFilter | None = None) -> Iterator[DeadLetter]:
    """Dead letters of both streams, oldest first within a stream. Raises SourceError."""
    now_ms = examination.server_info().now_ms
    for entry in examination.each_dead_letter():
        dead_letter = without_private_parts(entry, now_ms)
        if chosen is None or chosen.passes(dead_letter):
            yield dead_letter


def find_dead_letter(examination: Examination, wanted: str, stream: str = "") -> tuple[DeadLetter, DeadLetterEntry]:
    """The dead letter with this ID, or that names this message; `stream`: only of that one.

    Raises SourceMissing when there is none, UsageError when several streams have one of that ID.
    """
    entry = _find_by_own_id(examination, wanted, stream) or _find_by_message(examination, wanted, stream)
    if entry is None:
        where = f" of {shown_stream(stream)}" if stream else ""
        raise SourceMissing(
            f"no dead letter{where} has or names the ID {identifier(wanted)}", "see: blueplane-doctor dlq list"
        )
    return without_private_parts(entry, examination.server_info().now_ms), entry


def _find_by_own_id(examination: Examination, wanted: str, stream: str) -> DeadLetterEntry | None:
    if not is_entry_id(wanted):
        return None
    names = [name for name in examination.stream().dead_letters if stream in ("", name)]
    commands: list[Command] = [("XRANGE", name, wanted, wanted, "COUNT", 1) for name in names]
    entries = []
    for name, page in zip(names, examination.redis.ask_all(commands), strict=True):
        if page:
            entries.append(parse_dead_letter_entry(name, page[0]))
    if len(entries) > 1:
        places = [shown_stream(entry.stream) for entry in entries]
        raise UsageError(f"{wanted} is in {' and in '.join(places)}", f"say which: --stream {places[0]}")
    if not entries:
        return None
    return entries[0]


def letter_of_id(examination: Examination, wanted: str) -> DeadLetterEntry | None:
    """The dead letter that has this ID of its own, of the first stream that has one. Raises SourceError."""
    for stream in examination.stream().dead_letters:
        try:
            page = examination.redis.ask_one("XRANGE", stream, wanted, wanted, "COUNT", 1)
        except SourceError:
            continue
        if page:
            return parse_dead_letter_entry(stream, page[0])
    return None


def _find_by_message(examination: Examination, wanted: str, stream: str) -> DeadLetterEntry | None:
    for entry in examination.each_dead_letter():
        if stream in ("", entry.stream) and wanted.encode() in (entry.message_id, entry.event_id):
            return entry
    return None


def summarize(dead_letters: Iterable[DeadLetter], examination: Examination) -> DeadLetterStats:
    """Statistics; dead letters of the same error are one group, the largest first."""
    everything = list(dead_letters)
    by_error: dict[str, list[DeadLetter]] = {}
    messages = set()
    streams = {shown_stream(name): name for name in examination.stream().dead_letters}
    sizes = Counter(dict.fromkeys(streams, 0))
    for dead_letter in everything:
        by_error.setdefault(dead_letter.fingerprint, []).append(dead_letter)
        messages.add(_message_of(dead_letter))
        sizes[dead_letter.stream] += 1
    groups = [_error_group(alike) for alike in by_error.values()]
    limits = {}
    about_to_discard = []
    for stream, size in sizes.items():
        limits[stream] = _limit_of(examination, streams[stream])
        if size >= NEARLY_FULL * limits[stream]:
            about_to_discard.append(stream)
    last_hour = _younger_than(everything, HOUR_MS)
    return DeadLetterStats(
        total=len(everything),
        distinct_messages=len(messages),
        last_hour=last_hour,
        hour_before=_younger_than(everything, 2 * HOUR_MS) - last_hour,
        oldest_age_ms=max((dead_letter.age_ms for dead_letter in everything), default=None),
        verdict=_verdict(len(everything), last_hour),
        groups=sorted(groups, key=lambda group: (-group.count, group.fingerprint)),
        sizes=dict(sizes),
        limits=limits,
        about_to_discard=about_to_discard,
    )


def _younger_than(dead_letters: Iterable[DeadLetter], age_ms: int) -> int:
    """How many are younger than that."""
    count = 0
    for dead_letter in dead_letters:
        if dead_letter.age_ms < age_ms:
            count += 1
    return count


def _verdict(total: int, last_hour: int) -> Public:
    if not total:
        return Public("empty")
    if not last_hour:
        return Public("static pile")
    return Public("active bleed")


def _message_of(dead_letter: DeadLetter) -> str:
    """What tells its message from others; one that names none stands for a message of its own."""
    return dead_letter.message_id or dead_letter.event_id or dead_letter.id


def _limit_of(examination: Examination, stream: str) -> int:
    if stream == f"{examination.stream().queue}:dlq":
        return _CURSOR_LIMIT
    return examination.settings.streams.dead_letter_max_length


def without_private_parts(entry: DeadLetterEntry, now_ms: int) -> DeadLetter:
    """What may be shown of a dead-letter entry."""
    message = _message_fields(entry.fields)
    error, fingerprint = reason(entry.fields)
    return DeadLetter(
        id=id_text(entry.id),
        stream=shown_stream(entry.stream),
        queued_at=iso(from_milliseconds(entry.queued_ms)),
        age_ms=max(0, now_ms - entry.queued_ms),
        shape=Public(entry.shape),
        group=shown_group(_group_of(entry)),
        message_id=identifier(entry.message_id) if entry.message_id else None,
        event_id=identifier(entry.event_id) if entry.event_id else None,
        event_type=event_type(message.get("event_type") or message.get("hook_type")),
        platform=platform(message.get("platform")),
        error=error,
        fingerprint=fingerprint,
        retry_count=_retry_count(entry.fields.get(b"retry_count", b"")),
    )


def _group_of(entry: DeadLetterEntry) -> bytes:
    group = entry.fields.get(b"consumer_group")
    if group:
        return group
    if entry.shape == "claude_consumer":  # it names no group, and serves only this one
        return b"claude_processors"
    return b""


def _retry_count(text: bytes) -> int | None:
    if text.isdigit() and len(text) < 10:
        return int(text)
    return None


def reason(fields: dict[bytes, bytes]) -> tuple[Public, Public]:
    """What went wrong, for showing, and its fingerprint.

    The fingerprint is made of the text without its particulars, and so tells private texts apart without showing them.
    """
    error = letter_error(fields)
    return error.shown, fingerprint(error.general.encode("utf-8", "replace"))


def _message_fields(fields: dict[bytes, bytes]) -> dict[str, str]:
    """Fields of the message that was given up, wherever the entry's shape keeps them."""
    for name in (b"event", b"original_data"):
        if name in fields:
            content = json_object(fields[name])
            return {key: value for key, value in content.items() if isinstance(value, str)}
    texts = {}
    for key, value in fields.items():
        texts[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
    return texts


def _error_group(alike: list[DeadLetter]) -> ErrorGroup:
    ages_ms = [dead_letter.age_ms for dead_letter in alike]
    event_types = Counter(dead_letter.event_type for dead_letter in alike)
    return ErrorGroup(
        fingerprint=alike[0].fingerprint,
        error=alike[0].error,
        count=len(alike),
        last_hour=_younger_than(alike, HOUR_MS),
        oldest_age_ms=max(ages_ms),
        newest_age_ms=min(ages_ms),
        event_types=dict(event_types.most_common(5)),
        example_id=alike[-1].id,
    )
