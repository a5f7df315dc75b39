"""Dead letters for a person: listed, filtered, grouped by what went wrong; never what is private."""

from collections.abc import Iterator
from dataclasses import dataclass

from blueplane_doctor.connection.base import Command
from blueplane_doctor.errors import SourceError, SourceMissing, UsageError
from blueplane_doctor.examination import Examination
from blueplane_doctor.privacy.machine_key import fingerprint
from blueplane_doctor.privacy.public_text import event_type, identifier, platform
from blueplane_doctor.privacy.public_text import group as shown_group
from blueplane_doctor.privacy.public_text import stream as shown_stream
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.dead_letters import (
    DeadLetterEntry,
    json_object,
    parse_dead_letter_entry,
)
from blueplane_doctor.sources.entry_ids import id_text, is_entry_id
from blueplane_doctor.sources.letter_errors import letter_error
from blueplane_doctor.text.characters import Public
from blueplane_doctor.text.times import iso_of_milliseconds, seconds_in


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
    names = []
    commands: list[Command] = []
    for name in examination.stream().dead_letters:
        if stream in ("", name):
            names.append(name)
            commands.append(("XRANGE", name, wanted, wanted, "COUNT", 1))
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


def without_private_parts(entry: DeadLetterEntry, now_ms: int) -> DeadLetter:
    """What may be shown of a dead-letter entry."""
    message = _message_fields(entry.fields)
    error, fingerprint = reason(entry.fields)
    return DeadLetter(
        id=id_text(entry.id),
        stream=shown_stream(entry.stream),
        queued_at=iso_of_milliseconds(entry.queued_ms),
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
