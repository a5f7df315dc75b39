"""Capture: do hooks fire, does the database monitor see anything, is anybody working at all."""

import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from blueplane_doctor.errors import SourceError
from blueplane_doctor.model import Record
from blueplane_doctor.monitoring.base import Monitor
from blueplane_doctor.pipeline import CURSOR_HOOKS, SESSIONS_TABLE
from blueplane_doctor.recording.reading import MINUTE_MS, Recorded, read_recorded
from blueplane_doctor.times import from_milliseconds, iso, parse_time

DAY_MS = 86_400_000
ACTIVE_MS = 3_600_000
"""A hook counts as active when it fired within the last hour."""
RATE_MINUTES = 5
"""The rate of capture is a mean of so many."""
CURSOR = "cursor"
"""The platform under which Cursor's hooks are recorded."""
CURSOR_MONITORS = ("unified_cursor_monitor", "cursor_database_monitor")
"""The names under which Cursor's database monitors are recorded."""


class HookHealth(Record):
    """One Cursor hook."""

    name: str
    installed: bool
    configured: bool
    """Whether the settings say that it must be active."""
    expected: bool
    """Installed, configured as expected, or seen within the last seven days."""
    seen: int
    """Messages of it in the stream."""
    last_seen: str | None
    silent_ms: int | None
    """Since its newest message; null when there is none."""


class CursorHooks(Record):
    """All Cursor hooks together; what only the recorder can measure is null without it: of the last hour."""

    total_executions: int | None
    """Messages of the six hooks in the stream."""
    success_count: int | None = None
    failure_count: int | None = None
    success_rate: float | None = None
    """Percent."""
    recorded_minutes: int = 0
    """Minutes of the last hour in which the recorder counted hooks."""
    recorded_cause: str = ""
    """Why there are none."""
    recorded_hint: str = ""
    """What to do about it, where Redis refuses to tell."""
    last_execution_timestamp: str | None = None
    hooks_active: dict[str, bool] = {}
    """For each of the six: fired within the last hour."""


class DatabaseMonitorHealth(Record):
    """Cursor's database monitor, by what it enqueued; where the recorder counts its work, by that, of the last hour."""

    active: bool | None
    sessions_monitored: int | None
    """As it last said; without the recorder, IDE windows that are open."""
    events_captured: int | None
    """As recorded; without the recorder, messages of it in the stream."""
    last_activity_timestamp: str | None
    silent_ms: int | None
    errors_count: int | None
    """As recorded; without the recorder, errors of the monitors in the last five minutes of the log."""
    ingest_rate_events_per_min: float | None
    """Rows written a minute, mean of the last five minutes."""


class CaptureHealth(Record):
    """What comes in from the editors."""

    cursor_hooks: CursorHooks
    hooks: list[HookHealth]
    database_monitor: DatabaseMonitorHealth
    capture_rate_events_per_min: float | None
    """Messages enqueued a minute, mean of the last five minutes, by the stream."""
    recorded_rate_events_per_min: float | None = None
    """The same as the recorder counted it; null with fewer than two recorded minutes."""
    open_sessions: int | None
    """IDE windows without an end that began within the session limit; null when the database cannot tell."""
    longest_open_ms: int | None
    """Since the first of them began."""
    sessions_cause: str = ""
    hooks_cause: str = ""
    last_event_timestamp: str | None = None


