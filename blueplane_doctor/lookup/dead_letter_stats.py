"""All dead letters summed up: how many, of which errors, and whether more are coming."""

from collections import Counter
from collections.abc import Iterable

from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.dead_letters import DeadLetter
from blueplane_doctor.privacy.public_text import stream as shown_stream
from blueplane_doctor.records.base import Record
from blueplane_doctor.text.characters import Public
from blueplane_doctor.text.times import HOUR_MS

_CURSOR_LIMIT = 10_000
"""Entries that the Cursor consumer's own stream keeps, whatever the configuration says."""
_NEARLY_FULL = 0.9
"""Share of its limit from which on a stream is about to discard entries."""


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
        if size >= _NEARLY_FULL * limits[stream]:
            about_to_discard.append(stream)
    last_hour = _younger_than(everything, HOUR_MS)
    return DeadLetterStats(
        total=len(everything),
        distinct_messages=len(messages),
        last_hour=last_hour,
        # Those of two hours, less those of the last one.
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
