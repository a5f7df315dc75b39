"""Reading back what recorders wrote: per-minute hashes, added up over a window. Only reads, never fails the run."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from blueplane_doctor.errors import SourceError, SourceRefused
from blueplane_doctor.recording.minutes import BINS, DROPPED, NEWEST_COUNTS, PREFIX, ZERO_BIN, key_of, parts, quantile
from blueplane_doctor.sources.redis_source import RedisSource, pairs
from blueplane_doctor.text import plain
from blueplane_doctor.times import MINUTE_MS

PERCENTILE = 0.95
RIGHTS = f"Let this user read what is recorded: ACL SETUSER <user> +hgetall %R~{PREFIX}*"


@dataclass(frozen=True)
class RecordedHook:
    """Events of one hook that were to be enqueued."""

    ok: int
    failed: int


@dataclass(frozen=True)
class RecordedWrites:
    """Batches that were to be written to one table."""

    ok: int
    failed: int
    rows: int
    """Rows of the batches that were written."""
    p95_ms: float | None
    """95 % of the batches, failed ones too, took this long or less; at most 1 % off."""
    mean_ms: float | None
    last_failed_ms: int | None
    """When the last one failed, milliseconds since 1970; null: none did."""


@dataclass(frozen=True)
class RecordedMonitor:
    """What one monitor did."""

    sessions: int | None
    """Sessions it last said that it watches; null: it did not say within the window."""
    events: int | None
    """Events it captured; null: that is not measured for this monitor."""
    ok: int
    """Times it looked, or enqueued an event, and succeeded."""
    errors: int
    """Times it did not."""


@dataclass(frozen=True)
class Recorded:
    """Everything recorded in the last `minutes` full minutes and the current one.

    Null means everywhere that nothing of that kind was recorded, so it is not known: never that there was none.
    """

    minutes: int
    since_ms: int
    """Start of the window, milliseconds since 1970."""
    minutes_recorded: int = 0
    """Minutes in which anything was; 0: no recorder ran, or nothing happened, or it may not be read: see `cause`."""
    minutes_with_writes: int = 0
    minutes_with_hooks: int = 0
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
        """Batches written, all tables."""
        return sum(w.ok for w in self.writes.values()) if self.writes else None

    @property
    def writes_failed(self) -> int | None:
        """Batches that failed, all tables."""
        return sum(w.failed for w in self.writes.values()) if self.writes else None

    @property
    def write_success_percent(self) -> float | None:
        """Of 100 batches, those written."""
        return _percent(self.writes.values())

    @property
    def last_failed_write_ms(self) -> int | None:
        """When the last write failed; null: none did that was recorded."""
        return max((w.last_failed_ms for w in self.writes.values() if w.last_failed_ms), default=None)

    def hooks_of(self, platform: str) -> list[RecordedHook]:
        """The hooks of one platform (`cursor`, `claude_code`)."""
        return [hook for name, hook in self.hooks.items() if name.rpartition("/")[0] == platform]

    def hook_success_percent(self, platform: str) -> float | None:
        """Of 100 events of a platform's hooks, those enqueued."""
        return _percent(self.hooks_of(platform))

    @property
    def captured(self) -> int | None:
        """Events enqueued by hooks and captured by monitors."""
        if not self.hooks and not self.monitors:
            return None
        return sum(h.ok for h in self.hooks.values()) + sum(m.events or 0 for m in self.monitors.values())