class CaptureHealthMonitor(Monitor):
    """Combines the stream (hooks, rates), the database (sessions, rows) and the installed hooks."""

    name: ClassVar[str] = "capture"
    record: ClassVar[type[Record]] = CaptureHealth

    def collect(self) -> CaptureHealth:
        """A record as long as Redis or the database can be read; raises SourceError when neither can."""
        sessions, longest, sessions_cause = self._sessions()
        try:
            ledger = self.examination.ledger()
            now = self.examination.server_info().now_ms
        except SourceError as error:
            if sessions is None:
                raise
            return self._without_stream(sessions, longest, error.message)
        hooks = self._hooks(ledger.last_by_hook, ledger.count_by_hook, now)
        last = max((h.last_seen for h in hooks if h.last_seen), default=None)
        monitor_silent = None if ledger.monitor_last_ms is None else max(0, now - ledger.monitor_last_ms)
        newest = max(ledger.last_by_hook.values(), default=None)
        return CaptureHealth(
            cursor_hooks=CursorHooks(
                **_recorded_hooks(self.examination.recorded()),
                total_executions=sum(h.seen for h in hooks),
                last_execution_timestamp=last,
                hooks_active={h.name: h.silent_ms is not None and h.silent_ms <= ACTIVE_MS for h in hooks},
            ),
            hooks=hooks,
            database_monitor=DatabaseMonitorHealth(
                active=monitor_silent is not None and monitor_silent <= ACTIVE_MS,
                last_activity_timestamp=_time(ledger.monitor_last_ms),
                silent_ms=monitor_silent,
                ingest_rate_events_per_min=self._ingest_rate(),
                **self._work_of_monitors(sessions, ledger.monitor_events),
            ),
            capture_rate_events_per_min=round(ledger.last_five_minutes / RATE_MINUTES, 2),
            recorded_rate_events_per_min=self._recorded_rate(now),
            open_sessions=sessions,
            longest_open_ms=longest,
            sessions_cause=sessions_cause,
            last_event_timestamp=_time(newest),
        )

    def _without_stream(self, sessions: int, longest: int | None, cause: str) -> CaptureHealth:
        return CaptureHealth(
            cursor_hooks=CursorHooks(total_executions=None),
            hooks=[],
            database_monitor=DatabaseMonitorHealth(
                active=None,
                sessions_monitored=sessions,
                events_captured=None,
                last_activity_timestamp=None,
                silent_ms=None,
                errors_count=self.examination.log().monitor_errors,
                ingest_rate_events_per_min=self._ingest_rate(),
            ),
            capture_rate_events_per_min=None,
            open_sessions=sessions,
            longest_open_ms=longest,
            hooks_cause=cause,
        )

    def _hooks(self, last: dict[str, int], count: dict[str, int], now: int) -> list[HookHealth]:
        settings = self.examination.settings
        installed = installed_hooks(settings.cursor_hooks)
        hooks = []
        for name in CURSOR_HOOKS:
            silent = None if name not in last else max(0, now - last[name])
            configured = name in settings.expected_hooks
            hooks.append(
                HookHealth(
                    name=name,
                    installed=name in installed,
                    configured=configured,
                    expected=configured or name in installed or (silent is not None and silent <= 7 * DAY_MS),
                    seen=count.get(name, 0),
                    last_seen=_time(last.get(name)),
                    silent_ms=silent,
                )
            )
        return hooks

    def _sessions(self) -> tuple[int | None, int | None, str]:
        """Open IDE windows, since when (ms), and why that is not known."""
        examination = self.examination
        try:
            if SESSIONS_TABLE not in examination.tables():
                return None, None, f"the database has no table {SESSIONS_TABLE}"
            rows = examination.database.rows(f"SELECT started_at FROM {SESSIONS_TABLE} WHERE ended_at IS NULL")
        except SourceError as error:
            return None, None, error.message
        limit = examination.now - timedelta(hours=examination.settings.session_timeout_hours)
        begun = [moment for (text,) in rows if (moment := parse_time(str(text))) and moment >= limit]
        longest = max(((examination.now - moment).total_seconds() * 1000 for moment in begun), default=None)
        return len(begun), None if longest is None else max(0, int(longest)), ""

    def _work_of_monitors(self, sessions: int | None, events: int | None) -> dict[str, int | None]:
        """What the monitors did as recorded; where nothing is recorded, as the other sources show it."""
        recorded = self.examination.recorded().monitors
        found = [recorded[name] for name in CURSOR_MONITORS if name in recorded]
        said = _together(m.sessions for m in found)
        captured = _together(m.events for m in found)
        return {
            "sessions_monitored": sessions if said is None else said,
            "events_captured": events if captured is None else captured,
            "errors_count": sum(m.errors for m in found) if found else self.examination.log().monitor_errors,
        }

    def _recorded_rate(self, now: int) -> float | None:
        if self.examination.recorded().minutes_recorded < 2:  # one minute is no rate
            return None
        lately = read_recorded(self.examination.redis, now, RATE_MINUTES)
        return None if lately.captured is None else round(lately.captured * MINUTE_MS / (now - lately.since_ms), 2)

    def _ingest_rate(self) -> float | None:
        try:
            return round(self.examination.written().last_five_minutes / 5, 2)
        except SourceError:
            return None


def installed_hooks(path: Path) -> set[str]:
    """The Cursor hooks that a hooks.json installs; empty when there is none or it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {name for name, commands in content["hooks"].items() if commands}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()


def _recorded_hooks(recorded: Recorded) -> dict[str, Any]:
    """What the recorder counted of Cursor's hooks."""
    hooks = recorded.hooks_of(CURSOR)
    if not hooks:
        cause = recorded.cause or f"no hook was recorded in the last {recorded.minutes} min"
        return {"recorded_cause": cause, "recorded_hint": recorded.hint}
    return {
        "success_count": sum(hook.ok for hook in hooks),
        "failure_count": sum(hook.failed for hook in hooks),
        "success_rate": recorded.hook_success_percent(CURSOR),
        "recorded_minutes": recorded.minutes_with_hooks,
    }


def _together(numbers: Iterable[int | None]) -> int | None:
    """The sum of those that are known; None when none is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else iso(from_milliseconds(milliseconds))
