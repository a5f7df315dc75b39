"""Causes that lie before the stream: nothing is captured, hooks cannot deliver, or clocks disagree."""

from typing import TYPE_CHECKING

from blueplane_doctor import Cause, Findings, Remedy, Stake, Status, cause

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.capture_health import CaptureHealth
    from blueplane_doctor.monitoring.capture_wiring import CaptureWiring
    from blueplane_doctor.monitoring.spool_health import SpoolHealth

_WIRING = "capture-wiring"
_CURSOR_COMPLETENESS = "cursor-completeness"
_EXTENSION_MISSING = "extension_missing"
_SIGNS = ("hook-inactivity", "database-monitor", "capture-rate", "hook-success")
_NOT_DELIVERED = ("hook-losses", "hook-spool")


def _is_silent(findings: Findings) -> bool:
    """Whether something that should capture is silent: few events alone may be little work."""
    if findings.bad("hook-inactivity") or findings.bad("database-monitor") or findings.bad("hook-success"):
        return True
    rate = findings.get("capture-rate")
    return rate is not None and rate.status is Status.RED


def _signs_of(wiring: "CaptureWiring") -> list[str]:
    """What follows from its faults: what is graded of hooks and of the database monitor is Cursor's alone."""
    kinds = set()
    for fault in wiring.faults:
        if fault.editor == "cursor":
            kinds.add(fault.kind)
    signs = [_WIRING]
    if kinds:
        signs += _SIGNS
    if _EXTENSION_MISSING in kinds:
        signs.append(_CURSOR_COMPLETENESS)
    return signs


@cause(
    no_repair="No repair brings back what was never captured.",
    stage="capture",
    shown_by=[_WIRING, _CURSOR_COMPLETENESS, *_SIGNS],
    follows=["server-down", "server-hangs", "redis-unreachable", "redis-refuses-writes", "another-redis"],
)
def cause_capture_not_wired(
    capture: "CaptureHealth", wiring: "CaptureWiring", findings: Findings, locations: "Locations"
) -> Cause | None:
    """An editor is not connected, or sends nothing while somebody works.

    What is sure to keep its events away is told without a session too: the next one would be lost.
    """
    finding = findings.fault(_WIRING)
    if finding is not None and finding.status is not Status.YELLOW:
        return findings.cause(_WIRING, explains=_signs_of(wiring))
    if not capture.open_sessions or not _is_silent(findings):
        return None
    sentences = []
    for check in _SIGNS:
        sign = findings.fault(check)
        if sign is not None:
            sentences.append(f"{sign.summary.partition(';')[0]}.")
    return Cause(
        summary=" ".join(sentences[:2]),
        explains=[_WIRING, *_SIGNS],
        since=capture.last_event_timestamp,
        since_by="the newest event",
        certain=False,
        confirm="that somebody works in the open window, and that Cursor reads these hooks",
        next_step=Remedy(
            text="See whether the hooks are still in Cursor's hooks.json; restart Cursor if they are.",
            commands=[f"cat {locations.cursor_hooks}"],
        ),
    )


@cause(
    repair="spool",
    stage="capture",
    shown_by=_NOT_DELIVERED,
    brings=["hook-success"],
    follows=[
        *("server-down", "server-hangs", "redis-unreachable", "redis-refuses-writes", "disk-full"),
        "redis-connections-used-up",
    ],
)
def cause_hooks_cannot_deliver(spool: "SpoolHealth", findings: Findings) -> Cause | None:
    """Hooks could not hand their events to the server."""
    return findings.cause(*_NOT_DELIVERED, at_stake=Stake(at_risk=spool.waiting_events, lost=spool.lost or None))


@cause(
    no_repair="No repair sets a clock.",
    stage="capture",
    shown_by=["clock-skew"],
    brings=["consumer-lag", "stuck-consumers"],
)
def cause_clock_wrong(findings: Findings) -> Cause | None:
    """The clocks of Redis and of this machine disagree."""
    return findings.cause("clock-skew", more="Ages and rates are wrong by as much; nothing is lost.")
