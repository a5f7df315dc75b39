"""Causes that lie before the stream: nothing is captured, or clocks disagree."""

from typing import TYPE_CHECKING

from blueplane_doctor import Cause, Findings, Remedy, cause

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.capture_health import CaptureHealth

SIGNS = ("hook-inactivity", "capture-rate", "database-monitor", "hook-success")


@cause(stage="capture", shown_by=SIGNS, follows=["server-down", "server-hangs", "redis-unreachable"])
def cause_capture_not_wired(capture: "CaptureHealth", findings: Findings, locations: "Locations") -> Cause | None:
    """Nothing is captured while somebody works."""
    silent = [check for check in SIGNS if findings.bad(check)]
    if not silent or not capture.open_sessions:
        return None
    sentences = []
    for check in silent[:2]:
        finding = findings.get(check)
        if finding is not None:
            sentences.append(f"{finding.summary.partition(';')[0]}.")
    return Cause(
        summary=" ".join(sentences),
        since=capture.last_event_timestamp,
        since_by="the newest event" if capture.last_event_timestamp else "",
        certain=False,
        confirm="that somebody works in the open window, and hooks.json as Cursor reads it",
        next_step=Remedy(
            text="See whether the hooks are still in Cursor's hooks.json; restart Cursor if they are.",
            commands=[f"cat {locations.cursor_hooks}"],
        ),
    )


@cause(stage="capture", shown_by=["clock-skew"], brings=["consumer-lag", "stuck-consumers"])
def cause_clock_wrong(findings: Findings) -> Cause | None:
    """The clocks of Redis and of this machine disagree."""
    finding = findings.get("clock-skew")
    if finding is None or not findings.bad("clock-skew"):
        return None
    return Cause(
        summary=f"{finding.summary}. Ages and rates are wrong by as much; nothing is lost.", next_step=finding.remedy
    )
