"""HealthService: keeps one report fresh by two looks at the pipeline (docs/SERVICE.md says when), however many ask."""

import time
from collections.abc import Callable, Iterable
from threading import Condition
from typing import Self

from blueplane_doctor.diagnose import Doctor
from blueplane_doctor.evidence import Evidence
from blueplane_doctor.model import Report, Status
from blueplane_doctor.monitoring.queue_health import QueueHealth
from blueplane_doctor.service.answers import timestamp
from blueplane_doctor.service.fingerprint import read_fingerprint
from blueplane_doctor.service.looks import Look, Reachable, merged, reachable_in, why_custody_does_not_hold
from blueplane_doctor.service.refresh_schedule import RefreshSchedule
from blueplane_doctor.service.scheduler import Job, Scheduler
from blueplane_doctor.service.snapshot import CUSTODY_RECORDS, QUICK_RECORDS, Freshness, Snapshot
from blueplane_doctor.settings import Settings

QUICK_SECONDS = 1.0
"""Between the beginnings of two quick looks."""
QUICK_PAUSE_SECONDS = 0.05
"""At least, from the end of one quick look to the beginning of the next."""
QUICK_LIMIT_SECONDS = 1.2
"""Of a quick look. SQLite waits 1 s for a lock, which must not count as hanging."""
STALE_SECONDS = 2.8
"""When a quick look ceases to hold: after more than one interval and one limit."""
HANGING_READS = 8
"""While so many hang, none is begun: they are not to pile up."""
_NOT_DUE_SECONDS = 1.0
"""After which a custody look that is not due is thought of again; a quick look wakes it earlier."""


