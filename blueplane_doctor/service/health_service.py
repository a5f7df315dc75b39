"""HealthService: keeps one report fresh by two looks in two threads (docs/SERVICE.md says when), however many ask."""

import time
from collections.abc import Callable, Iterable
from threading import Condition, Event, Thread
from typing import NamedTuple, Self

from blueplane_doctor.diagnose import Doctor
from blueplane_doctor.evidence import Evidence
from blueplane_doctor.model import Report, Status
from blueplane_doctor.monitoring.connections import Connections
from blueplane_doctor.monitoring.queue_health import QueueHealth
from blueplane_doctor.service.answers import CUSTODY_RECORDS, QUICK_RECORDS, Part, Snapshot, moment
from blueplane_doctor.service.cadence import Cadence, Pulse, feel
from blueplane_doctor.settings import Settings

QUICK_SECONDS = 1.0
"""Between the beginnings of two quick looks."""
QUICK_LIMIT_SECONDS = 1.2
"""Of a quick look. SQLite waits 1 s for a lock, which is to be told from hanging."""
STALE_SECONDS = 2.8
"""When a quick look ceases to hold: after more than one interval and one limit."""
HANGING_READS = 8
"""Beyond so many none is begun: they are not to pile up."""
STOP_SECONDS = 5.0
"""For each thread at the end; a read that hangs is left behind."""


class _Look(NamedTuple):
    evidence: Evidence
    part: Part
    reach: tuple[bool, bool] | None = None
    pulse: Pulse | None = None


