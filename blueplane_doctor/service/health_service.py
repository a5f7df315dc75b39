"""HealthService: keeps one report fresh in the background, and answers from memory however many ask.

Two threads refresh it. The quick look (connections, Redis, server, spool, database) is made every second, and must end
within a fraction of the time after which its answer ceases to hold. The custody look walks through the stream, as
often as a tenth of one thread's time allows, and rarely while nothing moves. What the quick look cannot reach, the
custody look's older answer does not outlive.
"""

import time
from collections.abc import Callable, Iterable
from threading import Condition, Event, Thread
from threading import enumerate as running_threads
from types import TracebackType
from typing import Self

from blueplane_doctor.diagnose import collect, judge, needed
from blueplane_doctor.discovery import Found, find_checks, selected
from blueplane_doctor.evidence import Evidence
from blueplane_doctor.model import Report
from blueplane_doctor.monitoring.connections import Connections
from blueplane_doctor.monitoring.queue_health import QueueHealth
from blueplane_doctor.service.cadence import Cadence
from blueplane_doctor.service.pulse import Pulse, feel
from blueplane_doctor.service.recent import Recent
from blueplane_doctor.service.snapshot import CUSTODY_RECORDS, QUICK_RECORDS, Part, Snapshot, honest, joined
from blueplane_doctor.settings import Settings
from blueplane_doctor.times import from_milliseconds, iso

QUICK_SECONDS = 1.0
"""Between the beginnings of two quick looks."""
QUICK_LIMIT_SECONDS = 1.2
"""The longest that a quick look may take. SQLite waits 1 s for a lock, which is to be told from hanging."""
STALE_SECONDS = 2.8
"""A quick look older than this is not served as if it still held: more than one interval and one limit."""
HANGING_READS = 8
"""Reads that hang at once, before no more are begun."""

_FIRST = "the first examination has not ended yet"


