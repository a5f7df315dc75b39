"""Reading back what recorders wrote: per-minute hashes, added up over a window. Only reads, never fails the run."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from blueplane_doctor.errors import SourceError, SourceRefused
from blueplane_doctor.recording.keys import DROPPED, PREFIX, ZERO_BIN, key_of, parts, sketch_key_of
from blueplane_doctor.recording.sketches import BINS, quantile
from blueplane_doctor.sources.redis_source import RedisSource, pairs
from blueplane_doctor.text import plain

MINUTE_MS = 60_000
PERCENTILE = 0.95
RIGHTS = f"Let this user read what is recorded: ACL SETUSER <user> +hgetall %R~{PREFIX}*"


@dataclass(frozen=True)
class RecordedWrites:
    """Writes to one table."""

    table: str
    ok: int
    """Batches that were written."""
    failed: int
    """Batches that were not."""
    rows: int
    """Rows of the batches that were written."""
    p95_ms: float | None
    """95 % of the batches, failed ones too, took this long or less; at most 1 % off."""
    mean_ms: float | None
    last_failed_ms: int | None
    """When the last one failed, milliseconds since 1970; null: none did."""


@dataclass(frozen=True)
class RecordedHook:
    """Events of one hook that were to be enqueued."""

    platform: str
    """`cursor`, `claude_code`; empty when it was recorded without."""
    name: str
    ok: int
    failed: int


@dataclass(frozen=True)
class RecordedMonitor:
    """What one monitor did."""

    name: str
    sessions: int | None
    """Sessions it last said that it watches; null: it did not say within the window."""
    events: int | None
    """Events it captured; null: that is not measured for this monitor."""
    ok: int
    """Times it looked, or enqueued an event, and succeeded."""
    errors: int
    """Times it did not."""
    last_minute_ms: int
    """Start of the last minute in which it recorded anything, milliseconds since 1970."""


@dataclass(frozen=True)
class Recorded:
    """Everything recorded in the last `minutes` full minutes and the current one.

    Null everywhere means that nothing of that kind was recorded, so it is not known: never that there was none.
    `cause` then says why. Counts of what was recorded may be 0.
    """

    minutes: int
    since_ms: int
    """Start of the window, milliseconds since 1970."""
    minutes_recorded: int = 0
    """Minutes in which anything was; 0: no recorder ran, or nothing happened, or it may not be read: see `cause`."""
    minutes_with_writes: int = 0
    """Of these, minutes in which something was written, or was to be."""
    minutes_with_hooks: int = 0
    """Of these, minutes in which a hook recorded anything."""
    writes: dict[str, RecordedWrites] = field(default_factory=dict)
    """By table."""
    hooks: dict[str, RecordedHook] = field(default_factory=dict)
    """By `platform/name`."""
    monitors: dict[str, RecordedMonitor] = field(default_factory=dict)
    """By name."""
    write_p95_ms: float | None = None
    """As in RecordedWrites, over all tables."""
    dropped: int | None = None
    """Events that recorders had to drop: what is counted here is short by so many."""
    cause: str = ""
    """Why there is nothing; empty when there is something."""
    hint: str = ""
    """What to do about it, where Redis refuses to tell."""

    @property
    def writes_ok(self) -> int | None:
        """Batches written, all tables; null: no write was recorded."""
        return sum(w.ok for w in self.writes.values()) if self.writes else None

    @property
    def writes_failed(self) -> int | None:
        """Batches that failed, all tables; null: no write was recorded."""
        return sum(w.failed for w in self.writes.values()) if self.writes else None

    @property
    def write_success_percent(self) -> float | None:
        """Of 100 batches, those written; null: no write was recorded."""
        return _percent((w.ok, w.failed) for w in self.writes.values())

    @property
    def last_failed_write_ms(self) -> int | None:
        """When the last write failed; null: none did that was recorded."""
        return max((w.last_failed_ms for w in self.writes.values() if w.last_failed_ms), default=None)

    def hooks_of(self, platform: str) -> list[RecordedHook]:
        """The hooks of one platform."""
        return [hook for hook in self.hooks.values() if hook.platform == platform]

    def hook_success_percent(self, platform: str) -> float | None:
        """Of 100 events of a platform's hooks, those enqueued; null: none was recorded."""
        return _percent((hook.ok, hook.failed) for hook in self.hooks_of(platform))

    @property
    def captured(self) -> int | None:
        """Events enqueued by hooks and captured by monitors; null: neither recorded anything."""
        if not self.hooks and not self.monitors:
            return None
        return sum(h.ok for h in self.hooks.values()) + sum(m.events or 0 for m in self.monitors.values())


def read_recorded(redis: RedisSource, now_ms: int, minutes: int, *, prefix: str = PREFIX) -> Recorded:
    """What was recorded in the last `minutes` full minutes and the current one; two round trips.

    Never raises: what cannot be read is a Recorded with nothing in it and a `cause`.
    """
    current = now_ms // MINUTE_MS
    window = range(current - minutes, current + 1)
    empty = Recorded(minutes, window.start * MINUTE_MS)
    totals = _Totals()
    try:
        for minute, fields in zip(window, _hashes(redis, [key_of(prefix, minute) for minute in window]), strict=True):
            totals.add(minute, fields)
        sketches = [(table, sketch_key_of(prefix, minute, table)) for minute, table in sorted(totals.written)]
        for (table, _), fields in zip(sketches, _hashes(redis, [key for _, key in sketches]), strict=True):
            totals.add_sketch(table, fields)
    except SourceError as error:
        refused = isinstance(error, SourceRefused)
        return Recorded(empty.minutes, empty.since_ms, cause=error.message, hint=RIGHTS if refused else "")
    return totals.recorded(empty)


