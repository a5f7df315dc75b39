"""The history in plain Redis: one stream of samples, and a hash that numbers the metrics.

A sample is one entry. When an hour is over, one entry takes the place of its samples: a reader unpacks it ten times as
fast, and it takes a fraction of the memory. It is added before they are deleted; to have both does no harm, for reading
goes by minute.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from blueplane_doctor.connection.base import Command
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.errors import SourceUnusable
from blueplane_doctor.history.packing import MOST_METRICS, is_packed, minutes_of, pack, rounded, rows_of, series_of
from blueplane_doctor.history.samples import METRIC_NAME, MINUTE, RETENTION, Point, Sample, bounds, in_steps
from blueplane_doctor.readings import step_of

_SAMPLE = b"s"
"""The field of an entry that is a sample."""
_HOUR = b"h"
"""The field of an entry that holds the samples of an hour."""
_MINUTE_MS = MINUTE * 1000
_HOUR_MS = 3600 * 1000
_KEPT_MS = RETENTION * 1000
_ATTEMPTS = 3
_MOST_DIGITS = 3
"""Of a metric's number, which is a byte."""

RawEntry = tuple[bytes, Sequence[bytes]]
"""ID and [name, value], as the server sends them."""


class StreamStore:
    """Works on every Redis since 6.2 and every Valkey."""

    name: ClassVar[str] = "stream"

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection = connection
        self.samples_key = prefix + "samples"
        self.names_key = prefix + "names"
        self.left_out: set[bytes] = set()
        """IDs of entries, and names, of those that were read, that no recorder wrote."""

    def write(self, sample: Sample) -> bool:
        """Append a sample; False where it is older than what is kept.

        That somebody else writes in the same moment shows in the refused ID, and is begun again.
        """
        for _ in range(_ATTEMPTS):
            names, newest = self._connection.ask(
                ("HGETALL", self.names_key), ("XREVRANGE", self.samples_key, "+", "-", "COUNT", 1)
            )
            self._connection.check_all(names, newest)
            end = newest[0][0] if newest else b"0-0"
            last = _milliseconds(end)
            if sample.time < last // 1000 - RETENTION:
                return False
            # IDs only rise: a sample that comes late, or by a clock that stepped back, gets the next free one.
            at = max(sample.time * 1000, last + 1)
            is_new_hour = at // _HOUR_MS != last // _HOUR_MS
            if is_new_hour and not self._end_hour(end):
                continue
            if self._append(sample, at, self._names(names)):
                return True
        raise SourceUnusable(f"Redis at {self._connection.address}: somebody else writes to {self.samples_key} as well")

    def read(self, metrics: Sequence[str], since: float, until: float, step: int) -> dict[str, list[Point]]:
        """Each metric's steps, in one round trip."""
        # Samples may stand after later ones (a clock that stepped back), so it is read to the end.
        first = max(0, bounds(since, until, step)[0]) * 1000
        replies = self._connection.ask(("HGETALL", self.names_key), ("XRANGE", self.samples_key, first, "+"))
        self._connection.check_all(*replies)
        names = self._names(replies[0])
        entries = self._entries(replies[1])
        result = {}
        for metric in metrics:
            points: dict[int, float] = {}
            if metric in names:
                points = series_of(names[metric], entries)
            result[metric] = in_steps(points, since, until, step, step_of(metric))
        return result

    def metrics(self) -> list[str]:
        return sorted(self._names(self._connection.ask_one("HGETALL", self.names_key)))

    def _names(self, reply: Sequence[bytes]) -> dict[str, int]:
        numbers = {}
        for raw_name, raw_number in zip(reply[::2], reply[1::2], strict=True):
            name = raw_name.decode("ascii", "replace")
            is_number = raw_number.isdigit() and len(raw_number) <= _MOST_DIGITS and int(raw_number) < MOST_METRICS
            if METRIC_NAME.fullmatch(name) and is_number:
                numbers[name] = int(raw_number)
            else:
                self.left_out.add(raw_name)
        return numbers

    def _entries(self, reply: Sequence[RawEntry]) -> list[tuple[list[int], bytes]]:
        entries = []
        for place, fields in reply:
            data = _data_of(fields)
            if data is None:
                self.left_out.add(place)
            else:
                entries.append((minutes_of(_milliseconds(place) // _MINUTE_MS, data), data))
        return entries

    def _append(self, sample: Sample, at: int, names: Mapping[str, int]) -> bool:
        new = _numbered(sample.values, names)
        if new:
            words: list[str | int] = ["HSET", self.names_key]
            for name, number in new.items():
                words += [name, number]
            self._connection.ask_one(*words)
        numbers = {**names, **new}
        values = {}
        for name, value in sample.values.items():
            if name in numbers:
                values[numbers[name]] = rounded(value)
        return self._add(f"{at}-0", _SAMPLE, pack(at // _MINUTE_MS, {sample.time // MINUTE: values}))

    def _end_hour(self, end: bytes) -> bool:
        """Put one entry, right after the newest ID, in the place of the samples of its hour."""
        last, _, number = end.decode().partition("-")
        at = int(last)
        # Two hours back: an hour whose end could not be written then is ended now.
        # And not beyond: another recorder may have begun the next hour meanwhile.
        entries = self._connection.ask_one("XRANGE", self.samples_key, max(0, at - 2 * _HOUR_MS), end)
        samples = []
        for entry in entries:
            _, fields = entry
            if fields[:1] == [_SAMPLE] and _data_of(fields) is not None:
                samples.append(entry)
        if not samples:
            return True
        oldest = (at - _KEPT_MS) // _MINUTE_MS
        newest = at // _MINUTE_MS
        rows = {}
        for minute, values in rows_of(self._entries(samples)).items():
            if oldest <= minute <= newest:
                rows[minute] = values
        # First the hour, then the samples: who is killed in between leaves both, which does no harm.
        if not self._add(f"{last}-{int(number) + 1}", _HOUR, pack(newest, rows)):
            return False
        self._connection.ask_one("XDEL", self.samples_key, *(entry[0] for entry in samples))
        return True

    def _add(self, place: str, kind: bytes, data: bytes) -> bool:
        """Whether the entry was taken; not when somebody else added one in between."""
        oldest = max(0, _milliseconds(place.encode()) - _KEPT_MS)
        commands: list[Command] = [("XADD", self.samples_key, "MINID", oldest, place, kind, data)]
        if kind == _SAMPLE:  # an hour's entry is followed by the sample that ended it
            commands += [("EXPIRE", self.names_key, RETENTION), ("EXPIRE", self.samples_key, RETENTION)]
        added, *expiries = self._connection.ask(*commands)
        if "equal or smaller" in str(added):  # than the newest ID: that is what somebody else's entry has
            return False
        self._connection.check_all(added, *expiries)
        return True


def _numbered(values: Mapping[str, float], names: Mapping[str, int]) -> dict[str, int]:
    """Numbers for metrics that have none yet; what is beyond the last free number is not kept."""
    taken = set(names.values())
    free = [number for number in range(MOST_METRICS) if number not in taken]
    unnumbered = sorted(set(values) - set(names))
    return dict(zip(unnumbered, free, strict=False))


def _data_of(fields: Sequence[bytes]) -> bytes | None:
    """The bytes of an entry; None where somebody else wrote it."""
    if len(fields) != 2 or fields[0] not in (_SAMPLE, _HOUR) or not is_packed(fields[1]):
        return None
    return fields[1]


def _milliseconds(place: bytes) -> int:
    return int(place.partition(b"-")[0])
