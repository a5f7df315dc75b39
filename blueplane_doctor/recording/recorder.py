"""The recorder: counts in memory on the caller's thread, delivers once a second on its own.

It lives in a foreign process, so it never raises there, never does I/O on the caller's thread, holds its lock only
for a few additions, and its memory has a bound. Whatever cannot be recorded is dropped and counted.
"""

import atexit
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, log

from blueplane_doctor.recording import minutes
from blueplane_doctor.recording.delivery import Delivery, Outcome
from blueplane_doctor.recording.minutes import (
    LONGEST,
    SCALE,
    SHORTEST,
    Counts,
    MinuteBucket,
    Monitors,
    Writes,
    added,
    bin_of,
)

MINUTES_KEPT = 10
"""Minutes that are kept while Redis does not take them; the first of more is dropped."""
EXIT_SECONDS = 2.0
"""The longest that a process's end waits for the last delivery."""


@dataclass
class Timing:
    """What a block that is timed as one write may still change."""

    rows: int
    ok: bool = True


class Recorder:
    """Records writes, hooks and monitors of this process.

    Use one a process, from any number of threads. It follows a fork: the child begins with nothing recorded and its own
    thread. At exit the rest is delivered; a process that is killed loses at most the last `flush_seconds`.
    `clock` gives the time in seconds since 1970 that decides which minute an event belongs to.
    Raises ValueError when `redis_url` is no Redis URL; nothing else ever raises.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        flush_seconds: float = 1.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._url = redis_url
        self._flush_seconds = flush_seconds
        self._clock = clock or time.time
        self._begin()
        with contextlib.suppress(RuntimeError):  # no more threads for now: the first event tries again
            self._start()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.close)

    def write(self, table: str, rows: int, seconds: float, ok: bool) -> None:
        """A batch of `rows` rows was written to `table`, or failed to be, in so many seconds."""
        try:
            # What `bin_of` does, for nearly all durations without the call: the host waits for this.
            place = ceil(log(seconds) * SCALE) if SHORTEST < seconds < LONGEST else bin_of(seconds)
            rows = int(rows)
            with self._lock:
                writes = self._minute().writes
                entry = writes.get(table) or added(writes, table, Writes(), minutes.TABLES)
                entry.bins[place] = entry.bins.get(place, 0) + 1
                if place is not None:
                    entry.seconds += min(seconds, LONGEST)
                if ok:
                    entry.ok += 1
                    entry.rows += rows
                else:
                    entry.failed += 1
                    entry.failed_at = int(self._clock() * 1000)
        except Exception:
            self.drop(1)

    def hook(self, name: str, ok: bool) -> None:
        """A hook's event was enqueued, or failed to be. The name may be `platform/name`."""
        try:
            with self._lock:
                hooks = self._minute().hooks
                entry = hooks.get(name) or added(hooks, name, Counts(), minutes.HOOKS)
                entry.count(ok)
        except Exception:
            self.drop(1)

    def monitor(self, name: str, sessions: int | None, events: int | None, ok: bool) -> None:
        """A monitor read its source, watching so many sessions, and captured so many events; None: not known here."""
        try:
            with self._lock:
                monitors = self._minute().monitors
                entry = monitors.get(name) or added(monitors, name, Monitors(), minutes.MONITORS)
                if events is not None:
                    entry.captured = (entry.captured or 0) + int(events)
                if sessions is not None:
                    entry.sessions = int(sessions)
                entry.count(ok)
        except Exception:
            self.drop(1)

    @contextlib.contextmanager
    def timing(self, table: str, rows: int) -> Iterator[Timing]:
        """Times a `with` block as one write; one that raises has failed, one that is interrupted is not counted."""
        timed = Timing(rows)
        began = time.perf_counter()
        try:
            yield timed
        except Exception:
            self.write(table, timed.rows, time.perf_counter() - began, False)
            raise
        self.write(table, timed.rows, time.perf_counter() - began, timed.ok)

    def drop(self, events: int) -> None:
        """Count events that cannot be recorded."""
        with self._lock:
            self._dropped += events

    @property
    def dropped(self) -> int:
        """Events of this process that were not and will not be delivered."""
        return self._dropped

    def close(self) -> None:
        """Deliver what is left, for at most EXIT_SECONDS; what is recorded from then on is dropped."""
        self._closed = True
        self._stop.set()
        thread = self._thread
        if thread and thread is not threading.current_thread():
            thread.join(EXIT_SECONDS)
        atexit.unregister(self.close)

    def _begin(self) -> None:
        """With nothing recorded. In a fork's child the thread starts with its first event: many never record."""
        self._lock = threading.RLock()  # a signal handler of the host may record while this thread does
        self._live: dict[float, MinuteBucket] = {}
        self._waiting: dict[int, MinuteBucket] = {}
        self._under_way: dict[int, MinuteBucket] = {}
        self._dropped = 0
        self._dropped_reported = 0
        self._closed = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def _start(self) -> None:
        delivery = Delivery(self._url)
        thread = threading.Thread(target=self._run, name="blueplane-recorder", daemon=True)
        if self._thread is not None:  # a signal handler's event has started one meanwhile
            return
        self._delivery = delivery
        self._thread = thread
        try:
            thread.start()
        except RuntimeError:
            self._thread = None
            raise

    def _minute(self) -> MinuteBucket:
        minute = self._clock() // 60
        return self._live.get(minute) or self._open(minute)

    def _open(self, minute: float) -> MinuteBucket:
        """The first event of this minute, or since the last flush."""
        if self._closed or len(self._live) >= MINUTES_KEPT:
            raise minutes.Refused
        if self._thread is None:
            self._start()
            if "multiprocessing.util" in sys.modules:  # whose workers end without atexit
                from multiprocessing.util import Finalize  # the host has it already; it is not loaded for this

                Finalize(None, self.close, exitpriority=0)
        # While the new one was made, a signal handler may have opened this minute, and recorded in it.
        return self._live.setdefault(minute, MinuteBucket())

    def _run(self) -> None:
        """The background thread: nothing may end it but the end of the process."""
        ending = False
        while not ending:
            ending = self._stop.wait(self._flush_seconds)
            try:
                self._gather()
                self._deliver()
            except Exception:  # a defect must not cost the host more than these events
                self._give_up()
        self._give_up()
        with contextlib.suppress(Exception):
            self._delivery.close()

    def _gather(self) -> None:
        with self._lock:  # only for the exchange: what is recorded from now on goes into the new one
            live = self._live
            self._live = {}
        for start, minute in live.items():
            self._keep(int(start), minute)
        unreported = self._dropped - self._dropped_reported
        if unreported:
            now = int(self._clock() // 60)
            self._waiting.setdefault(now, MinuteBucket()).dropped += unreported
            self._dropped_reported += unreported

    def _keep(self, start: int, minute: MinuteBucket) -> None:
        if start in self._waiting:
            self.drop(self._waiting[start].merge(minute))
        else:
            self._waiting[start] = minute
        while len(self._waiting) > MINUTES_KEPT:
            self._lose(self._waiting.pop(next(iter(self._waiting))))

    def _deliver(self) -> None:
        """One batch at a time; one whose fate is unknown is settled before the next."""
        if self._under_way and not self._send(again=True):
            return
        if self._waiting:
            self._under_way = self._waiting
            self._waiting = {}
            self._send()

    def _send(self, again: bool = False) -> bool:
        outcome, broken = self._delivery.send(self._under_way, again)
        if outcome is Outcome.UNKNOWN:
            return False
        batch = self._under_way
        self._under_way = {}
        self.drop(broken)
        if outcome is Outcome.REFUSED:
            # The older minutes first: when there are too many, the first is dropped.
            newer = self._waiting
            self._waiting = batch
            for start, minute in newer.items():
                self._keep(start, minute)
        return outcome is Outcome.DELIVERED

    def _lose(self, minute: MinuteBucket) -> None:
        self.drop(minute.events)
        self._dropped_reported -= minute.dropped  # what it would have reported is to be reported again

    def _give_up(self) -> None:
        lost = [*self._waiting.values(), *self._under_way.values()]
        self._waiting = {}
        self._under_way = {}
        for minute in lost:
            self._lose(minute)
