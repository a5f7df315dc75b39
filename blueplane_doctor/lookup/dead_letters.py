"""Dead letters for a person: listed, filtered, grouped by what went wrong; never what is private."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from blueplane_doctor.errors import SourceError, SourceMissing, UsageError
from blueplane_doctor.examination import Examination
from blueplane_doctor.model import Record
from blueplane_doctor.sources.dead_letters import (
    DeadLetterEntry,
    each_dead_letter_entry,
    json_object,
    parse_dead_letter_entry,
)
from blueplane_doctor.sources.entry_ids import id_text
from blueplane_doctor.sources.redis_source import pairs
from blueplane_doctor.text import identifier, plain, word
from blueplane_doctor.times import HOUR_MS, from_milliseconds, iso

NO_REASON = "no reason recorded"
NEARLY_FULL = 0.9
"""Share of its limit from which on a stream is about to discard entries."""
_PARTICULARS = (
    re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`"),
    re.compile(r"\S+@\S+|\w+://\S+"),
    re.compile(r"(?:[A-Za-z]:)?(?:[/\\][^\s/\\:,;'\"]+)+[/\\]?|~[/\\]\S*"),
    re.compile(r"\b[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{4,})*\b|\d+"),
)
"""Quoted text, addresses, paths, numbers."""
_PUBLIC = re.compile(
    r"(?:UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: [\w., ]{1,120})?"
    r"|database is locked|database disk image is malformed|disk I/O error|database or disk is full"
    r"|attempt to write a readonly database|unable to open database file|no such (?:table|column): \w{1,60}"
    r"|'\w{1,20}' object has no attribute '\w{1,20}'|Expecting (?:value|property name)"
    r"|[Mm]ax(?:imum)? retries(?: exceeded)?|timed out|Connection refused"
)
"""Phrases of SQLite, Python's json and Redis, which quote no message."""


class DeadLetter(Record):
    """One dead letter, without anything private."""

    id: str
    stream: str
    queued_at: str | None
    age_ms: int
    shape: str
    """Which part of the pipeline wrote it: `claude_consumer`, `cursor_consumer`, `queue_writer`, `unknown`."""
    group: str
    message_id: str | None
    event_id: str | None
    event_type: str
    platform: str
    error: str
    """Type of the error, and its text where that is a library's own phrase."""
    fingerprint: str
    """Eight characters that are the same for the same error, whatever its particulars."""
    retry_count: int | None


class ErrorGroup(Record):
    """Dead letters that failed in the same way."""

    fingerprint: str
    """Eight characters that stay the same for the same error."""
    error: str
    count: int
    last_hour: int
    oldest_age_ms: int
    newest_age_ms: int
    event_types: dict[str, int]
    example_id: str


class DeadLetterStats(Record):
    """All dead letters summed up."""

    total: int
    distinct_messages: int
    """Messages that are named; the Claude consumer adds an entry for the same one again and again."""
    last_hour: int
    hour_before: int
    oldest_age_ms: int | None
    verdict: str
    """`empty`, `static pile` (none within the last hour), `active bleed`."""
    groups: list[ErrorGroup]
    sizes: dict[str, int]
    limits: dict[str, int]
    about_to_discard: list[str]
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

    def passes(self, letter: DeadLetter) -> bool:
        """Whether a letter fits every part."""
        if self.newer_than_ms is not None and letter.age_ms > self.newer_than_ms:
            return False
        if self.older_than_ms is not None and letter.age_ms < self.older_than_ms:
            return False
        for name in ("group", "event_type", "platform"):
            if getattr(self, name) not in ("", getattr(letter, name)):
                return False
        return not self.error or self.error.lower() in f"{letter.fingerprint} {letter.error}".lower()


def each_dead_letter(examination: Examination, chosen: DeadLetterFilter | None = None) -> Iterator[DeadLetter]:
    """Dead letters of both streams, oldest first within a stream. Raises SourceError."""
    now = examination.server_info().now_ms
    for raw in each_entry(examination):
        letter = described(raw, now)
        if chosen is None or chosen.passes(letter):
            yield letter


def each_entry(examination: Examination, *, unreadable: type[SourceError] = SourceMissing) -> Iterator[DeadLetterEntry]:
    """The entries as they are. Streams whose state raises `unreadable` are passed over. Raises SourceError."""
    redis, size = examination.redis, examination.server_info().dataset_bytes
    for stream in examination.stream().dead_letters:
        try:
            state = pairs(redis.ask_one("XINFO", "STREAM", stream))
        except unreadable:
            continue
        yield from each_dead_letter_entry(redis, stream, state, size)