def read_recorded(redis: RedisSource, now_ms: int, minutes: int) -> Recorded:
    """What was recorded in the last `minutes` full minutes and the current one; two round trips.

    Never raises: what cannot be read is a Recorded with nothing in it and a `cause`.
    """
    current = now_ms // MINUTE_MS
    window = range(current - minutes, current + 1)
    since = window.start * MINUTE_MS
    found = _Found()
    try:
        for minute, fields in zip(window, _hashes(redis, [key_of(minute) for minute in window]), strict=True):
            found.add(minute, fields)
        sketches = sorted(found.written)
        keys = [key_of(minute, table) for minute, table in sketches]
        for (_, table), fields in zip(sketches, _hashes(redis, keys), strict=True):
            found.add_sketch(table, fields)
    except SourceError as error:
        hint = RIGHTS if isinstance(error, SourceRefused) else ""
        return Recorded(minutes, since, cause=error.message, hint=hint)
    if not found.minutes:
        return Recorded(minutes, since, cause=f"nothing was recorded in the last {minutes} min")
    return Recorded(
        minutes,
        since,
        minutes_recorded=len(found.minutes),
        minutes_with_writes=len({minute for minute, _ in found.written}),
        minutes_with_hooks=len(found.hooked),
        writes={table: _writes(sums, found.bins[table]) for table, sums in sorted(found.sums["w"].items())},
        hooks={name: RecordedHook(sums["ok"], sums["failed"]) for name, sums in sorted(found.sums["h"].items())},
        monitors={name: _monitor(sums) for name, sums in sorted(found.sums["m"].items())},
        write_p95_ms=_p95_ms(sum(found.bins.values(), Counter())),
        dropped=found.sums[DROPPED][""][""],
    )


def _hashes(redis: RedisSource, keys: list[str]) -> list[dict[str, int]]:
    """Several hashes in one round trip, without what is not ours. Raises SourceError."""
    replies = redis.ask(*(("HGETALL", key) for key in keys)) if keys else []
    hashes = [pairs(redis.checked(reply, ("HGETALL", PREFIX))) for reply in replies]
    return [{field: int(value) for field, value in fields.items() if _is_integer(value)} for fields in hashes]


class _Found:
    """Sums over minutes."""

    def __init__(self) -> None:
        self.sums: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(Counter))
        """By kind of field, name, and what is counted."""
        self.bins: dict[str, Counter[int | None]] = defaultdict(Counter)
        self.minutes: set[int] = set()
        self.written: set[tuple[int, str]] = set()
        """Minutes and tables of writes, under their real names: they are part of a key."""
        self.hooked: set[int] = set()

    def add(self, minute: int, fields: dict[str, int]) -> None:
        for text, value in fields.items():
            self.minutes.add(minute)
            kind, what, name = parts(text)
            if kind == "w":
                self.written.add((minute, name))
            if kind == "h":
                self.hooked.add(minute)
            sums = self.sums[kind][_shown(name)]
            sums[what] = value if what in NEWEST_COUNTS else sums[what] + value

    def add_sketch(self, table: str, fields: dict[str, int]) -> None:
        bins = self.bins[_shown(table)]
        for text, value in fields.items():
            if text == ZERO_BIN:
                bins[None] += value
            elif _is_integer(text) and int(text) in BINS:
                bins[int(text)] += value


def _writes(sums: dict[str, int], bins: Counter[int | None]) -> RecordedWrites:
    ok, failed = sums["ok"], sums["failed"]
    mean = round(sums["us"] / 1000 / (ok + failed), 3) if ok + failed else None
    return RecordedWrites(ok, failed, sums["rows"], _p95_ms(bins), mean, sums.get("failed_at"))


def _monitor(sums: dict[str, int]) -> RecordedMonitor:
    return RecordedMonitor(sums.get("sessions"), sums.get("captured"), sums["ok"], sums["failed"])


_shown = lru_cache(1000)(plain)  # the same few names in every minute


def _is_integer(text: Any) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def _p95_ms(bins: Counter[int | None]) -> float | None:
    seconds = quantile(bins, PERCENTILE)
    return None if seconds is None else round(seconds * 1000, 6)


def _percent(counts: Collection[RecordedHook | RecordedWrites]) -> float | None:
    ok, failed = sum(each.ok for each in counts), sum(each.failed for each in counts)
    return round(100 * ok / (ok + failed), 3) if ok + failed else None
