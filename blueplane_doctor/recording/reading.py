"""Reading back what recorders wrote: per-minute hashes, added up over a window. Only reads, never fails the run."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from blueplane_doctor.errors import SourceError, SourceRefused
from blueplane_doctor.privacy.known_names import EVENT_TYPES, MONITORS, PLATFORMS, TABLES
from blueplane_doctor.privacy.public_text import NONE, OTHER, known_or_hidden
from blueplane_doctor.recording.minutes import BINS, DROPPED, NEWEST_COUNTS, PREFIX, ZERO_BIN, key_of, parts, quantile
from blueplane_doctor.sources.redis_info import integer
from blueplane_doctor.sources.redis_source import RedisSource, pairs
from blueplane_doctor.text.characters import NOTHING, Public
from blueplane_doctor.text.times import MINUTE_MS

_PERCENTILE = 0.95
HOOK_NAMES = EVENT_TYPES | {NONE, OTHER}
_PLATFORM_NAMES = PLATFORMS | {OTHER}
"""As the recorder writes them."""
_RIGHTS = f"Let this user read what is recorded: ACL SETUSER <user> +hgetall %R~{PREFIX}*"


class RecordedHook(NamedTuple):
    """Events of one hook that were to be enqueued."""

    ok: int
    failed: int


class RecordedWrites(NamedTuple):
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


class RecordedMonitor(NamedTuple):
    """What one monitor did."""

    sessions: int | None
    """Sessions that it watched, by its last report; null: there was none within the window."""
    events: int | None
    """Events it captured; null: that is not measured for this monitor."""
    ok: int
    """Times it read its source, or enqueued an event, and succeeded."""
    errors: int
    """Times it did not."""


class Recorded(NamedTuple):
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
    writes: Mapping[str, RecordedWrites] = {}
    """By table."""
    hooks: Mapping[str, RecordedHook] = {}
    """By `platform/name`."""
    monitors: Mapping[str, RecordedMonitor] = {}
    """By name."""
    write_p95_ms: float | None = None
    """As in RecordedWrites, over all tables."""
    dropped: int | None = None
    """Events that recorders had to drop: what is counted here is short by so many."""
    cause: str = ""
    """Why there is nothing; empty when there is something."""
    hint: str = ""
    """What to do about it, where Redis refuses to tell."""
    readable: bool = True
    """Whether Redis could be asked for it."""

    @property
    def recorder_ran(self) -> bool | None:
        """Whether a recorder counted anything in the window; None where that could not be read."""
        if not self.readable:
            return None
        return self.minutes_recorded > 0

    @property
    def writes_ok(self) -> int | None:
        """Batches written, all tables."""
        if not self.writes:
            return None
        return sum(writes.ok for writes in self.writes.values())

    @property
    def writes_failed(self) -> int | None:
        """Batches that failed, all tables."""
        if not self.writes:
            return None
        return sum(writes.failed for writes in self.writes.values())

    @property
    def write_success_rate(self) -> float | None:
        """Share of the batches that were written, 0.0 to 1.0."""
        return _fraction(self.writes.values())

    @property
    def last_failed_write_ms(self) -> int | None:
        """When the last write failed; null: none did that was recorded."""
        times = []
        for writes in self.writes.values():
            if writes.last_failed_ms:
                times.append(writes.last_failed_ms)
        return max(times, default=None)

    def hooks_of(self, platform: str) -> list[RecordedHook]:
        """The hooks of one platform (`cursor`, `claude_code`)."""
        hooks = []
        for name, hook in self.hooks.items():
            if name.rpartition("/")[0] == platform:
                hooks.append(hook)
        return hooks

    def hook_success_rate(self, platform: str) -> float | None:
        """Share of the events of a platform's hooks that were enqueued, 0.0 to 1.0."""
        return _fraction(self.hooks_of(platform))

    @property
    def captured(self) -> int | None:
        """Events enqueued by hooks and captured by monitors."""
        if not self.hooks and not self.monitors:
            return None
        by_hooks = sum(hook.ok for hook in self.hooks.values())
        by_monitors = sum(monitor.events or 0 for monitor in self.monitors.values())
        return by_hooks + by_monitors


def read_recorded(redis: RedisSource, now_ms: int, minutes: int) -> Recorded:
    """What was recorded in the last `minutes` full minutes and the current one; two round trips.

    Never raises: what cannot be read is a Recorded with nothing in it and a `cause`.
    """
    current = now_ms // MINUTE_MS
    window = range(current - minutes, current + 1)
    since = window.start * MINUTE_MS
    try:
        sums = _read_sums(redis, window)
    except SourceError as error:
        hint = _RIGHTS if isinstance(error, SourceRefused) else ""
        return Recorded(minutes, since, cause=error.message, hint=hint, readable=False)
    if not sums.minutes:
        return Recorded(minutes, since, cause=f"nothing was recorded in the last {minutes} min")
    writes = {}
    for table, counts in sums.sorted_counts("w"):
        writes[table] = _writes(counts, sums.bins[table])
    minutes_with_writes = set()
    for minute, _ in sums.sketches:
        minutes_with_writes.add(minute)
    hooks = {}
    for name, counts in sums.sorted_counts("h"):
        hooks[name] = RecordedHook(counts["ok"], counts["failed"])
    monitors = {}
    for name, counts in sums.sorted_counts("m"):
        monitors[name] = _monitor(counts)
    return Recorded(
        minutes,
        since,
        minutes_recorded=len(sums.minutes),
        minutes_with_writes=len(minutes_with_writes),
        minutes_with_hooks=len(sums.minutes_with_hooks),
        writes=writes,
        hooks=hooks,
        monitors=monitors,
        write_p95_ms=_p95_ms(sum(sums.bins.values(), Counter())),
        dropped=sums.counts[DROPPED][""][""],
    )


