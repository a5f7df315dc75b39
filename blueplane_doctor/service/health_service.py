"""HealthService: keeps one report fresh by two looks at the pipeline (docs/SERVICE.md says when), however many ask."""

import time
from collections.abc import Callable, Iterable
from threading import Condition
from typing import Self

from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.judging.evidence import Evidence
from blueplane_doctor.service.custody_look import is_due, longest_rest, why_it_does_not_hold
from blueplane_doctor.service.fingerprint import read_fingerprint
from blueplane_doctor.service.hanging import HangingReads
from blueplane_doctor.service.scheduler import Job, Scheduler
from blueplane_doctor.service.snapshot import (
    CUSTODY_RECORDS,
    QUICK_RECORDS,
    Freshness,
    Look,
    Reachable,
    Snapshot,
    merged,
    reachable_in,
)
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.text.times import iso_of_seconds

QUICK_SECONDS = 1.0
"""Between the beginnings of two quick looks."""
_QUICK_PAUSE_SECONDS = 0.05
"""At least, from the end of one quick look to the beginning of the next."""
QUICK_LIMIT_SECONDS = 1.2
"""Of a quick look. SQLite waits 1 s for a lock, which must not count as hanging."""
_OUTAGE_LIMIT_SECONDS = 2.5
"""Of a custody look while Redis is away: it must not keep the look after the outage waiting for long."""
STALE_SECONDS = 2.8
"""When a quick look ceases to hold: after more than one interval and one limit."""
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
        self._hanging = HangingReads()
        self._quick: Look
        self._quick_due = 0.0
        self._custody: Look
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
        if not self.running:
            self.streaming = True
            self._quick_due = 0.0
            self._examine_by(self._doctor, "the first examination has not ended yet")
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
        snapshot = self._snapshot
        return self.running and self._in_time(snapshot) and snapshot.complete

    def current(self) -> Snapshot:
        """What is known now; where no look has ended in time, everything is unknown.

        The asker finds that out itself: it holds even if no thread of the service moves any more.
        """
        snapshot = self._snapshot
        if self._in_time(snapshot):
            return snapshot
        return snapshot.once("stale", lambda: self._stale(snapshot))

    def refresh(self, timeout: float = 5.0) -> Snapshot:
        """The first snapshot whose custody look began after this call, or what there is when the time is up.

        However many ask at the same time, one look answers them all.
        """
        asked = time.monotonic()
        self._custody_wanted = True
        self._scheduler.wake()

        def answered() -> bool:
            custody = self._custody
            return (custody.reachable is not None and custody.began >= asked) or not self.running

        with self._published:
            self._published.wait_for(answered, timeout)
        return self.current()

    def end_streams(self) -> None:
        """Let whoever streams snapshots end; the rest goes on until `stop`."""
        self.streaming = False

    def _in_time(self, snapshot: Snapshot) -> bool:
        return time.monotonic() - snapshot.quick_began <= STALE_SECONDS

    def _stale(self, snapshot: Snapshot) -> Snapshot:
        evidence = self._nothing(self._doctor, "the examination does not end: no new look for more than 3 s")
        # Live pages tell snapshots apart by their version, so this one needs a version of its own.
        return Snapshot(-snapshot.version - 1, self._doctor.judge(evidence), snapshot.quick, snapshot.custody)

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
        look = Look(evidence, Freshness(taken, taken + STALE_SECONDS), began, reachable=reachable)
        # Until a new fingerprint is read, the last one tells what the custody look is to be compared with.
        self._quick = look._replace(fingerprint=self._quick.fingerprint)
        self._publish("quick")
        if reachable.redis:  # otherwise reading could only wait for an answer
            fingerprint = read_fingerprint(self.settings.model_copy(update={"timeout": timeout}))
            self._quick = look._replace(fingerprint=fingerprint)
        self._quick_due = max(began + QUICK_SECONDS, time.monotonic() + _QUICK_PAUSE_SECONDS)
        self._scheduler.wake()

    # The custody look

    def _custody_wait_seconds(self) -> float:
        if self._custody_wanted or is_due(self._quick, self._custody, time.monotonic()):
            return 0.0
        return _NOT_DUE_SECONDS

    def _look_at_custody(self) -> None:
        self._custody_wanted = False  # who asks from now on wants a look that begins later
        # Both are taken before the stream is read: what changes meanwhile must make the next look due.
        doctor = self._doctor
        quick = self._quick
        began = time.monotonic()
        taken = time.time()
        reachable = quick.reachable or Reachable(redis=False, database=False)
        timeout = doctor.settings.timeout
        if quick.reachable is not None and not quick.reachable.redis:
            timeout = min(timeout, _OUTAGE_LIMIT_SECONDS)
        evidence = self._collect(doctor, doctor.needs - set(QUICK_RECORDS), timeout)
        took = time.monotonic() - began
        stale_after = taken + longest_rest(took) + took + doctor.settings.timeout
        with self._published:
            if doctor is self._doctor:  # otherwise the settings have changed meanwhile
                freshness = Freshness(taken, stale_after)
                self._custody = Look(evidence, freshness, began, took, reachable, quick.fingerprint)
                self._publish("custody")

    # What both have in common

    def _examine_by(self, doctor: Doctor, cause: str) -> None:
        """Take this doctor, and know nothing until it has examined the pipeline."""
        now = time.time()
        with self._published:
            self._doctor = doctor
            self._quick = Look(self._nothing(doctor, cause), Freshness(now, now), time.monotonic())
            self._custody = self._quick
            self._publish()

    def _collect(self, doctor: Doctor, names: Iterable[str], timeout: float) -> Evidence:
        wanted = set(names)
        held_back = self._hanging.held_back(wanted, doctor.hanging_reads, QUICK_SECONDS)
        evidence = doctor.collect(names=wanted.difference(held_back), timeout=timeout)
        evidence.missing.update(held_back)
        return evidence

    def _nothing(self, doctor: Doctor, cause: str) -> Evidence:
        names = [*QUICK_RECORDS, *CUSTODY_RECORDS, *sorted(doctor.needs)]
        return Evidence(iso_of_seconds(time.time()), missing=dict.fromkeys(names, cause))

    def _publish(self, ended: str = "") -> None:
        """Make a snapshot of both looks as they are now; `ended`: the look that is new in it."""
        with self._published:
            quick = self._quick
            custody = self._custody
            evidence = custody.evidence
            cause = why_it_does_not_hold(quick, custody, time.monotonic())
            if cause:
                evidence = self._nothing(self._doctor, cause)
            report = self._doctor.judge(merged(evidence, quick.evidence))
            complete = quick.reachable is not None and custody.reachable is not None
            self._version += 1
            freshness = (quick.freshness, custody.freshness)
            redis_reachable = quick.reachable is not None and quick.reachable.redis
            self._snapshot = Snapshot(self._version, report, *freshness, complete, redis_reachable, quick.began)
            if ended:
                self.refreshes[ended] += 1
            self._published.notify_all()
