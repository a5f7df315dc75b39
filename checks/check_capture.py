"""Capture: does anything come in while somebody works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import hinted, not_graded
from blueplane_doctor.pipeline import EVERY_TURN_HOOKS
from blueplane_doctor.times import span

if TYPE_CHECKING:
    from blueplane_doctor.monitoring.capture_health import CaptureHealth, CursorHooks, HookHealth

MINUTE_MS = 60_000
REINSTALL = Remedy(
    text="See whether the hooks are still in Cursor's hooks.json and whether the server answers on its port.",
    commands=["cat ~/.cursor/hooks.json", "curl -s http://127.0.0.1:8787/health"],
)


MEASURE = Remedy(
    text="A failed hook leaves nothing behind; only a recorder can count it. Start the server with one.",
    commands=["blueplane-doctor instrument -- python scripts/start_server.py"],
)
RECORDED_MINUTES = 2
"""A colour that rests on a rate needs two samples: recorded minutes with hooks."""


@check(area="capture", scale=Scale.rising(yellow_above=5, orange_above=15, red_above=60, unit="min"))
def check_hook_inactivity(capture: CaptureHealth, scale: Scale) -> Finding:
    """How long the expected Cursor hooks have been silent while an IDE window is open.

    Expected is a hook that is installed, set as expected, or was seen within seven days. Graded are those that the
    settings expect and those that fire with every turn; the others fire only when a tool or a file is used, so they
    count only where no other is expected, and then the least silent of them.

    Causes:
    - the hooks are not in Cursor's hooks.json any more, or name a program that is gone
    - Cursor may still run with the hooks.json of its start: restart it
    - the server does not answer on the port that they call (see server-alive, hook-spool)
    - a window that is open and in which nobody works: then this is no fault
    """
    evidence = {h.name: "never seen" if h.silent_ms is None else f"{span(h.silent_ms)} ago" for h in capture.hooks}
    if capture.hooks_cause:
        return unknown("Whether hooks fire cannot be told", capture.hooks_cause)
    if capture.open_sessions is None:
        return unknown("Whether anybody works is not known", capture.sessions_cause, evidence=evidence)
    if capture.open_sessions == 0:
        return not_graded(None, "No IDE window is open; silent hooks mean nothing", evidence=evidence)
    expected = [h for h in capture.hooks if h.expected]
    if not expected:
        return unknown(
            "No Cursor hook is expected",
            "none is installed, none is set as expected, and none was seen within seven days",
            remedy=REINSTALL,
            evidence=evidence,
        )
    hook, silent = _most_telling(expected, capture.longest_open_ms or 0)
    fired = "was never seen" if hook.silent_ms is None else f"fired {span(hook.silent_ms)} ago"
    said = f"{hook.name} {fired}; {_open_for(capture.open_sessions, capture.longest_open_ms or 0)}"
    return scale.grade(round(silent / MINUTE_MS, 3), said, remedy=REINSTALL, evidence=evidence)


@check(area="capture", scale=Scale.falling(yellow=99, orange_below=95, red_below=90, unit="%", highest=100))
def check_hook_success(capture: CaptureHealth, scale: Scale) -> Finding:
    """How many of 100 hook executions deliver their event.

    A hook that fails leaves nothing behind in the pipeline, so only the recorder inside the server can count it.
    Without one this is unknown; hook-spool and hook-losses count what blueplane-hook itself could not deliver.

    Causes:
    - the server does not answer, or refuses the events
    - Redis is away, so that the server cannot enqueue
    """
    hooks = capture.cursor_hooks
    evidence = {
        "executions seen in the stream": hooks.total_executions,
        "recorded minutes": hooks.recorded_minutes,
        "recorded as delivered": hooks.success_count,
        "recorded as failed": hooks.failure_count,
    }
    if hooks.success_rate is None or hooks.recorded_minutes < RECORDED_MINUTES:
        return unknown(
            "How many hook executions fail is not known",
            _not_measured(hooks),
            remedy=hinted(hooks.recorded_hint, MEASURE),
            evidence=evidence,
        )
    return scale.grade(
        hooks.success_rate, f"{hooks.success_rate:g} % of hook executions succeed", remedy=REINSTALL, evidence=evidence
    )


@check(area="capture", scale=Scale.falling(yellow=10, orange_below=5, red_below=1, unit="events/min"))
def check_capture_rate(capture: CaptureHealth, scale: Scale) -> Finding:
    """Messages enqueued a minute (mean of the last five), graded only while an IDE window is open.

    The stream forgets what it trims, and the recorder counts only the processes that it is in: both are lower
    bounds, so the larger is judged.

    Causes:
    - hooks that do not fire (see hook-inactivity)
    - the database monitor does not see anything (see database-monitor)
    - a window that is open and in which nobody works: then this is no fault
    """
    by_stream, recorded = capture.capture_rate_events_per_min, capture.recorded_rate_events_per_min
    rate = max((known for known in (by_stream, recorded) if known is not None), default=None)
    if rate is None:
        return unknown("How much comes in cannot be told", capture.hooks_cause)
    evidence = {"last event": capture.last_event_timestamp, "by the stream": by_stream, "by the recorder": recorded}
    if capture.open_sessions is None:
        return unknown(
            f"{_a_minute(rate)}; whether that is little is not known",
            capture.sessions_cause,
        )
    if capture.open_sessions == 0:
        said = f"{_a_minute(rate)}; no IDE window is open, so nothing is asked of it"
        return not_graded(rate, said, unit=scale.unit, evidence=evidence)
    return scale.grade(
        rate,
        f"{_a_minute(rate)} {'comes' if rate == 1 else 'come'} in while {_windows(capture.open_sessions)} open",
        remedy=REINSTALL,
        evidence={"open_sessions": capture.open_sessions} | evidence,
    )


@check(
    area="capture",
    scale=Scale.states(green="active", yellow="intermittent", orange="inactive", red="down"),
)
def check_database_monitor(capture: CaptureHealth, scale: Scale) -> Finding:
    """Whether Cursor's database monitor sees anything, graded only while an IDE window is open.

    Active: an event within 5 minutes; intermittent: within 15; inactive: within an hour; down: longer ago. A window
    that was opened more recently than that counts from its opening.

    Causes:
    - the server runs without the monitor, or does not find Cursor's database
    - Cursor changed the place or the form of its database with an update
    - a window that is open and in which nobody works: then this is no fault
    """
    monitor = capture.database_monitor
    evidence = monitor.model_dump()
    if capture.hooks_cause:
        return unknown("Whether the database monitor works cannot be told", capture.hooks_cause)
    if capture.open_sessions is None:
        return unknown("Whether the database monitor has anything to see is not known", capture.sessions_cause)
    if capture.open_sessions == 0:
        return not_graded(None, "No IDE window is open; the database monitor has nothing to see", evidence=evidence)
    if monitor.silent_ms is None and not monitor.events_captured and not capture.cursor_hooks.total_executions:
        silent = capture.longest_open_ms or 0
    else:
        silent = min(s for s in (monitor.silent_ms, capture.longest_open_ms or 0) if s is not None)
    minutes = silent / MINUTE_MS
    state = "active" if minutes <= 5 else "intermittent" if minutes <= 15 else "inactive" if minutes <= 60 else "down"
    said = (
        "nothing of it is in the stream" if monitor.silent_ms is None else f"last event {span(monitor.silent_ms)} ago"
    )
    return scale.grade(
        state,
        f"The database monitor is {state}: {said}",
        remedy=Remedy(text="Restart the Blueplane server; its log says which Cursor databases it found."),
        evidence=evidence,
    )


def _not_measured(hooks: CursorHooks) -> str:
    """Why the recorder's numbers cannot be judged."""
    if hooks.recorded_cause:
        return f"a failed hook leaves nothing behind, only a recorder can count it: {hooks.recorded_cause}"
    if hooks.recorded_minutes:
        return f"hooks were recorded in {hooks.recorded_minutes} of at least {RECORDED_MINUTES} minutes"
    return "a failed hook leaves nothing behind; only a recorder can count it, and none is running"


def _a_minute(rate: float) -> str:
    return f"{rate:g} {'event' if rate == 1 else 'events'} a minute"


def _windows(count: int) -> str:
    return "an IDE window is" if count == 1 else f"{count} IDE windows are"


def _open_for(count: int, milliseconds: int) -> str:
    if count == 1:
        return f"an IDE window has been open for {span(milliseconds)}"
    return f"{count} IDE windows are open, one of them for {span(milliseconds)}"


def _most_telling(expected: list[HookHealth], open_for_ms: int) -> tuple[HookHealth, int]:
    """The hook to judge by, and its silence: not longer than the window has been open."""

    def silence(hook: HookHealth) -> int:
        return open_for_ms if hook.silent_ms is None else min(hook.silent_ms, open_for_ms)

    graded = [h for h in expected if h.configured or h.name in EVERY_TURN_HOOKS]
    hook = max(graded, key=silence) if graded else min(expected, key=silence)
    return hook, silence(hook)
