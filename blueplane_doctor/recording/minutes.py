"""What one process recorded within one minute: bounded, and it only ever adds up."""

from typing import Any

TABLES = 32
HOOKS = 128
MONITORS = 32
"""Different names that one minute holds; events of further ones are dropped and counted."""
NAME_LENGTH = 80


class Refused(Exception):
    """An event that cannot be recorded; it counts as dropped."""


class Writes:
    """Writes to one table."""

    __slots__ = ("bins", "failed", "failed_at", "ok", "rows", "seconds")

    def __init__(self) -> None:
        self.ok = 0
        self.failed = 0
        self.rows = 0
        self.seconds = 0.0
        self.bins: dict[int | None, int] = {}
        self.failed_at = 0
        """When the last one failed, milliseconds since 1970; 0: none did."""

    def merge(self, other: "Writes") -> None:
        """Add what another holds."""
        self.ok += other.ok
        self.failed += other.failed
        self.rows += other.rows
        self.seconds += other.seconds
        self.failed_at = max(self.failed_at, other.failed_at)
        for place, count in other.bins.items():
            self.bins[place] = self.bins.get(place, 0) + count

    @property
    def events(self) -> int:
        """How many were recorded."""
        return self.ok + self.failed


class Hooks:
    """Executions of one hook."""

    __slots__ = ("failed", "ok")

    def __init__(self) -> None:
        self.ok = 0
        self.failed = 0

    def merge(self, other: "Hooks") -> None:
        """Add what another holds."""
        self.ok += other.ok
        self.failed += other.failed

    @property
    def events(self) -> int:
        """How many were recorded."""
        return self.ok + self.failed


class Monitors:
    """Reports of one monitor."""

    __slots__ = ("captured", "failed", "ok", "sessions")

    def __init__(self) -> None:
        self.ok = 0
        self.failed = 0
        self.captured: int | None = None
        self.sessions: int | None = None

    def merge(self, other: "Monitors") -> None:
        """Add what another holds; of the sessions, its are the newer ones."""
        self.ok += other.ok
        self.failed += other.failed
        if other.captured is not None:
            self.captured = (self.captured or 0) + other.captured
        self.sessions = self.sessions if other.sessions is None else other.sessions

    @property
    def events(self) -> int:
        """How many were recorded."""
        return self.ok + self.failed


class Minute:
    """All of one minute, by name; `dropped` counts events of any time that are not in any minute."""

    __slots__ = ("dropped", "hooks", "monitors", "writes")

    def __init__(self) -> None:
        self.writes: dict[str, Writes] = {}
        self.hooks: dict[str, Hooks] = {}
        self.monitors: dict[str, Monitors] = {}
        self.dropped = 0

    @property
    def events(self) -> int:
        """How many events would be lost with it."""
        kinds: tuple[dict[str, Any], ...] = (self.writes, self.hooks, self.monitors)
        return sum(entry.events for kind in kinds for entry in kind.values())

    def merge(self, other: "Minute") -> int:
        """Add what another holds as far as there is room for its names; the number of events left out."""
        self.dropped += other.dropped
        return (
            _merge(self.writes, other.writes, TABLES)
            + _merge(self.hooks, other.hooks, HOOKS)
            + _merge(self.monitors, other.monitors, MONITORS)
        )


def _merge(mine: dict[str, Any], theirs: dict[str, Any], limit: int) -> int:
    left_out = 0
    for name, entry in theirs.items():
        if name in mine:
            mine[name].merge(entry)
        elif len(mine) < limit:
            mine[name] = entry
        else:
            left_out += entry.events
    return left_out


def added(entries: dict[str, Any], name: str, entry: Any, limit: int) -> Any:
    """The new entry, put under its name. Raises Refused when there is no room, UnicodeError for a broken name."""
    if not isinstance(name, str) or not 0 < len(name) <= NAME_LENGTH or len(entries) >= limit:
        raise Refused
    name.encode()  # a name that cannot be sent would keep everything else from being sent
    entries[name] = entry
    return entry