class HealthService:
    """One pipeline's health. Use `start` and `stop`, or `with`."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingsError and NoChecksError as `diagnose` does, before anything is read."""
        self.settings = settings
        self._doctor = Doctor(settings)
        self._needed = sorted(self._doctor.needs)
        self._quick_settings = settings.model_copy(update={"timeout": min(settings.timeout, QUICK_LIMIT_SECONDS)})
        self.refreshes = {"quick": 0, "custody": 0}
        """Looks that have ended."""
        self.streaming = True
        """Whether streams of snapshots are to go on."""
        self._cadence = Cadence()
        self._changed = Condition()
        self._listeners: list[Callable[[], None]] = []
        self._stopping, self._custody_wanted = Event(), Event()
        self._threads: list[Thread] = []
        now = time.time()
        self._quick = self._custody = _Look(self._nothing("the first examination has not ended yet"), Part(now, now))
        self._custody_running = False
        self._quick_began = time.monotonic()
        self._version = 0
        self._snapshot = self._made()

    def start(self) -> None:
        """Begin to refresh; harmless when it has begun."""
        with self._changed:
            if self._threads:
                return
            self._stopping.clear()
            self.streaming = True
            self._quick_began = time.monotonic()
            loops = {"blueplane-quick": self._quick_loop, "blueplane-custody": self._custody_loop}
            self._threads = [Thread(target=loop, name=name, daemon=True) for name, loop in loops.items()]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads."""
        self._stopping.set()
        self.end_streams()
        self._custody_wanted.set()
        with self._changed:
            threads, self._threads = self._threads, []
            self._changed.notify_all()
        for thread in threads:
            thread.join(STOP_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether both threads are alive."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def current(self) -> Snapshot:
        """What is known now; where no look has ended in time, everything is unknown."""
        snapshot = self._snapshot
        if self._in_time():
            return snapshot
        stale: Snapshot | None = snapshot.rendered.get("stale")
        if stale is None:
            evidence = self._nothing("the examination does not end: no new look for more than 3 s")
            report = self._judged(evidence)
            stale = Snapshot(-snapshot.version - 1, report, snapshot.quick, snapshot.custody)
            snapshot.rendered["stale"] = stale
        return stale

    def ready(self) -> bool:
        """Whether both looks have ended at least once, and the last in time."""
        return self._in_time() and all(self.refreshes.values()) and self.running

    def _in_time(self) -> bool:
        return time.monotonic() - self._quick_began <= STALE_SECONDS

    def refresh(self, timeout: float = 5.0) -> Snapshot:
        """The first snapshot whose custody look began after this call, or what there is when the time is up.

        However many ask at the same time, one look answers them all.
        """
        before = self.refreshes["custody"] + int(self._custody_running)
        self._custody_wanted.set()
        with self._changed:
            self._changed.wait_for(lambda: self.refreshes["custody"] > before or self._stopping.is_set(), timeout)
        return self.current()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every new snapshot, from a thread of the service; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def end_streams(self) -> None:
        """Let whoever streams snapshots end; the rest goes on until `stop`."""
        self.streaming = False
        self._wake()

    def _wake(self) -> None:
        for listener in list(self._listeners):
            listener()

    def _quick_loop(self) -> None:
        names = [name for name in self._needed if name in QUICK_RECORDS] + ["connections"]
        while not self._stopping.is_set():
            began = time.monotonic()
            evidence = self._collect(self._quick_settings, names)
            taken = time.time() - (time.monotonic() - began)
            self._quick_began = began
            self._quick = _Look(evidence, Part(taken, taken + STALE_SECONDS))
            self._publish("quick")
            if self._custody_due():
                self._custody_wanted.set()
            self._stopping.wait(max(0.05, began + QUICK_SECONDS - time.monotonic()))

    def _custody_loop(self) -> None:
        names = [name for name in self._needed if name not in QUICK_RECORDS]
        while not self._stopping.is_set():
            if not self._custody_wanted.wait(1.0) or self._stopping.is_set():
                continue
            self._custody_wanted.clear()
            self._custody_running = True
            reach, pulse = self._reach(), feel(self._quick_settings)
            began, taken = time.monotonic(), time.time()
            evidence = self._collect(self.settings, names)
            took = time.monotonic() - began
            self._cadence.took(took)
            stale_after = taken + self._cadence.longest + took + self.settings.timeout
            self._custody = _Look(evidence, Part(taken, stale_after), reach, pulse)
            self._custody_running = False
            self._publish("custody")

    def _custody_due(self) -> bool:
        if not self._reach()[0]:
            return False  # it could only wait for an answer
        if self._custody.reach != self._reach():
            return not self._custody_running
        if not self._cadence.may():
            return False
        queue = self._custody.evidence.records.get("queue")
        growing_older = not isinstance(queue, QueueHealth) or queue.queue_depth or queue.pending_messages
        return self._cadence.must() or bool(growing_older) or feel(self._quick_settings) != self._custody.pulse

    def _reach(self) -> tuple[bool, bool]:
        """Whether Redis and the database answered the last quick look."""
        found = self._quick.evidence.records.get("connections")
        return (found.redis.reachable, found.database.reachable) if isinstance(found, Connections) else (False, False)

    def _collect(self, settings: Settings, names: Iterable[str]) -> Evidence:
        hanging = self._doctor.hanging_reads
        if hanging > HANGING_READS:
            return self._nothing(f"{hanging} earlier reads still hang")
        return self._doctor.collect(names=names, timeout=settings.timeout)

    def _nothing(self, cause: str) -> Evidence:
        names = [*QUICK_RECORDS, *CUSTODY_RECORDS, *self._needed]
        return Evidence(moment(time.time()), missing=dict.fromkeys(names, cause))

    def _publish(self, look: str) -> None:
        with self._changed:
            self._version += 1
            self._snapshot = self._made()
            self.refreshes[look] += 1
            self._changed.notify_all()
        self._wake()

    def _made(self) -> Snapshot:
        """Of both looks as they are now."""
        quick, custody = self._quick.evidence, self._custody_that_holds()
        evidence = Evidence(quick.taken_at, quick.duration_ms)
        for look in (custody, quick):
            evidence.records |= look.records
            evidence.missing |= {name: cause for name, cause in look.missing.items() if name not in evidence.records}
            evidence.durations |= look.durations
        return Snapshot(self._version, self._judged(evidence), self._quick.part, self._custody.part)

    def _judged(self, evidence: Evidence) -> Report:
        """`unknown` for a status better than red where evidence is missing."""
        report = self._doctor.judge(evidence)
        if report.status is Status.RED or all(name in evidence.records for name in self._needed):
            return report
        return report.model_copy(update={"status": Status.UNKNOWN})

    def _custody_that_holds(self) -> Evidence:
        quick, custody = self._quick.evidence, self._custody
        found = quick.records.get("connections")
        if not isinstance(found, Connections):
            return self._nothing(next(iter(quick.missing.values()), "the quick look has not ended"))
        if not found.redis.reachable:
            return self._nothing(found.redis.cause)
        if custody.reach not in (None, self._reach()):
            return self._nothing("Redis or the database has gone or come back, and the stream is being examined again")
        if self.refreshes["custody"] and time.time() > custody.part.stale_after:
            return self._nothing("the examination of the stream has not ended in time")
        return custody.evidence
