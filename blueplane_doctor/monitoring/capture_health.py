"""Capture: do hooks fire, does the database monitor see anything, is anybody working at all."""

import json
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from blueplane_doctor.errors import SourceError
from blueplane_doctor.model import Record
from blueplane_doctor.monitoring.base import Monitor
from blueplane_doctor.pipeline import CURSOR_HOOKS, SESSIONS_TABLE
from blueplane_doctor.times import from_milliseconds, iso, parse_time

DAY_MS = 86_400_000
ACTIVE_MS = 3_600_000
"""A hook counts as active when it fired within the last hour."""


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
    """All Cursor hooks together; what only the recorder can measure is null without it."""

    total_executions: int | None
    """Messages of the six hooks in the stream."""
    success_count: int | None = None
    failure_count: int | None = None
    success_rate: float | None = None
    """Percent."""
    last_execution_timestamp: str | None = None
    hooks_active: dict[str, bool] = {}
    """For each of the six: fired within the last hour."""


class DatabaseMonitorHealth(Record):
    """Cursor's database monitor, by what it enqueued."""

    active: bool | None
    sessions_monitored: int | None
    """IDE windows that are open."""
    events_captured: int | None
    """Messages of it in the stream."""
    last_activity_timestamp: str | None
    silent_ms: int | None
    errors_count: int | None
    """Errors of the monitors in the last five minutes of the log."""
    ingest_rate_events_per_min: float | None
    """Rows written a minute, mean of the last five minutes."""


class CaptureHealth(Record):
    """What comes in from the editors."""

    cursor_hooks: CursorHooks
    hooks: list[HookHealth]
    database_monitor: DatabaseMonitorHealth
    capture_rate_events_per_min: float | None
    """Messages enqueued a minute, mean of the last five minutes."""
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
                total_executions=sum(h.seen for h in hooks),
                last_execution_timestamp=last,
                hooks_active={h.name: h.silent_ms is not None and h.silent_ms <= ACTIVE_MS for h in hooks},
            ),
            hooks=hooks,
            database_monitor=DatabaseMonitorHealth(
                active=monitor_silent is not None and monitor_silent <= ACTIVE_MS,
                sessions_monitored=sessions,
                events_captured=ledger.monitor_events,
                last_activity_timestamp=_time(ledger.monitor_last_ms),
                silent_ms=monitor_silent,
                errors_count=self.examination.log().monitor_errors,
                ingest_rate_events_per_min=self._ingest_rate(),
            ),
            capture_rate_events_per_min=round(ledger.last_five_minutes / 5, 2),
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


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else iso(from_milliseconds(milliseconds))
