"""What a process recorded within a minute, bounded in memory; and how it lies in Redis.

Redis holds hashes of integers, so that any number of processes can add to them (HINCRBY); of those marked `set` the
newest value counts. `blueplane:health:recorded:<minutes since 1970>`:

    w|ok|TABLE  w|failed|TABLE  w|rows|TABLE  w|us|TABLE (sum, microseconds)  w|failed_at|TABLE (set, milliseconds)
    h|ok|HOOK  h|failed|HOOK      HOOK is `platform/name`, or a name alone
    m|ok|MONITOR  m|failed|MONITOR  m|captured|MONITOR (0 is recorded too)  m|sessions|MONITOR (set)
    d  events dropped             p|PROCESS  the last delivery of that process (set)

`blueplane:health:recorded:<minutes since 1970>:TABLE`: how many of its writes are in each bin of durations (`z` is
zero). Its short fields take a third of the memory that they would take with the name in each.

The bins are DDSketch's of a relative accuracy of 1 %, so that percentiles add up: those of the package ddsketch
(`LogarithmicMapping(0.01)`; a test compares both). Here each is one integer, and two formulas need no package.
Charles Masson et al., "DDSketch", VLDB 2019: https://www.vldb.org/pvldb/vol12/p2195-masson.pdf
"""

import math
from collections.abc import Mapping
from typing import Any

TABLES = 32
HOOKS = 128
MONITORS = 32
"""Different names that one minute holds; events of further ones are dropped and counted."""
_NAME_LENGTH = 80
PREFIX = "blueplane:health:"
# As long as the history keeps its samples.
EXPIRY_SECONDS = 7 * 86_400
ZERO_BIN = "z"
DROPPED = "d"
NEWEST_COUNTS = ("failed_at", "sessions")
_LARGEST = 2**62
"""A sum beyond this would make Redis refuse to add to it (64 bits, signed)."""
_RELATIVE_ACCURACY = 0.01
_GAMMA = (1 + _RELATIVE_ACCURACY) / (1 - _RELATIVE_ACCURACY)
SCALE = 1 / math.log(_GAMMA)
SHORTEST = 1e-9
"""Seconds; what is shorter counts as zero. No clock tells less."""
LONGEST = 1e6
"""Seconds; what is longer counts as this, 11 days. So a sketch has at most 1,728 bins."""
BINS = range(math.ceil(math.log(SHORTEST) * SCALE), math.ceil(math.log(LONGEST) * SCALE) + 1)


class Refused(Exception):
    """An event that cannot be recorded; it counts as dropped."""


class Counts:
    """How often something succeeded and failed: a hook, and what more is counted of others."""

    __slots__ = ("failed", "ok")

    def __init__(self) -> None:
        self.ok = 0
        self.failed = 0

    def count(self, ok: bool) -> None:
        """Count one, by whether it succeeded."""
        if ok:
            self.ok += 1
        else:
            self.failed += 1

    @property
    def events(self) -> int:
        """How many were recorded."""
        return self.ok + self.failed

    def merge(self, other: Any) -> None:
        """Add what a newer one of the same name holds."""
        self.ok += other.ok
        self.failed += other.failed

    def fields(self) -> dict[str, int | None]:
        """The values of a monitor, by the middle of the field's name; None: not known."""
        return {"ok": self.ok or None, "failed": self.failed or None}


class Writes(Counts):
    """Writes to one table."""

    __slots__ = ("bins", "failed_at", "rows", "seconds")

    def __init__(self) -> None:
        super().__init__()
        self.rows = 0
        self.seconds = 0.0
        self.bins: dict[int | None, int] = {}
        self.failed_at = 0
        """When the last one failed, milliseconds since 1970; 0: none did."""

    def merge(self, other: "Writes") -> None:
        super().merge(other)
        self.rows += other.rows
        self.seconds += other.seconds
        self.failed_at = max(self.failed_at, other.failed_at)
        for place, count in other.bins.items():
            self.bins[place] = self.bins.get(place, 0) + count

    def fields(self) -> dict[str, int | None]:
        spent = round(min(self.seconds * 1e6, _LARGEST))
        return super().fields() | {"rows": self.rows or None, "us": spent or None, "failed_at": self.failed_at or None}


class Monitors(Counts):
    """Reports of one monitor."""

    __slots__ = ("captured", "sessions")

    def __init__(self) -> None:
        super().__init__()
        self.captured: int | None = None
        self.sessions: int | None = None

    def merge(self, other: "Monitors") -> None:
        super().merge(other)
        if other.captured is not None:
            self.captured = (self.captured or 0) + other.captured
        if other.sessions is not None:
            self.sessions = other.sessions

    def fields(self) -> dict[str, int | None]:
        return super().fields() | {"captured": self.captured, "sessions": self.sessions}