def find_dead_letter(examination: Examination, wanted: str, stream: str = "") -> tuple[DeadLetter, DeadLetterEntry]:
    """The letter with this ID, or that names this message; `stream`: only of that one.

    Raises SourceMissing when there is none, UsageError when several streams have one of that ID.
    """
    now = examination.server_info().now_ms
    if re.match(r"\d+-\d+\Z", wanted):
        names = [name for name in examination.stream().dead_letters if stream in ("", name)]
        pages = examination.redis.ask_all([("XRANGE", name, wanted, wanted, "COUNT", 1) for name in names])
        found = [parse_dead_letter_entry(name, page[0]) for name, page in zip(names, pages, strict=True) if page]
        if len(found) > 1:
            told = " and in ".join(letter.stream for letter in found)
            raise UsageError(f"{wanted} is in {told}", f"say which: --stream {found[0].stream}")
        if found:
            return described(found[0], now), found[0]
    for raw in each_entry(examination):
        if stream in ("", raw.stream) and wanted.encode() in (raw.message_id, raw.event_id):
            return described(raw, now), raw
    where = f" of {identifier(stream)}" if stream else ""
    raise SourceMissing(
        f"no dead letter{where} has or names the ID {identifier(wanted)}", "see: blueplane-doctor dlq list"
    )


def summarize(letters: Iterable[DeadLetter], examination: Examination) -> DeadLetterStats:
    """Statistics; letters of the same error are one group, the largest first."""
    groups: dict[str, list[DeadLetter]] = {}
    everything = list(letters)
    for letter in everything:
        groups.setdefault(letter.fingerprint, []).append(letter)
    sizes = dict.fromkeys(examination.stream().dead_letters, 0) | Counter(letter.stream for letter in everything)
    limits = {stream: _limit_of(examination, stream) for stream in sizes}
    recent = sum(letter.age_ms < HOUR_MS for letter in everything)
    return DeadLetterStats(
        total=len(everything),
        distinct_messages=len({letter.message_id or letter.event_id or letter.id for letter in everything}),
        last_hour=recent,
        hour_before=sum(HOUR_MS <= letter.age_ms < 2 * HOUR_MS for letter in everything),
        oldest_age_ms=max((letter.age_ms for letter in everything), default=None),
        verdict="active bleed" if recent else "static pile" if everything else "empty",
        groups=sorted(map(_group, groups.values()), key=lambda g: (-g.count, g.fingerprint)),
        sizes=sizes,
        limits=limits,
        about_to_discard=[s for s, size in sizes.items() if size >= NEARLY_FULL * limits[s]],
    )


def _limit_of(examination: Examination, stream: str) -> int:
    if stream == f"{examination.stream().queue}:dlq":
        return 10_000  # fixed in the Cursor consumer
    return examination.settings.streams.dead_letter_max_length


def described(letter: DeadLetterEntry, now_ms: int) -> DeadLetter:
    """A dead letter without its private parts."""
    fields, inner = letter.fields, _message_fields(letter.fields)
    retries = fields.get(b"retry_count", b"")
    told, fingerprint = reason(fields)
    group = fields.get(b"consumer_group") or (b"claude_processors" if letter.shape == "claude_consumer" else b"")
    return DeadLetter(
        id=id_text(letter.id),
        stream=letter.stream,
        queued_at=iso(from_milliseconds(letter.queued_ms)),
        age_ms=max(0, now_ms - letter.queued_ms),
        shape=letter.shape,
        group=word(group),
        message_id=identifier(letter.message_id) if letter.message_id else None,
        event_id=identifier(letter.event_id) if letter.event_id else None,
        event_type=word(inner.get("event_type") or inner.get("hook_type")),
        platform=word(inner.get("platform")),
        error=told,
        fingerprint=fingerprint,
        retry_count=int(retries) if retries.isdigit() and len(retries) < 10 else None,
    )


def reason(fields: dict[bytes, bytes]) -> tuple[str, str]:
    """What went wrong, for showing, and its fingerprint.

    An error's text may quote what was being written, so only libraries' phrases are shown; the fingerprint tells other
    texts apart, their particulars taken out.
    """
    kind = word(fields[b"error_type"]) if fields.get(b"error_type") else ""
    said = fields.get(b"error_message", b"").decode("utf-8", "replace")
    known = _PUBLIC.search(said)
    shown = plain(known[0], 160) if known else "(text is private)" if said else ""
    for particular in _PARTICULARS:
        said = particular.sub("#", said)
    told = ": ".join(filter(None, (kind, shown))) or NO_REASON
    return told, sha256(f"{kind}|{said}".encode("utf-8", "replace")).hexdigest()[:8]


def _message_fields(fields: dict[bytes, bytes]) -> dict[str, str]:
    for name in (b"event", b"original_data"):
        if name in fields:
            content = json_object(fields[name])
            return {key: value for key, value in content.items() if isinstance(value, str)}
    return {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in fields.items()}


def _group(letters: list[DeadLetter]) -> ErrorGroup:
    ages = [letter.age_ms for letter in letters]
    return ErrorGroup(
        fingerprint=letters[0].fingerprint,
        error=letters[0].error,
        count=len(letters),
        last_hour=sum(age < HOUR_MS for age in ages),
        oldest_age_ms=max(ages),
        newest_age_ms=min(ages),
        event_types=dict(Counter(letter.event_type for letter in letters).most_common(5)),
        example_id=letters[-1].id,
    )
