"""Capture: do hooks fire, does the database monitor see anything, is anybody working at all."""

import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.errors import SourceError
from blueplane_doctor.model import Record
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.pipeline import CURSOR_HOOKS, SESSIONS_TABLE
from blueplane_doctor.recording.reading import read_recorded
from blueplane_doctor.times import MINUTE_MS, from_milliseconds, iso, parse_time

DAY_MS = 86_400_000
ACTIVE_MS = 3_600_000
"""A hook counts as active when it fired within the last hour."""
RATE_MINUTES = 5
"""The rate of capture is a mean of so many."""
CURSOR, CURSOR_MONITORS = "cursor", ("unified_cursor_monitor", "cursor_database_monitor")
"""The platform of Cursor's hooks and the names of its database monitors, as they are recorded."""


class HookHealth(Record):
    """One Cursor hook."""

    name: str
    installed: bool
    configured: bool
    """Whether the settings expect it."""
    expected: bool
    """Installed, configured, or seen within the last seven days."""
    seen: int
    """Messages of it in the stream."""
    last_seen: str | None
    silent_ms: int | None
    """Since its newest message; null when there is none."""


class CursorHooks(Record):
    """All Cursor hooks together; what only the recorder measures is of the last hour, and null without it."""

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
    """Cursor's database monitor, by what it enqueued, or by what the recorder counted in the last hour."""

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

    name = "capture"
    record = CaptureHealth

    def collect(self) -> CaptureHealth:
        """A record as long as Redis or the database can be read; raises SourceError when neither can."""
        examination = self.examination
        sessions, longest, sessions_cause = self._sessions()
        ledger, now, cause, hooks = None, examination.now_ms(), "", list[HookHealth]()
        try:
            ledger, now = examination.ledger(), examination.server_info().now_ms
            hooks = self._hooks(ledger, now)
        except SourceError as error:
            if sessions is None:
                raise
            cause = error.message
        return CaptureHealth(
            cursor_hooks=self._cursor_hooks(hooks) if ledger else CursorHooks(total_executions=None),
            hooks=hooks,
            database_monitor=self._database_monitor(sessions, ledger, now),
            capture_rate_events_per_min=round(ledger.last_five_minutes / RATE_MINUTES, 2) if ledger else None,
            recorded_rate_events_per_min=self._recorded_rate(now) if ledger else None,
            open_sessions=sessions,
            longest_open_ms=longest,
            sessions_cause=sessions_cause,
            hooks_cause=cause,
            last_event_timestamp=_time(max(ledger.last_by_hook.values(), default=None)) if ledger else None,
        )

    def _sessions(self) -> tuple[int | None, int | None, str]:
        """Open IDE windows, since when (ms), and why that is not known."""
        examination = self.examination
        try:
            if SESSIONS_TABLE not in examination.tables():
                return None, None, f"the database has no table {SESSIONS_TABLE}"
            rows = examination.database.rows(f"SELECT started_at FROM {SESSIONS_TABLE} WHERE ended_at IS NULL")
        except SourceError as error:
            return None, None, error.message
        limit = timedelta(hours=examination.settings.session_timeout_hours)
        begun = (parse_time(str(text)) for (text,) in rows)
        ages = [age for moment in begun if moment and (age := examination.now - moment) <= limit]
        return len(ages), max(0, int(max(ages) / timedelta(milliseconds=1))) if ages else None, ""

    def _hooks(self, ledger: Ledger, now: int) -> list[HookHealth]:
        settings = self.examination.settings
        installed = installed_hooks(settings.cursor_hooks)
        hooks = []
        for name in CURSOR_HOOKS:
            last = ledger.last_by_hook.get(name)
            silent = None if last is None else max(0, now - last)
            configured = name in settings.expected_hooks
            hooks.append(
                HookHealth(
                    name=name,
                    installed=name in installed,
                    configured=configured,
                    expected=configured or name in installed or (silent is not None and silent <= 7 * DAY_MS),
                    seen=ledger.count_by_hook[name],
                    last_seen=_time(last),
                    silent_ms=silent,
                )
            )
        return hooks

    def _cursor_hooks(self, hooks: list[HookHealth]) -> CursorHooks:
        recorded = self.examination.recorded()
        counted = recorded.hooks_of(CURSOR)
        nothing = recorded.cause or f"no hook was recorded in the last {recorded.minutes} min"
        return CursorHooks(
            total_executions=sum(hook.seen for hook in hooks),
            success_count=_total(hook.ok for hook in counted),
            failure_count=_total(hook.failed for hook in counted),
            success_rate=recorded.hook_success_percent(CURSOR),
            recorded_minutes=recorded.minutes_with_hooks if counted else 0,
            recorded_cause="" if counted else nothing,
            recorded_hint=recorded.hint,
            last_execution_timestamp=max((hook.last_seen for hook in hooks if hook.last_seen), default=None),
            hooks_active={hook.name: _is_active(hook.silent_ms) for hook in hooks},
        )

    def _database_monitor(self, sessions: int | None, ledger: Ledger | None, now: int) -> DatabaseMonitorHealth:
        """What the monitors did as recorded; where nothing is recorded, as the other sources show it."""
        recorded = self.examination.recorded().monitors
        found = [recorded[name] for name in CURSOR_MONITORS if name in recorded]
        last = ledger.monitor_last_ms if ledger else None
        silent = None if last is None else max(0, now - last)
        said, captured = _total(m.sessions for m in found), _total(m.events for m in found)
        return DatabaseMonitorHealth(
            active=_is_active(silent) if ledger else None,
            sessions_monitored=sessions if said is None else said,
            events_captured=ledger.monitor_events if captured is None and ledger else captured,
            last_activity_timestamp=_time(last),
            silent_ms=silent,
            errors_count=sum(m.errors for m in found) if found else self.examination.log().monitor_errors,
            ingest_rate_events_per_min=self._ingest_rate(),
        )

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


def _total(numbers: Iterable[int | None]) -> int | None:
    """The sum of those that are known; None when none is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _is_active(silent_ms: int | None) -> bool:
    return silent_ms is not None and silent_ms <= ACTIVE_MS


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else iso(from_milliseconds(milliseconds))


MONITOR = CaptureHealthMonitor