class MinuteBucket:
    """All that one process recorded in one minute, by name.

    `dropped` counts events of any time that are not in any minute.
    """

    __slots__ = ("dropped", "hooks", "monitors", "writes")

    def __init__(self) -> None:
        self.writes: dict[str, Writes] = {}
        self.hooks: dict[str, Counts] = {}
        self.monitors: dict[str, Monitors] = {}
        self.dropped = 0

    @property
    def events(self) -> int:
        """How many events would be lost with it."""
        events = 0
        for entry in (*self.writes.values(), *self.hooks.values(), *self.monitors.values()):
            events += entry.events
        return events

    def merge(self, newer: "MinuteBucket") -> int:
        """Add what another holds as far as there is room for its names; the number of events left out."""
        self.dropped += newer.dropped
        left_out = 0
        for (_, mine, limit), (_, theirs, _) in zip(self._kinds(), newer._kinds(), strict=True):
            for name, entry in theirs.items():
                if name in mine:
                    mine[name].merge(entry)
                elif len(mine) < limit:
                    mine[name] = entry
                else:
                    left_out += entry.events
        return left_out

    def fields(self) -> tuple[dict[str, int], dict[str, int]]:
        """Fields of the minute's hash that are added to, and those whose newest value counts."""
        added: dict[str, int] = {}
        newest: dict[str, int] = {}
        if self.dropped:
            added[DROPPED] = self.dropped
        for kind, entries, _ in self._kinds():
            for name, entry in entries.items():
                for what, value in entry.fields().items():
                    if value is None:
                        continue
                    field = f"{kind}|{what}|{name}"
                    if what in NEWEST_COUNTS:
                        newest[field] = min(value, _LARGEST)
                    else:
                        added[field] = min(value, _LARGEST)
        return added, newest

    def sketches(self) -> dict[str, dict[str, int]]:
        """By table, the fields of its hash."""
        fields = {}
        for table, writes in self.writes.items():
            fields[table] = _sketch(writes.bins)
        return fields

    def _kinds(self) -> tuple[tuple[str, dict[str, Any], int], ...]:
        return ("w", self.writes, TABLES), ("h", self.hooks, HOOKS), ("m", self.monitors, MONITORS)


def _sketch(bins: Mapping[int | None, int]) -> dict[str, int]:
    fields = {}
    for place, count in bins.items():
        if place is None:
            fields[ZERO_BIN] = count
        else:
            fields[str(place)] = count
    return fields


def added(entries: dict[str, Any], name: str, entry: Any, limit: int) -> Any:
    """The entry of this name, the new one where there was none.

    Raises Refused when there is no room, UnicodeError for a broken name.
    """
    if not isinstance(name, str) or not 0 < len(name) <= _NAME_LENGTH or len(entries) >= limit:
        raise Refused
    name.encode()  # a name that cannot be sent would keep everything else from being sent
    # While the new one was made, a signal handler may have put one there, and counted in it.
    return entries.setdefault(name, entry)


def key_of(minute: int, table: str | None = None) -> str:
    """The key of a minute since 1970, or of the durations of a table's writes in it."""
    key = f"{PREFIX}recorded:{minute}"
    if table is None:
        return key
    return f"{key}:{table}"


def parts(field: str) -> tuple[str, str, str]:
    """A field's kind, what it counts, and the name: which may hold anything, also `|`."""
    kind, _, rest = field.partition("|")
    what, _, name = rest.partition("|")
    return kind, what, name


def bin_of(seconds: float) -> int | None:
    """The bin of a duration; None is the bin of zero, where what is no positive number goes too."""
    if not seconds > SHORTEST:  # written so that not-a-number ends here too
        return None
    return math.ceil(math.log(min(seconds, LONGEST)) * SCALE)


def seconds_of(place: int | None) -> float:
    """The duration that a bin stands for: at most 1 % from any that was counted in it."""
    if place is None:
        return 0.0
    # A bin reaches from GAMMA^(place - 1) to GAMMA^place; this point is equally far, in per cent, from both ends.
    return 2 * math.exp(place / SCALE) / (1 + _GAMMA)


def quantile(bins: Mapping[int | None, int], share: float) -> float | None:
    """The shortest duration in seconds that `share` (0 to 1) of those counted do not exceed; None for none counted."""
    wanted = math.ceil(share * sum(bins.values()) - 1e-9)  # 0.95 of 20 are 19, whatever the floating point says
    seen = 0
    for place in sorted(bins, key=_in_order):
        seen += bins[place]
        if seen >= wanted:
            return seconds_of(place)
    return None


def _in_order(place: int | None) -> float:
    """The bin of zero comes first."""
    if place is None:
        return -math.inf
    return place