def _read_sums(redis: RedisSource, window: range) -> "_Sums":
    """Raises SourceError."""
    sums = _Sums()
    keys = [key_of(minute) for minute in window]
    for minute, fields in zip(window, _read_hashes(redis, keys), strict=True):
        sums.add(minute, fields)
    # Which sketches there are is only known now: each lies under a key with its table's name.
    sketches = sorted(sums.sketches)
    keys = [key_of(minute, table) for minute, table in sketches]
    for (_, table), fields in zip(sketches, _read_hashes(redis, keys), strict=True):
        sums.add_sketch(table, fields)
    return sums


def _read_hashes(redis: RedisSource, keys: list[str]) -> list[dict[str, int]]:
    """Several hashes in one round trip, without what is not ours. Raises SourceError."""
    if not keys:
        return []
    commands = []
    for key in keys:
        commands.append(("HGETALL", key))
    replies = redis.ask(*commands)
    hashes = []
    for reply in replies:
        counts = {}
        for name, value in pairs(redis.checked(reply, ("HGETALL", PREFIX))).items():
            count = integer(value.decode("ascii", "replace"))
            # What is beyond 64 bits, or below zero, no recorder wrote.
            if count is not None and count >= 0:
                counts[name] = count
        hashes.append(counts)
    return hashes


class _Sums:
    """Sums over minutes."""

    def __init__(self) -> None:
        self.counts: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(Counter))
        """By kind of field, name, and what is counted."""
        self.bins: dict[str, Counter[int | None]] = defaultdict(Counter)
        """How many writes of a table are in each bin of durations."""
        self.minutes: set[int] = set()
        self.minutes_with_hooks: set[int] = set()
        self.sketches: set[tuple[int, str]] = set()
        """Minutes and tables of writes, under their real names: they are part of a key."""

    def add(self, minute: int, fields: dict[str, int]) -> None:
        for text, value in fields.items():
            self.minutes.add(minute)
            kind, what, name = parts(text)
            if kind == "w":
                self.sketches.add((minute, name))
            if kind == "h":
                self.minutes_with_hooks.add(minute)
            counts = self.counts[kind][_shown(kind, name)]
            if what in NEWEST_COUNTS:
                counts[what] = value
            else:
                counts[what] += value

    def add_sketch(self, table: str, fields: dict[str, int]) -> None:
        bins = self.bins[_shown("w", table)]
        for text, value in fields.items():
            if text == ZERO_BIN:
                bins[None] += value
            elif _is_integer(text) and int(text) in BINS:
                bins[int(text)] += value

    def sorted_counts(self, kind: str) -> list[tuple[str, dict[str, int]]]:
        """Names of that kind and their counts, by name."""
        return sorted(self.counts[kind].items())


def _writes(counts: dict[str, int], bins: Counter[int | None]) -> RecordedWrites:
    ok = counts["ok"]
    failed = counts["failed"]
    mean_ms = None
    if ok + failed:
        mean_ms = round(counts["us"] / 1000 / (ok + failed), 3)
    return RecordedWrites(ok, failed, counts["rows"], _p95_ms(bins), mean_ms, counts.get("failed_at"))


def _monitor(counts: dict[str, int]) -> RecordedMonitor:
    return RecordedMonitor(counts.get("sessions"), counts.get("captured"), counts["ok"], counts["failed"])


def _shown(kind: str, name: str) -> Public:
    """The name of a table, hook or monitor, which whoever may write to Redis may have made up."""
    if not name:
        return NOTHING
    if kind == "w":
        return known_or_hidden(name, TABLES)
    if kind == "m":
        return known_or_hidden(name, MONITORS)
    of_platform, slash, hook = name.rpartition("/")
    shown = known_or_hidden(hook, HOOK_NAMES)
    if not slash:
        return shown
    return Public(f"{known_or_hidden(of_platform, _PLATFORM_NAMES)}/{shown}")


def _is_integer(text: Any) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def _p95_ms(bins: Counter[int | None]) -> float | None:
    seconds = quantile(bins, _PERCENTILE)
    if seconds is None:
        return None
    return round(seconds * 1000, 6)


def _fraction(counts: Collection[RecordedHook | RecordedWrites]) -> float | None:
    ok = sum(each.ok for each in counts)
    failed = sum(each.failed for each in counts)
    if ok + failed == 0:
        return None
    return round(ok / (ok + failed), 5)