class HealthService:
    """One pipeline's health, from memory. Use `start` and `stop`, or `with`."""

    def __init__(self, settings: Settings, *, found: Found | None = None, cadence: Cadence | None = None) -> None:
        """Raises SettingsError and NoChecksError as `diagnose` does, before anything is read."""
        self.settings = settings
        found = found or find_checks(settings.check_folders)
        self._checks, self._problems = selected(found.checks, settings), found.problems
        quick = [spec for spec in self._checks if not spec.needs or set(spec.needs) - set(CUSTODY_RECORDS)]
        self._quick_checks, self._custody_checks = quick, [spec for spec in self._checks if spec not in quick]
        self._judged_custody: tuple[Evidence, Report] | None = None
        self._needed = sorted(needed(self._checks))
        self._quick_names = [name for name in self._needed if name in QUICK_RECORDS] + ["connections"]
        self._custody_names = [name for name in self._needed if name not in QUICK_RECORDS]
        self._quick_settings = settings.model_copy(update={"timeout": min(settings.timeout, QUICK_LIMIT_SECONDS)})
        self.cadence = cadence or Cadence()
        self.recent = Recent()
        self._changed = Condition()
        self._listeners: list[Callable[[], None]] = []
        self._stopping, self._custody_wanted = Event(), Event()
        self._threads: list[Thread] = []
        now = time.time()
        self._quick, self._quick_part = self._nothing(_FIRST), Part(now, now)
        self._custody, self._custody_part = self._nothing(_FIRST), Part(now, now)
        self._custody_reach: tuple[bool, bool] | None = None
        self._custody_pulse: Pulse | None = None
        self._quick_monotonic = time.monotonic()
        self.refreshes = {"quick": 0, "custody": 0}
        self._custody_running = False
        self.streaming = True
        """Whether streams of snapshots are to go on."""
        self._version = 0
        self._snapshot = self._made()

    def start(self) -> None:
        """Begin to refresh; harmless when it has begun."""
        with self._changed:
            if self._threads:
                return
            self._stopping.clear()
            self.streaming = True
            self._quick_monotonic = time.monotonic()
            self._threads = [
                Thread(target=self._quick_loop, name="blueplane-quick", daemon=True),
                Thread(target=self._custody_loop, name="blueplane-custody", daemon=True),
            ]
        for thread in self._threads:
            thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """End the threads; a read that hangs is left behind."""
        self._stopping.set()
        self.end_streams()
        self._custody_wanted.set()
        with self._changed:
            threads, self._threads = self._threads, []
            self._changed.notify_all()
        for thread in threads:
            thread.join(patience)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether both threads are alive."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def current(self) -> Snapshot:
        """What is known now. Never an old good answer: where no look has ended in time, everything is unknown."""
        snapshot = self._snapshot
        silent = time.monotonic() - self._quick_monotonic
        if silent <= STALE_SECONDS:
            return snapshot
        return self._gone_stale(snapshot, silent)

    def ready(self) -> bool:
        """Whether both looks have ended at least once, and the last in time."""
        fresh = time.monotonic() - self._quick_monotonic <= STALE_SECONDS
        return fresh and all(self.refreshes.values()) and self.running

    def refresh(self, timeout: float = 5.0) -> Snapshot:
        """The first snapshot whose custody look began after this call, or what there is when the time is up.

        However many ask at the same time, one look answers them all.
        """
        before = self.refreshes["custody"] + int(self._custody_running)
        deadline = time.monotonic() + timeout
        self._custody_wanted.set()
        with self._changed:
            self._changed.wait_for(
                lambda: self.refreshes["custody"] > before or self._stopping.is_set(), deadline - time.monotonic()
            )
        return self.current()

    def wait(self, version: int, timeout: float) -> Snapshot:
        """The snapshot after this version, or the current one when the time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version or self._stopping.is_set(), timeout)
        return self.current()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every new snapshot, from a thread of the service; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def end_streams(self) -> None:
        """Let whoever streams snapshots end; the rest goes on until `stop`."""
        self.streaming = False
        for listener in list(self._listeners):
            listener()

    def _quick_loop(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            evidence = self._collect(self._quick_settings, self._quick_names)
            taken = time.time() - (time.monotonic() - began)
            self._quick_monotonic = began
            self._quick, self._quick_part = evidence, Part(taken, taken + STALE_SECONDS)
            self._publish("quick")
            if self._custody_due():
                self._custody_wanted.set()
            self._stopping.wait(max(0.05, began + QUICK_SECONDS - time.monotonic()))

    def _custody_loop(self) -> None:
        while not self._stopping.is_set():
            if not self._custody_wanted.wait(1.0) or self._stopping.is_set():
                continue
            self._custody_wanted.clear()
            self._custody_running = True
            reach, pulse = self._reach(), feel(self._quick_settings)
            began, taken = time.monotonic(), time.time()
            evidence = self._collect(self.settings, self._custody_names)
            took = time.monotonic() - began
            self.cadence.took(took)
            self._custody, self._custody_reach, self._custody_pulse = evidence, reach, pulse
            self._custody_part = Part(taken, taken + self.cadence.longest + took + self.settings.timeout)
            self._custody_running = False
            self._publish("custody")

    def _custody_due(self) -> bool:
        """Whether it is time to walk through the stream again."""
        if not self._reach()[0]:
            return False  # it could only wait for an answer
        if self._custody_reach != self._reach():
            return not self._custody_running
        if not self.cadence.may():
            return False
        return self.cadence.must() or not self._at_rest() or feel(self._quick_settings) != self._custody_pulse

    def _at_rest(self) -> bool:
        """Whether the last look left nothing that grows older by itself: nothing waits, nothing is held."""
        queue = self._custody.records.get("queue")
        return isinstance(queue, QueueHealth) and not queue.queue_depth and not queue.pending_messages

    def _reach(self) -> tuple[bool, bool]:
        """Whether Redis and the database answered the last quick look."""
        found = self._quick.records.get("connections")
        return (found.redis.reachable, found.database.reachable) if isinstance(found, Connections) else (False, False)

    def _collect(self, settings: Settings, names: Iterable[str]) -> Evidence:
        """The evidence, or none where reads of earlier looks still hang: they are not to pile up."""
        hanging = sum(thread.name.endswith("(read)") for thread in running_threads())
        if hanging > HANGING_READS:
            return self._nothing(f"{hanging} earlier reads still hang")
        return collect(settings, names)

    def _nothing(self, cause: str) -> Evidence:
        names = [*QUICK_RECORDS, *CUSTODY_RECORDS, *self._needed]
        evidence = Evidence(taken_at=iso(from_milliseconds(int(time.time() * 1000))) or "")
        evidence.missing = dict.fromkeys(names, cause)
        return evidence

    def _publish(self, look: str) -> None:
        with self._changed:
            self._version += 1
            self._snapshot = snapshot = self._made()
            self.refreshes[look] += 1
            self._changed.notify_all()
        self.recent.add(snapshot.quick.taken_at, snapshot.report.metrics)
        for listener in list(self._listeners):
            listener()

    def _made(self) -> Snapshot:
        """The snapshot of both looks as they are now."""
        custody = self._custody_that_holds()
        evidence = Evidence(taken_at=self._quick.taken_at, duration_ms=self._quick.duration_ms)
        for part in (custody, self._quick):
            evidence.records |= part.records
            evidence.missing |= {name: cause for name, cause in part.missing.items() if name not in evidence.records}
            evidence.durations |= part.durations
        if self._judged_custody is None or self._judged_custody[0] is not custody:
            self._judged_custody = custody, judge(evidence, self._custody_checks, self._problems, self.settings)
        quick = judge(evidence, self._quick_checks, [], self.settings)
        report = honest(joined(quick, self._judged_custody[1], self.settings), self._needed, evidence.records)
        return Snapshot(self._version, report, self._quick_part, self._custody_part)

    def _custody_that_holds(self) -> Evidence:
        """The custody look, or nothing where it does not hold any more."""
        found = self._quick.records.get("connections")
        if not isinstance(found, Connections):
            return self._nothing(next(iter(self._quick.missing.values()), _FIRST))
        if not found.redis.reachable:
            return self._nothing(found.redis.cause)
        if self._custody_reach not in (None, self._reach()):
            return self._nothing("Redis or the database has gone or come back, and the stream is being examined again")
        if self.refreshes["custody"] and time.time() > self._custody_part.stale_after:
            return self._nothing("the examination of the stream has not ended in time")
        return self._custody

    def _gone_stale(self, snapshot: Snapshot, silent: float) -> Snapshot:
        stale = snapshot.rendered.get("stale")
        if stale is None:
            evidence = self._nothing("the examination does not end: no new look for more than 3 s")
            report = judge(evidence, self._checks, self._problems, self.settings)
            report = honest(report, self._needed, evidence.records)
            stale = Snapshot(-snapshot.version - 1, report, snapshot.quick, snapshot.custody)
            snapshot.rendered["stale"] = stale
        assert isinstance(stale, Snapshot)
        return stale
