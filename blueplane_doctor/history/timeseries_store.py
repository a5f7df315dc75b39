"""The history in Redis TimeSeries: one series for each metric, compressed and trimmed by the server."""

from collections.abc import Sequence
from math import ceil
from typing import Any, ClassVar

from blueplane_doctor.connection.base import Command
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.history.packing import rounded
from blueplane_doctor.history.samples import METRIC_NAME, MINUTE, RETENTION, Point, Sample, bounds, is_kept, tidy
from blueplane_doctor.readings import step_of

LABEL = "blueplane_history"
"""Every series carries it, with the prefix as its value: how the server finds them all."""
_CHUNK_BYTES = 1024
"""Most series hardly change, and one of these holds weeks of a constant."""
_REFRESHED_AT_ONCE = 7
"""Expiries refreshed with a sample: all of a hundred series within a quarter of an hour, in few commands."""

_CREATE = """
for _, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 0 then
    redis.call('TS.CREATE', key, 'RETENTION', ARGV[1] * 1000, 'ENCODING', 'COMPRESSED', 'CHUNK_SIZE', ARGV[2],
      'DUPLICATE_POLICY', 'LAST', 'LABELS', ARGV[3], ARGV[4])
  end
  redis.call('EXPIRE', key, ARGV[1])
end
"""


class TimeSeriesStore:
    """Works where TS.* does: Redis Stack, Redis 8, or the module."""

    name: ClassVar[str] = "timeseries"

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix
        self._series = prefix + "ts:"
        self.left_out: set[bytes] = set()
        """Names, of those that were read, that no recorder wrote."""

    def write(self, sample: Sample) -> bool:
        """Add a sample; False where it is older than what is kept. Series that are not there yet are made."""
        keys = [self._series + name for name in sorted(sample.values)]
        commands = [_added(keys, sample, self._series)]
        for key in _turn(keys, sample.time):
            commands.append(("EXPIRE", key, RETENTION))
        replies = self._connection.ask(*commands)
        self._connection.check_all(*replies)
        # Series are not asked for before: in all samples but the first of a metric they are there.
        missing = []
        for key, reply in zip(keys, replies[0], strict=True):
            if _is_missing(reply):
                missing.append(key)
        added = [reply for reply in replies[0] if not _is_missing(reply)]
        if missing:
            self._connection.ask_one(
                "EVAL", _CREATE, len(missing), *missing, RETENTION, _CHUNK_BYTES, LABEL, self._prefix
            )
            added += self._connection.ask_one(*_added(missing, sample, self._series))
        are_kept = []
        for reply in added:
            is_kept_now = "retention" not in str(reply).lower()
            if is_kept_now:
                self._connection.check(reply)
            are_kept.append(is_kept_now)
        # Of a sample without values none was refused.
        return any(are_kept) or not are_kept

    def read(self, metrics: Sequence[str], since: float, until: float, step: int) -> dict[str, list[Point]]:
        """Each metric's steps, compacted by the server, in one round trip."""
        start, end = bounds(since, until, step)
        first = max(0, start) * 1000
        last = end * 1000
        commands: list[Command] = []
        for metric in metrics:
            aggregation = ("AGGREGATION", step_of(metric), step * 1000)
            commands.append(("TS.RANGE", self._series + metric, first, last, *aggregation))
        replies = self._connection.ask(*commands)
        result = {}
        for metric, reply in zip(metrics, replies, strict=True):
            values = {moment: tidy(value) for moment, value in self._points(reply)}
            points: list[Point] = []
            for moment in range(start, end + 1, step):
                points.append((moment, values.get(moment)))
            result[metric] = points
        return result

    def metrics(self) -> list[str]:
        keys = self._connection.ask_one("TS.QUERYINDEX", f"{LABEL}={self._prefix}")
        names = []
        for key in keys:
            text = key.decode("ascii", "replace")
            name = text.removeprefix(self._series)
            if name != text and METRIC_NAME.fullmatch(name):
                names.append(name)
            else:
                self.left_out.add(key)
        return sorted(names)

    def _points(self, reply: Any) -> list[tuple[int, float]]:
        if _is_missing(reply):
            return []
        self._connection.check(reply)
        points = []
        for moment, text in reply:
            value = float(text)
            if is_kept(value):
                points.append((moment // 1000, value))
        return points


def _added(keys: Sequence[str], sample: Sample, series: str) -> Command:
    words: list[str | int] = ["TS.MADD"]
    for key in keys:
        words += [key, sample.time * 1000, repr(rounded(sample.values[key.removeprefix(series)]))]
    return tuple(words)


def _is_missing(reply: Any) -> bool:
    """Whether there is no such series yet; versions of the module say it in different words."""
    if not isinstance(reply, Exception):
        return False
    return "does not exist" in str(reply) or "not a TSDB key" in str(reply)


def _turn(keys: Sequence[str], moment: int) -> list[str]:
    """The few keys whose expiry is refreshed in this minute.

    The clock decides, so that no process has to remember: with n turns, minute m refreshes every n-th key from m mod n.
    """
    turns = max(1, ceil(len(keys) / _REFRESHED_AT_ONCE))
    return list(keys[moment // MINUTE % turns :: turns])
