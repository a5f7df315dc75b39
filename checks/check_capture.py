"""Capture: does anything come in while somebody works."""

from typing import TYPE_CHECKING, Any

from blueplane_doctor import Finding, Remedy, Scale, Status, check, unknown
from blueplane_doctor.checkapi import RECORDED_MINUTES, many, not_graded, unmeasured
from blueplane_doctor.pipeline import EVERY_TURN_HOOKS
from blueplane_doctor.text.times import MINUTE_MS, span

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.capture_health import CaptureHealth


@check(area="capture", scale=Scale.rising(yellow_above=5, orange_above=15, red_above=60, unit="min"))
def check_hook_inactivity(capture: "CaptureHealth", locations: "Locations", scale: Scale) -> Finding:
    """How long the expected Cursor hooks have been silent while an IDE window is open.

    Expected are hooks that are installed, that the settings expect, or that were seen within seven days. Graded are
    those of the settings and those that fire with every turn. Where there are none, the least silent of the others is
    graded: these fire only when a tool or a file is used.

    Causes:
    - the hooks are not in Cursor's hooks.json any more, or name a program that is gone
    - Cursor runs with the hooks.json of its start: restart it
    - the server does not answer on the port that they call (see server-alive, hook-spool)
    - nobody works in the open window: then this is no fault
    """
    evidence = {hook.name: _last_seen(hook.silent_ms) for hook in capture.hooks}
    if capture.installed_cause:
        evidence["hooks.json"] = capture.installed_cause
    finding = _nothing_to_judge(capture, "hooks fire", "so hooks may be silent", evidence)
    if finding:
        return finding
    expected = [hook for hook in capture.hooks if hook.expected]
    if not expected:
        return unknown(
            "No Cursor hook is expected",
            capture.installed_cause
            or "none is installed, none is set as expected, and none was seen within seven days",
            remedy=_look_at_hooks(locations),
            evidence=evidence,
        )
    graded = [hook for hook in expected if hook.configured or hook.name in EVERY_TURN_HOOKS]
    if graded:
        hook = max(graded, key=lambda hook: _silence(capture, hook.silent_ms))
    else:
        hook = min(expected, key=lambda hook: _silence(capture, hook.silent_ms))
    verb = "was" if hook.silent_ms is None else "last fired"
    silent = round(_silence(capture, hook.silent_ms) / MINUTE_MS, 3)
    if capture.untimed_messages and scale.status(silent) is not Status.GREEN:
        return unknown("Whether hooks fire is not known", _untimed(capture), evidence=evidence)
    return scale.grade(
        silent,
        f"{hook.name} {verb} {evidence[hook.name]}; {_open_for(capture)}",
        remedy=_look_at_hooks(locations),
        evidence=evidence,
    )


@check(area="capture", scale=Scale.falling(yellow=99, orange_below=95, red_below=90, unit="%", highest=100))
def check_hook_success(capture: "CaptureHealth", locations: "Locations", scale: Scale) -> Finding:
    """How many of 100 events that Cursor's hooks sent to the server were enqueued.

    An event that was not leaves nothing behind in the pipeline: only the recorder inside the server can count it.
    hook-spool and hook-losses count what blueplane-hook itself could not deliver.

    Causes:
    - Redis cannot be reached or takes no writes, so that the server cannot enqueue
    - the server refuses the events
    """
    hooks = capture.cursor_hooks
    evidence = {
        "executions seen in the stream": hooks.total_executions,
        "recorded minutes": hooks.recorded_minutes,
        "recorded as delivered": hooks.success_count,
        "recorded as failed": hooks.failure_count,
    }
    if hooks.success_rate is None or hooks.recorded_minutes < RECORDED_MINUTES:
        return unmeasured(
            "How many events of hooks could not be enqueued is not known",
            hooks.recorded_minutes,
            hooks.recorded_cause,
            hooks.recorded_hint,
            recorder_ran=hooks.recorder_ran,
            evidence=evidence,
        )
    percent = round(100 * hooks.success_rate, 3)
    summary = f"{percent:g} % of the events that hooks sent in the last hour were enqueued"
    remedy = Remedy(
        text="See in the log why the server could not enqueue the others. If Redis could not be reached "
        "then, nothing else needs to be done.",
        commands=[f"tail -n 50 {locations.log}"],
    )
    return scale.grade(percent, summary, remedy=remedy, evidence=evidence)


