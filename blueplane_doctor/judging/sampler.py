"""Taking samples: one recorder at a time examines and writes; now, or every minute until it is stopped."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import Protocol

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.errors import SourceError, SourceUnusable
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import HISTORY, Sample, sample_of
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.model import Report
from blueplane_doctor.plugins.discovery import find_monitors
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources.redis_room import refuse_where_full


class Watcher(Protocol):
    """Is given the reports of samples."""

    def takes_its_turn(self) -> bool:
        """Whether this process is to watch, and no other one does."""

    def sample(self, report: Report, moment: float) -> None:
        """Take a report, and its moment in seconds since 1970. Never raises."""


# For the history, which is asked beside the examination, and for a machine that is slow.
_LOCK_SPARE_SECONDS = 30.0
_CLOCK_SPARE_SECONDS = 2.0
"""By which a clock may be set back while a turn is waited for; beyond that the turn is taken at once."""
_HISTORY_SECONDS = 2.0
"""To take the lock, and to write a sample, each: it takes milliseconds."""
# The run's own time limit may be a fraction of a second.
_FEWEST_SECONDS = 0.5
WRITTEN = "written"
BUSY = "busy"
_HOLD = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RecorderLock:
    """A key with its owner's token, which goes away by itself `seconds` after its owner last held it."""

    def __init__(self, connection: Connection, prefix: str, seconds: float) -> None:
        self.key = prefix + "recorder"
        self._connection = connection
        self._milliseconds = int(seconds * 1000)
        self._token = f"{os.getpid()}-{os.urandom(12).hex()}"

    def hold(self) -> bool:
        """Take the lock, or keep it for longer; False when somebody else has it. Raises SourceError."""
        return bool(self._connection.ask_one("EVAL", _HOLD, 1, self.key, self._token, self._milliseconds))

    def release(self) -> None:
        """Give it back; somebody else's is left alone. Raises SourceError."""
        self._connection.ask_one("EVAL", _RELEASE, 1, self.key, self._token)


class Sampler:
    """Examines one pipeline into one history."""

    def __init__(self, settings: Settings, every: float = 60, watcher: Watcher | None = None) -> None:
        """`every`: seconds between samples, which the lock outlives, and the longest examination. `watcher`: is given
        the report of each sample, also where the history cannot be reached, or another recorder writes it.

        Raises SettingsError and NoChecksError.
        """
        self._doctor = Doctor(settings).without(HISTORY)  # a sample is not judged by the other samples
        self._watcher = watcher
        # Of the run's time a part is kept for the history: a pipeline that does not answer is a sample too.
        history_seconds = min(_HISTORY_SECONDS, settings.timeout / 2)
        self._examining_seconds = settings.timeout - history_seconds
        self.storage = HealthMetricsStorage(settings.history_redis_url, max(_FEWEST_SECONDS, history_seconds))
        seconds = every + settings.timeout + _LOCK_SPARE_SECONDS
        self.lock = RecorderLock(self.storage.connection, self.storage.prefix, seconds)

    def take(self, moment: float) -> str:
        """One sample of the minute of `moment`: WRITTEN, or BUSY when another recorder is at work.

        Raises SourceError when the history cannot be reached; the examined pipeline may be down, which is a sample.
        """
        try:
            if not self._may_record(moment):
                # The other recorder may have been started without anybody to tell.
                if self._watcher is not None and self._watcher.takes_its_turn():
                    self.examine(moment)
                return BUSY
            self.storage.close()  # examining takes a while, and a server may be restarted in between
            sample = self.examine(moment)
            if not self.lock.hold():
                return BUSY
            if not self.storage.write(sample):
                where = self.storage.connection.address
                raise SourceUnusable(f"the history at {where} holds samples that are over a week ahead of this clock")
            return WRITTEN
        finally:
            self.storage.close()

    def _may_record(self, moment: float) -> bool:
        """Whether this is the recorder. Raises SourceError, also where a sample could cost the queue."""
        try:
            refuse_where_full(self.storage.connection)
            return self.lock.hold()
        except SourceError:
            # Mostly the history lies in the examined Redis: just then there is something to tell.
            if self._watcher is not None:
                self.examine(moment)
            raise

    def examine(self, moment: float) -> Sample:
        """Every monitor's numbers, whichever checks were selected to judge them."""
        monitors = find_monitors(self._doctor.settings.monitor_folders)
        evidence = self._doctor.collect(names=monitors.keys() - {HISTORY}, timeout=self._examining_seconds)
        report = self._doctor.judge(evidence)
        if self._watcher is not None:
            self._watcher.sample(report, moment)
        return sample_of(report, moment, self._doctor.available.built_in_ids)

    def release(self) -> None:
        """Let others record."""
        with suppress(SourceError):  # where the history does not answer, the lock goes away by itself
            self.lock.release()
        self.storage.close()


def record_every(sampler: Sampler, every: float, stop: Event, say: Callable[[str], None]) -> None:
    """Take a sample at every multiple of `every` seconds of the clock until `stop` is set.

    `say` is given the reason when a sample cannot be written, and again when the reason changes.
    """
    last_message = ""
    while wait_until(next_turn(time.time(), every), stop):
        message = ""
        try:
            outcome = sampler.take(time.time() + 1)  # a timer may ring a little early
            if outcome == BUSY:
                message = "another recorder is writing; this one waits"
        except SourceError as error:
            message = error.message
        if message != last_message:
            say(message or "recording again")
        last_message = message


def next_turn(now: float, every: float) -> float:
    """The next multiple of `every`, seconds since 1970."""
    return (now // every + 1) * every


def wait_until(moment: float, stop: Event) -> bool:
    """Whether the moment came before `stop`. Short naps: the clock may be set meanwhile, or the machine sleep.

    Where the clock was set back the moment may be years away, and is taken for come.
    """
    longest = moment - time.time() + _CLOCK_SPARE_SECONDS
    while 0 < (left := moment - time.time()) <= longest:
        if stop.wait(min(left, 30)):
            return False
    return not stop.is_set()
