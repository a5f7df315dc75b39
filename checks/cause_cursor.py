"""The cause of what is in Cursor's databases and was not captured."""

from typing import TYPE_CHECKING

from blueplane_doctor import Cause, Findings, Stake, cause

if TYPE_CHECKING:
    from blueplane_doctor.monitoring.capture_wiring import CaptureWiring
    from blueplane_doctor.monitoring.cursor_completeness import CursorCompleteness

_EXTENSION_MISSING = "extension_missing"
_COMPLETENESS = "cursor-completeness"


@cause(
    stage="capture",
    shown_by=[_COMPLETENESS],
    no_repair="The server reads a database of Cursor anew when it starts, and when a window opens.",
    follows=["server-down", "server-hangs", "redis-unreachable", "redis-refuses-writes", "another-redis"],
)
def cause_cursor_not_captured(
    cursor: "CursorCompleteness", wiring: "CaptureWiring", findings: Findings
) -> Cause | None:
    """Composers or bubbles of Cursor were never captured."""
    if any(fault.kind == _EXTENSION_MISSING for fault in wiring.faults):
        return None  # without the extension the server is told of no window: capture-not-wired says so
    return findings.cause(
        _COMPLETENESS,
        since=cursor.first_missing,
        since_by="the first missing change",
        at_stake=Stake(recoverable=cursor.missing_items),
    )
