"""Capture: do hooks fire, does the database monitor see anything, is anybody working at all."""

from datetime import timedelta
from typing import NamedTuple

from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.errors import SourceError
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.monitoring.cursor_hooks import (
    CursorHooks,
    HookHealth,
    all_hooks,
    hook_healths,
    installed_hooks,
    is_active,
    sum_of_known,
)
from blueplane_doctor.pipeline import SESSIONS_TABLE
from blueplane_doctor.privacy.public_fields import SourceName
from blueplane_doctor.recording.reading import read_recorded
from blueplane_doctor.records.base import Record
from blueplane_doctor.text.times import MINUTE_MS, iso_if_known, milliseconds_since, parse_time

_RATE_MINUTES = 5
"""The rate of capture is a mean of so many."""
_CURSOR_MONITORS = ("unified_cursor_monitor", "cursor_database_monitor")
"""The names of Cursor's database monitors, as they are recorded."""


class DatabaseMonitorHealth(Record):
    """Cursor's database monitor, by what it enqueued, or by what the recorder counted in the last hour."""

    active: bool | None
    """Whether it enqueued a message within the last hour; null when the stream cannot be read."""
    sessions_monitored: int | None
    """As it last reported; without the recorder, IDE windows that are open."""
    events_captured: int | None
    """As recorded; without the recorder, messages of it in the stream."""
    last_activity_timestamp: str | None
    """Time of its newest message; null when there is none."""
    silent_ms: int | None
    """Since its newest message; null when there is none."""
    errors_count: int | None
    """As recorded; without the recorder, errors of the monitors in the last five minutes of the log."""
    ingest_rate_events_per_min: float | None
    """Rows written a minute, mean of the last five minutes."""
    unknown_sources: list[SourceName] = []
    """Sources of its messages that the doctor does not know."""


class CaptureHealth(Record):
    """What comes in from the editors."""

    cursor_hooks: CursorHooks
    """All six together."""
    hooks: list[HookHealth]
    """Each of the six; empty when the stream cannot be read."""
    database_monitor: DatabaseMonitorHealth
    """What Cursor's database monitor did."""
    untimed_messages: int = 0
    """Messages whose stream ID is ahead of the clock and of which no field tells when they came: rates leave them out.
    """
    capture_rate_events_per_min: float | None
    """Messages enqueued a minute, by the stream: mean of the last five minutes, or since the first window opened."""
    recorded_rate_events_per_min: float | None = None
    """The same as the recorder counted it; null with fewer than two recorded minutes."""
    open_sessions: int | None
    """IDE windows without an end that began within the session limit; null when the database cannot tell."""
    longest_open_ms: int | None
    """Since the first of them began."""
    sessions_cause: str = ""
    """Why the open windows are not known."""
    hooks_cause: str = ""
    """Why the stream could not be read."""
    installed_cause: str = ""
    """Why Cursor's hooks.json, which is there, does not tell which hooks are installed."""
    last_event_timestamp: str | None = None
    """Time of the newest message of any hook."""


class _Sessions(NamedTuple):
    """IDE windows that are open."""

    number: int | None = None
    """None when it is not known."""
    longest_ms: int | None = None
    """Since the first of them began."""
    cause: str = ""
    """Why the number is not known."""