@check(area="capture", scale=Scale.falling(yellow=10, orange_below=5, red_below=1, unit="events/min"))
def check_capture_rate(capture: "CaptureHealth", locations: "Locations", scale: Scale) -> Finding:
    """Messages enqueued a minute (mean of the last five), graded only while an IDE window is open.

    A window that opened less than five minutes ago is judged by the time that it is open, and not in its first minute.

    The stream forgets what it trims, and the recorder counts only its own processes: of two lower bounds the larger
    is judged.

    Causes:
    - hooks that do not fire (see hook-inactivity)
    - the database monitor does not see anything (see database-monitor)
    - nobody works in the open window: then this is no fault
    """
    by_stream = capture.capture_rate_events_per_min
    recorded = capture.recorded_rate_events_per_min
    if by_stream is None and recorded is None:
        return unknown("How much comes in is not known", capture.hooks_cause)
    rate = max(by_stream or 0.0, recorded or 0.0)
    evidence = {"last event": capture.last_event_timestamp, "by the stream": by_stream, "by the recorder": recorded}
    number = many(rate, "event a minute", "events a minute")
    if capture.open_sessions is None:
        return unknown(f"{number}; whether that is little is not known", capture.sessions_cause)
    if not capture.open_sessions:
        summary = f"{number}; no IDE window is open, so none are expected"
        return not_graded(rate, summary, unit=scale.unit, evidence=evidence)
    evidence |= {"open_sessions": capture.open_sessions}
    if capture.longest_open_ms is not None and capture.longest_open_ms < MINUTE_MS:
        return not_graded(
            rate, f"Too early to judge {number}; {_open_for(capture)}", unit=scale.unit, evidence=evidence
        )
    if capture.untimed_messages and scale.status(rate) is not Status.GREEN:
        return unknown(f"At least {number}; whether more came is not known", _untimed(capture), evidence=evidence)
    return scale.grade(rate, f"{number}; {_open_for(capture)}", remedy=_look_at_hooks(locations), evidence=evidence)


@check(area="capture", scale=Scale.states(green="active", yellow="intermittent", orange="inactive", red="down"))
def check_database_monitor(capture: "CaptureHealth", scale: Scale) -> Finding:
    """Whether Cursor's database monitor sees anything, graded only while an IDE window is open.

    Active: an event within 5 minutes; intermittent: within 15; inactive: within an hour; down: longer ago. A window
    that was opened since counts from its opening; its first 5 minutes are not graded.

    Causes:
    - the server runs without the monitor, or does not find Cursor's database
    - Cursor changed the place or the form of its database with an update
    - nobody works in the open window: then this is no fault
    """
    monitor = capture.database_monitor
    evidence = monitor.model_dump()
    idle = "the database monitor has nothing to see"
    finding = _nothing_to_judge(capture, "the database monitor works", idle, evidence)
    if finding:
        return finding
    silent = _silence(capture, monitor.silent_ms)
    if monitor.silent_ms is None:
        last = "nothing of it is in the stream"
    else:
        last = f"last event {span(monitor.silent_ms)} ago"
    if silent != monitor.silent_ms:
        last += f"; {_open_for(capture)}"
        if silent <= 5 * MINUTE_MS:
            return not_graded(None, f"Too early to judge the database monitor: {last}", evidence=evidence)
    if monitor.unknown_sources:
        last += f"; the doctor does not know its source {', '.join(monitor.unknown_sources)}"
    state = _monitor_state(silent)
    if capture.untimed_messages and scale.status(state) is not Status.GREEN:
        return unknown("Whether the database monitor works is not known", _untimed(capture), evidence=evidence)
    return scale.grade(
        state,
        f"The database monitor is {state}: {last}",
        remedy=Remedy(text="Restart the Blueplane server; its log names the Cursor databases that it watches."),
        evidence=evidence,
    )


def _nothing_to_judge(capture: "CaptureHealth", what: str, idle: str, evidence: dict[str, Any]) -> Finding | None:
    """The finding where nothing can be judged or nobody works; None where there is something to judge."""
    if capture.hooks_cause:
        return unknown(f"Whether {what} is not known", capture.hooks_cause)
    if capture.open_sessions is None:
        return unknown("Whether anybody works is not known", capture.sessions_cause, evidence=evidence)
    if not capture.open_sessions:
        return not_graded(None, f"No IDE window is open; {idle}", evidence=evidence)
    return None


def _untimed(capture: "CaptureHealth") -> str:
    """Why nobody knows whether something came lately."""
    have = many(capture.untimed_messages, "message has", "messages have")
    return f"{have} a stream ID ahead of the clock, and no enqueued_at that tells when it came"


def _last_seen(silent_ms: int | None) -> str:
    if silent_ms is None:
        return "never seen"
    return f"{span(silent_ms)} ago"


def _monitor_state(silent_ms: int) -> str:
    if silent_ms <= 5 * MINUTE_MS:
        return "active"
    if silent_ms <= 15 * MINUTE_MS:
        return "intermittent"
    if silent_ms <= 60 * MINUTE_MS:
        return "inactive"
    return "down"


def _silence(capture: "CaptureHealth", silent_ms: int | None) -> int:
    """How long something was silent, counted from the opening of the first window."""
    open_ms = capture.longest_open_ms or 0
    if silent_ms is None:
        return open_ms
    return min(silent_ms, open_ms)


def _open_for(capture: "CaptureHealth") -> str:
    duration = span(capture.longest_open_ms or 0)
    if capture.open_sessions == 1:
        return f"an IDE window has been open for {duration}"
    return f"{capture.open_sessions} IDE windows are open, one of them for {duration}"


def _look_at_hooks(locations: "Locations") -> Remedy:
    return Remedy(
        text="See whether the hooks are still in Cursor's hooks.json and whether the server answers on its port.",
        commands=[f"cat {locations.cursor_hooks}", f"curl -s {locations.server_url}/health"],
    )