class HealthService:
    """One pipeline's health. Use `start` and `stop`, or `with`.

    Each job (quick, custody) writes only its own look, and both publish a snapshot of both looks.
    """

    def __init__(self, settings: Settings, *, reload: Callable[[], Doctor | None] = lambda: None) -> None:
        """`reload` is asked before every quick look whether there are new settings, and gives a doctor for them.

        Raises SettingsError and NoChecksError as `diagnose` does, before anything is read.
        """
        self.refreshes = {"quick": 0, "custody": 0}
        """Looks that have ended."""
        self.streaming = True
        """Whether streams of snapshots are to go on."""
        self._reload = reload
        self._published = Condition()
        self._listeners: list[Callable[[], None]] = []
        self._quick_began = time.monotonic()
        """Of the last quick look that has ended."""
        self._quick_due = 0.0
        self._quick: Look
        self._custody: Look
        self._custody_running = False
        self._custody_wanted = False
        self._version = 0
        self._examine_by(Doctor(settings), "the first examination has not ended yet")
        self._scheduler = Scheduler(
            [
                Job("quick", self._quick_wait_seconds, self._look_quickly),
                Job("custody", self._custody_wait_seconds, self._look_at_custody),
            ]
        )

    @property
    def settings(self) -> Settings:
        """Those that are examined by now."""
        return self._doctor.settings

    def start(self) -> None:
        """Begin to refresh; harmless when it has begun."""
        if not self._scheduler.running:
            self.streaming = True
            self._quick_began = time.monotonic()
            self._quick_due = 0.0
        self._scheduler.start()

    def stop(self) -> None:
        """End both jobs."""
        self.end_streams()
        self._scheduler.stop()
        with self._published:
            self._published.notify_all()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether both jobs are alive."""
        return self._scheduler.running

    def ready(self) -> bool:
        """Whether both looks have ended at least once by the settings in force, and the quick one in time."""
        return self.running and self._in_time() and self._both_published

    def current(self) -> Snapshot:
        """What is known now; where no look has ended in time, everything is unknown.

        The asker finds that out itself: it holds even if no thread of the service moves any more.
        """
        snapshot = self._snapshot
        if self._in_time():
            return snapshot
        return snapshot.once("stale", lambda: self._stale(snapshot))

    def refresh(self, timeout: float = 5.0) -> Snapshot:
        """The first snapshot whose custody look began after this call, or what there is when the time is up.

        However many ask at the same time, one look answers them all.
        """
        with self._published:
            before = self.refreshes["custody"] + int(self._custody_running)  # one that runs began before this call
            self._custody_wanted = True
        self._scheduler.wake()
        with self._published:
            self._published.wait_for(lambda: self.refreshes["custody"] > before or not self.running, timeout)
        return self.current()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every new snapshot, from a thread of the service; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def end_streams(self) -> None:
        """Let whoever streams snapshots end; the rest goes on until `stop`."""
        self.streaming = False
        self._tell_listeners()

    def _tell_listeners(self) -> None:
        for listener in list(self._listeners):
            listener()

    def _in_time(self) -> bool:
        return time.monotonic() - self._quick_began <= STALE_SECONDS

    def _stale(self, snapshot: Snapshot) -> Snapshot:
        evidence = self._nothing(self._doctor, "the examination does not end: no new look for more than 3 s")
        report = self._judged(evidence)
        # Live pages tell snapshots apart by their version, so this one needs a version of its own.
        return Snapshot(-snapshot.version - 1, report, snapshot.quick, snapshot.custody)

    # The quick look

    def _quick_wait_seconds(self) -> float:
        return self._quick_due - time.monotonic()

    def _look_quickly(self) -> None:
        began = time.monotonic()
        taken = time.time()
        doctor = self._reload()
        if doctor:
            self._examine_by(doctor, "the settings have changed, and the pipeline is examined by the new ones")
        timeout = min(self.settings.timeout, QUICK_LIMIT_SECONDS)
        names = {"connections"} | (self._doctor.needs & set(QUICK_RECORDS))
        evidence = self._collect(self._doctor, names, timeout)
        reachable = reachable_in(evidence)
        look = Look(evidence, Freshness(taken, taken + STALE_SECONDS), reachable, self._quick.fingerprint)
        with self._published:
            self._quick = look
            self._quick_began = began
            self._count_and_publish("quick")
        self._tell_listeners()
        if reachable.redis:  # otherwise reading could only wait for an answer
            fingerprint = read_fingerprint(self.settings.model_copy(update={"timeout": timeout}))
            self._quick = look._replace(fingerprint=fingerprint)
        self._quick_due = max(began + QUICK_SECONDS, time.monotonic() + QUICK_PAUSE_SECONDS)
        self._scheduler.wake()

    # The custody look

    def _custody_wait_seconds(self) -> float:
        if self._custody_wanted or self._custody_due():
            return 0.0
        return _NOT_DUE_SECONDS

    def _custody_due(self) -> bool:
        reachable = self._quick.reachable
        if reachable is None or not reachable.redis:
            return False  # it could only wait for an answer
        if reachable != self._custody.reachable:
            return True
        if not self._schedule.may_begin():
            return False
        queue = self._custody.evidence.records.get("queue")
        if not isinstance(queue, QueueHealth) or queue.queue_depth or queue.pending_messages:
            return True  # what waits grows older, though nothing else changes
        return self._schedule.must_begin() or self._quick.fingerprint != self._custody.fingerprint

    def _look_at_custody(self) -> None:
        with self._published:
            self._custody_running = True
            self._custody_wanted = False
        # Both are taken before the stream is read: what changes meanwhile must make the next look due.
        doctor = self._doctor
        quick = self._quick
        began = time.monotonic()
        taken = time.time()
        names = doctor.needs - set(QUICK_RECORDS)
        evidence = self._collect(doctor, names, doctor.settings.timeout)
        took = time.monotonic() - began
        with self._published:
            self._custody_running = False
            if doctor is not self._doctor:
                return  # the settings have changed meanwhile
            self._schedule.ended(took)
            stale_after = taken + self._schedule.longest_seconds + took + doctor.settings.timeout
            reachable = quick.reachable or Reachable(redis=False, database=False)
            self._custody = Look(evidence, Freshness(taken, stale_after), reachable, quick.fingerprint)
            self._count_and_publish("custody")
        self._tell_listeners()

    # What both have in common

    def _examine_by(self, doctor: Doctor, cause: str) -> None:
        """Take this doctor, and know nothing until it has examined the pipeline."""
        now = time.time()
        nothing = Look(self._nothing(doctor, cause), Freshness(now, now))
        with self._published:
            self._doctor = doctor
            self._schedule = RefreshSchedule()
            self._quick = nothing
            self._custody = nothing
            self._publish()
        self._tell_listeners()

    def _collect(self, doctor: Doctor, names: Iterable[str], timeout: float) -> Evidence:
        hanging = doctor.hanging_reads
        if hanging >= HANGING_READS:
            return self._nothing(doctor, f"{hanging} earlier reads still hang")
        return doctor.collect(names=names, timeout=timeout)

    def _nothing(self, doctor: Doctor, cause: str) -> Evidence:
        names = [*QUICK_RECORDS, *CUSTODY_RECORDS, *sorted(doctor.needs)]
        return Evidence(timestamp(time.time()), missing=dict.fromkeys(names, cause))

    def _count_and_publish(self, look: str) -> None:
        self._publish()
        self.refreshes[look] += 1
        self._published.notify_all()

    def _publish(self) -> None:
        self._version += 1
        self._snapshot = self._made()
        # After the snapshot: a caller that learns that the service is ready expects both looks in it.
        self._both_published = self._quick.reachable is not None and self._custody.reachable is not None

    def _made(self) -> Snapshot:
        """A snapshot of both looks as they are now."""
        custody = self._custody.evidence
        cause = why_custody_does_not_hold(self._quick, self._custody, time.time())
        if cause:
            custody = self._nothing(self._doctor, cause)
        report = self._judged(merged(custody, self._quick.evidence))
        return Snapshot(self._version, report, self._quick.freshness, self._custody.freshness)

    def _judged(self, evidence: Evidence) -> Report:
        """The report; its status is `unknown` where evidence is missing and nothing is red."""
        report = self._doctor.judge(evidence)
        if report.status is Status.RED or self._doctor.needs <= evidence.records.keys():
            return report
        return report.model_copy(update={"status": Status.UNKNOWN})