class CaptureHealthMonitor(Monitor):
    """Combines the stream (hooks, rates), the database (sessions, rows) and the installed hooks."""

    name = "capture"
    record = CaptureHealth

    def collect(self) -> CaptureHealth:
        """A record as long as Redis or the database can be read; raises SourceError when neither can."""
        examination = self.examination
        sessions = self._sessions()
        try:
            ledger = examination.ledger()
            now = examination.server_info().now_ms
        except SourceError as error:
            if sessions.number is None:
                raise
            return CaptureHealth(
                cursor_hooks=CursorHooks(total_executions=None),
                hooks=[],
                database_monitor=self._database_monitor(sessions.number, None, examination.now_ms()),
                capture_rate_events_per_min=None,
                open_sessions=sessions.number,
                longest_open_ms=sessions.longest_ms,
                sessions_cause=sessions.cause,
                hooks_cause=error.message,
            )
        installed = installed_hooks(examination.settings.cursor_hooks)
        hooks = hook_healths(examination, installed.names)
        return CaptureHealth(
            cursor_hooks=all_hooks(hooks, examination.recorded()),
            hooks=hooks,
            database_monitor=self._database_monitor(sessions.number, ledger, now),
            capture_rate_events_per_min=_rate(ledger, now, sessions.longest_ms),
            recorded_rate_events_per_min=self._recorded_rate(now),
            open_sessions=sessions.number,
            longest_open_ms=sessions.longest_ms,
            sessions_cause=sessions.cause,
            installed_cause=installed.cause,
            untimed_messages=ledger.untimed,
            last_event_timestamp=iso_if_known(max(ledger.last_by_hook.values(), default=None)),
        )

    def _sessions(self) -> "_Sessions":
        examination = self.examination
        try:
            if SESSIONS_TABLE not in examination.tables():
                return _Sessions(cause=f"the database has no table {SESSIONS_TABLE}")
            rows = examination.database.rows(f"SELECT started_at FROM {SESSIONS_TABLE} WHERE ended_at IS NULL")
        except SourceError as error:
            return _Sessions(cause=error.message)
        limit = timedelta(hours=examination.settings.session_timeout_hours)
        ages = []
        for (text,) in rows:
            began = parse_time(str(text))
            if began is not None and examination.now - began <= limit:
                ages.append(examination.now - began)
        if not ages:
            return _Sessions(number=0)
        longest_ms = int(max(ages) / timedelta(milliseconds=1))
        return _Sessions(number=len(ages), longest_ms=max(0, longest_ms))  # the clock may have been set back since

    def _database_monitor(self, sessions: int | None, ledger: Ledger | None, now: int) -> DatabaseMonitorHealth:
        """What the monitors did as recorded; where nothing is recorded, as the other sources show it."""
        recorded = self.examination.recorded().monitors
        monitors = []
        for name in _CURSOR_MONITORS:
            if name in recorded:
                monitors.append(recorded[name])
        recorded_sessions = sum_of_known(monitor.sessions for monitor in monitors)
        if recorded_sessions is not None:
            sessions = recorded_sessions
        captured = sum_of_known(monitor.events for monitor in monitors)
        errors = self.examination.log().monitor_errors
        if monitors:
            errors = sum(monitor.errors for monitor in monitors)
        last = None
        active = None
        if ledger:
            last = ledger.monitor_last_ms
            active = is_active(milliseconds_since(last, now))
            if captured is None:
                captured = ledger.monitor_events
        return DatabaseMonitorHealth(
            active=active,
            sessions_monitored=sessions,
            events_captured=captured,
            last_activity_timestamp=iso_if_known(last),
            silent_ms=milliseconds_since(last, now),
            errors_count=errors,
            ingest_rate_events_per_min=self._ingest_rate(),
            unknown_sources=sorted(ledger.unknown_sources) if ledger else [],
        )

    def _recorded_rate(self, now: int) -> float | None:
        if self.examination.recorded().minutes_recorded < 2:  # one minute is no rate
            return None
        recent = read_recorded(self.examination.redis, now, _RATE_MINUTES)
        if recent.captured is None:
            return None
        # Recorded minutes are whole ones, so that the time covered is not exactly _RATE_MINUTES.
        return round(recent.captured * MINUTE_MS / (now - recent.since_ms), 2)

    def _ingest_rate(self) -> float | None:
        try:
            return round(self.examination.written().last_five_minutes / 5, 2)
        except SourceError:
            return None


def _rate(ledger: Ledger, now: int, open_ms: int | None) -> float:
    """Messages a minute. A window that opened a moment ago is judged by its own time, at least a minute."""
    duration_ms = _RATE_MINUTES * MINUTE_MS
    if open_ms is None or open_ms >= duration_ms:
        return round(ledger.last_five_minutes / _RATE_MINUTES, 2)
    duration_ms = max(open_ms, MINUTE_MS)
    return round(ledger.count_since(now - duration_ms) * MINUTE_MS / duration_ms, 2)


MONITOR = CaptureHealthMonitor