def _hashes(redis: RedisSource, keys: list[str]) -> list[dict[str, Any]]:
    """Several hashes in one round trip. Raises SourceError."""
    replies = redis.ask(*(("HGETALL", key) for key in keys)) if keys else []
    for reply in replies:
        if isinstance(reply, Exception):
            redis.checked(reply, ("HGETALL", PREFIX))
    return [pairs(reply) for reply in replies]


class _Totals:
    """Sums over minutes, by kind of field and name."""

    def __init__(self) -> None:
        self.sums: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
        self.bins: dict[str, dict[int | None, int]] = defaultdict(lambda: defaultdict(int))
        self.last_minute: dict[str, int] = {}
        self.written: set[tuple[int, str]] = set()
        """Minutes and tables of writes, under their real names: they are part of a key."""
        self.hooked: set[int] = set()
        self.minutes = 0
        self.dropped = 0

    def add(self, minute: int, fields: dict[str, Any]) -> None:
        self.minutes += bool(fields)
        for text, value in fields.items():
            try:
                self._add_field(minute, text, int(value))
            except ValueError:
                continue  # not one of ours

    def add_sketch(self, table: str, fields: dict[str, Any]) -> None:
        bins = self.bins[_shown(table)]
        for text, value in fields.items():
            try:
                bins[_bin(text)] += int(value)
            except ValueError:
                continue

    def _add_field(self, minute: int, text: str, value: int) -> None:
        kind, what, name = parts(text)
        if kind == "w":
            self.written.add((minute, name))
        if kind == "h":
            self.hooked.add(minute)
        name = _shown(name)
        if text == DROPPED:
            self.dropped += value
        elif what == "failed_at":
            self.sums[kind][name][what] = max(self.sums[kind][name][what], value)
        elif what == "sessions":
            self.sums[kind][name][what] = value
        elif kind in ("w", "h", "m"):
            self.sums[kind][name][what] += value
        if kind == "m":
            self.last_minute[name] = minute * MINUTE_MS

    def recorded(self, empty: Recorded) -> Recorded:
        if not self.minutes:
            return Recorded(
                empty.minutes, empty.since_ms, cause=f"nothing was recorded in the last {empty.minutes} min"
            )
        return Recorded(
            minutes=empty.minutes,
            since_ms=empty.since_ms,
            minutes_recorded=self.minutes,
            minutes_with_writes=len({minute for minute, _ in self.written}),
            minutes_with_hooks=len(self.hooked),
            writes={name: self._writes(name) for name in sorted(self.sums["w"])},
            hooks={name: _hook(name, self.sums["h"][name]) for name in sorted(self.sums["h"])},
            monitors={name: self._monitor(name) for name in sorted(self.sums["m"])},
            write_p95_ms=_milliseconds(quantile(_together(self.bins.values()), PERCENTILE)),
            dropped=self.dropped,
        )

    def _writes(self, table: str) -> RecordedWrites:
        sums = self.sums["w"][table]
        count = sums["ok"] + sums["failed"]
        return RecordedWrites(
            table=table,
            ok=sums["ok"],
            failed=sums["failed"],
            rows=sums["rows"],
            p95_ms=_milliseconds(quantile(self.bins[table], PERCENTILE)),
            mean_ms=round(sums["us"] / 1000 / count, 3) if count else None,
            last_failed_ms=sums.get("failed_at"),
        )

    def _monitor(self, name: str) -> RecordedMonitor:
        sums = self.sums["m"][name]
        return RecordedMonitor(
            name=name,
            sessions=sums.get("sessions"),
            events=sums.get("captured"),
            ok=sums["ok"],
            errors=sums["failed"],
            last_minute_ms=self.last_minute[name],
        )


_shown = lru_cache(1000)(plain)  # the same few names in every minute


def _bin(text: str) -> int | None:
    if text == ZERO_BIN:
        return None
    if int(text) not in BINS:
        raise ValueError(text)
    return int(text)


def _hook(text: str, sums: dict[str, int]) -> RecordedHook:
    platform, _, name = text.rpartition("/")
    return RecordedHook(platform, name, sums["ok"], sums["failed"])


def _together(sketches: Iterable[dict[int | None, int]]) -> dict[int | None, int]:
    merged: dict[int | None, int] = defaultdict(int)
    for bins in sketches:
        for place, count in bins.items():
            merged[place] += count
    return merged


def _percent(counts: Iterable[tuple[int, int]]) -> float | None:
    pairs_of = list(counts)
    total = sum(ok + failed for ok, failed in pairs_of)
    return round(100 * sum(ok for ok, _ in pairs_of) / total, 3) if total else None


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 6)
