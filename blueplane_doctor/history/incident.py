"""What changed and since when, from kept statuses and the times of samples. Pure functions."""

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from blueplane_doctor.history.samples import CAUSE, KINDS, REPORT, kept_id
from blueplane_doctor.history.series import FRESH_SECONDS
from blueplane_doctor.history.status_log import StatusEntry
from blueplane_doctor.model import Status, StatusChange
from blueplane_doctor.readings import FINGERPRINT
from blueplane_doctor.text.times import iso_of_seconds

GREEN = "green"
"""The status of what an entry does not name. Of a cause: it is not there."""
_MISSED_SAMPLES = 3
"""As many in a row are a gap; a recorder that is busy misses one."""


class Change(NamedTuple):
    """One check, one cause or the report has another status from this sample on."""

    time: int
    """Seconds since 1970."""
    name: str
    before: str | None
    """None: nothing was recorded before."""
    after: str


def changes(entries: Sequence[StatusEntry], since: float) -> list[Change]:
    """What changed since this moment (seconds since 1970), oldest first; in one sample the report, causes, checks."""
    result = []
    before: StatusEntry | None = None
    for entry in entries:
        if entry.time >= since:
            result += _changes_of(before, entry)
        before = entry
    return result


def _changes_of(before: StatusEntry | None, entry: StatusEntry) -> list[Change]:
    if before is None:
        begun = []
        for name in _in_order(entry.statuses):
            begun.append(Change(entry.time, name, None, entry.statuses[name]))
        return begun
    result = []
    for name in _in_order([*before.statuses, *entry.statuses]):
        earlier = before.statuses.get(name, GREEN)
        later = entry.statuses.get(name, GREEN)
        if earlier != later:
            result.append(Change(entry.time, name, earlier, later))
    return result


def _in_order(names: Iterable[str]) -> list[str]:
    """Each name once: the report's, those of causes, those of checks."""
    return sorted(set(names), key=lambda name: (KINDS.index(name.partition(":")[0]), name))


def status_change(change: Change, known_ids: Collection[str]) -> StatusChange:
    """A change with its time in words and an id that may be shown; without a title, which only its author knows."""
    return StatusChange(
        at=iso_of_seconds(change.time),
        kind=change.name.partition(":")[0],
        id=public_id(change.name, known_ids),
        before=None if change.before is None else Status(change.before),
        after=Status(change.after),
    )


def public_id(name: str, known_ids: Collection[str]) -> str:
    """The id in a kept name: whoever may write to Redis may have made one up."""
    identity = name.partition(":")[2]
    if name == REPORT or FINGERPRINT.fullmatch(identity):
        return identity
    return kept_id(identity, known_ids)


def gaps(times: Sequence[int]) -> list[tuple[int, int]]:
    """Spans in which nothing was recorded: the last sample before each, and the first one after it."""
    longest = _longest_pause(times)
    spans = []
    for before, after in pairwise(times):
        if after - before > longest:
            spans.append((before, after))
    return spans


def open_since(entries: Sequence[StatusEntry], times: Sequence[int], now: float) -> dict[str, int]:
    """By name, each cause of the newest entry: the sample from which on every one showed it without a gap.

    `times` of the samples that are looked through: what began before the first of them is told from there on. Empty
    where the newest sample is too old to tell of now.
    """
    if not entries or not times or now - times[-1] > _longest_pause(times):
        return {}
    watched_since = times[0]
    for _, after in gaps(times):
        watched_since = after
    result = {}
    for name in entries[-1].statuses:
        if name.startswith(f"{CAUSE}:"):
            result[name] = max(watched_since, _begin(entries, name))
    return result


def _begin(entries: Sequence[StatusEntry], name: str) -> int:
    """The first of the newest entries that all hold this name."""
    begin = entries[-1].time
    for entry in reversed(entries):
        if name not in entry.statuses:
            break
        begin = entry.time
    return begin


def _longest_pause(times: Sequence[int]) -> float:
    """Seconds between two samples that are no gap yet: by their usual distance, which `record --every` sets."""
    distances = sorted(after - before for before, after in pairwise(times))
    if not distances:
        return FRESH_SECONDS
    # The lower one of two middle ones: of three samples, a gap is one of two distances.
    usual = distances[(len(distances) - 1) // 2]
    return max(FRESH_SECONDS, _MISSED_SAMPLES * usual)
