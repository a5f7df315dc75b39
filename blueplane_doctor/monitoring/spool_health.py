"""The hook's spool: what `blueplane-hook` could not deliver, and what it lost."""

from blueplane_doctor.model import Record
from blueplane_doctor.monitoring import Monitor
from blueplane_hook.spool import ROOM
from blueplane_hook.state import spool_state


class SpoolHealth(Record):
    """Spool and counters of `blueplane-hook` in Blueplane's home. The counters count since their file was made."""

    waiting_events: int | None
    """Events in the spool, which the next calls that reach the server deliver; null when it cannot be read."""
    waiting_bytes: int | None
    room_bytes: int
    """What the spool may hold; an event that does not fit is dropped."""
    spooled: int | None
    """Events that ever had to be kept."""
    dropped: int | None
    """Events lost because the spool or the disk was full."""
    refused: int | None
    """Events lost because the server refused them for ever (HTTP 400 or 413)."""
    unreadable: int | None
    """Calls whose input was no JSON object: there was no event to keep."""
    last_failure_timestamp: str | None
    cause: str = ""
    """Why the spool could not be read."""

    @property
    def lost(self) -> int | None:
        """Events that no later call can deliver."""
        return None if self.dropped is None or self.refused is None else self.dropped + self.refused


class SpoolHealthMonitor(Monitor):
    """Counts the events in hook-spool.jsonl, and reads the counters in hook-failures.json."""

    name = "spool"
    record = SpoolHealth

    def collect(self) -> SpoolHealth:
        """Always a record: a home without a spool has nothing waiting."""
        state, cause = None, ""
        try:
            state = spool_state(self.examination.settings.home)
        except OSError as error:
            cause = f"the hook's spool cannot be read: {error.strerror or error}"
        return SpoolHealth(
            waiting_events=state and state.waiting,
            waiting_bytes=state and state.waiting_bytes,
            room_bytes=ROOM,
            spooled=state and state.spooled,
            dropped=state and state.dropped,
            refused=state and state.refused,
            unreadable=state and state.unreadable,
            last_failure_timestamp=state and state.last_failure,
            cause=cause,
        )
