"""Reads that hang: those of one source keep nobody from reading the others, and do not pile up."""

import time
from collections.abc import Iterable, Mapping
from threading import Lock

HANGING_READS = 8
"""Of one health record: while so many hang, none of it is begun."""
# So a source that is there again is read again within five minutes.
_LONGEST_PAUSE_SECONDS = 300.0


class HangingReads:
    """Says which health records are not to be read now.

    After a read that hangs the next of the same record waits, each time twice as long: its source may be there again,
    and a thread that waits for the system cannot be ended.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, int] = {}
        self._pause_until: dict[str, float] = {}

    def held_back(self, wanted: Iterable[str], hanging: Mapping[str, int], pause_seconds: float) -> dict[str, str]:
        """Why each of these records must wait. `hanging` counts reads by record, `pause_seconds` is the first pause."""
        now = time.monotonic()
        causes = {}
        with self._lock:
            for name in wanted:
                count = hanging.get(name, 0)
                if count > self._known.get(name, 0):
                    pause = min(_LONGEST_PAUSE_SECONDS, pause_seconds * 2 ** (count - 1))
                    self._pause_until[name] = now + pause
                self._known[name] = count
                if count >= HANGING_READS or (count and now < self._pause_until.get(name, 0.0)):
                    causes[name] = "an earlier read still hangs"
                    if count > 1:
                        causes[name] = f"{count} earlier reads still hang"
        return causes
