"""The history in plain Redis: a stream of samples, one of hours, and a hash that numbers the metrics.

A sample is one entry of the stream `samples`. When an hour is over, its entries become one of the stream `hours`, which
a reader unpacks ten times as fast and which takes a fraction of the memory; `samples` is then trimmed to what was not
in an hour that was seen to be kept. So every value stands in at least one of the two, whatever is refused in between.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from blueplane_doctor.errors import SourceUnusable
from blueplane_doctor.history.link import Link
from blueplane_doctor.history.packing import MOST_METRICS, minutes_of, pack, rounded, rows_of, series_of
from blueplane_doctor.history.samples import Sample
from blueplane_doctor.history.series import MINUTE, RETENTION, Point, aggregation_of, bounds, in_steps
from blueplane_doctor.sources.wire import Command

HOUR = 3600
_MINUTE_MS = MINUTE * 1000
_KEPT_MS = RETENTION * 1000
_ATTEMPTS = 3
_TAKEN = "equal or smaller"
"""What XADD says of an ID that is not above the newest."""


class StreamStore:
    """Works on every Redis since 6.2 and every Valkey."""

    name: ClassVar[str] = "stream"

    def __init__(self, link: Link, prefix: str) -> None:
        self._link = link
        self.samples_key = prefix + "samples"
        self.hours_key = prefix + "hours"
        self.names_key = prefix + "names"

    def write(self, sample: Sample) -> None:
        """Append a sample. Raises SourceError.

        That somebody else writes in the same moment shows in the refused ID, and is begun again.
        """
        for _ in range(_ATTEMPTS):
            names, newest = self._link.ask(
                ("HGETALL", self.names_key), ("XREVRANGE", self.samples_key, "+", "-", "COUNT", 1)
            )
            self._link.check(names, newest)
            last = _milliseconds(newest[0]) if newest else 0
            if sample.time < last // 1000 - RETENTION:
                return  # older than what is kept
            if self._append(sample, _names(names), last):
                return
        raise SourceUnusable(f"Redis at {self._link.address}: somebody else writes to {self.samples_key} as well")

    def read(self, metrics: Sequence[str], since: float, until: float, step: int) -> dict[str, list[Point]]:
        """Each metric's steps, in one round trip. Raises SourceError."""
        # Samples may stand after later ones (a clock that stepped back), so both are read to their ends.
        first = max(0, bounds(since, until, step)[0]) * 1000
        replies = self._link.ask(
            ("HGETALL", self.names_key),
            ("XRANGE", self.hours_key, first, "+"),
            ("XRANGE", self.samples_key, first, "+"),
        )
        self._link.check(*replies)
        names, entries = _names(replies[0]), _entries([*replies[1], *replies[2]])
        points = {metric: series_of(names[metric], entries) if metric in names else {} for metric in metrics}
        return {metric: in_steps(found, since, until, step, aggregation_of(metric)) for metric, found in points.items()}

    def metrics(self) -> list[str]:
        """Names of all metrics. Raises SourceError."""
        return sorted(_names(self._link.ask_one("HGETALL", self.names_key)))

    def _append(self, sample: Sample, names: Mapping[str, int], last: int) -> bool:
        """Whether the entry was taken; not when somebody else added one in between."""
        at = max(sample.time * 1000, last + 1)
        new = _numbered(sample.values, names)
        numbers = {**names, **new}
        values = {numbers[name]: rounded(value) for name, value in sample.values.items() if name in numbers}
        data = pack(at // _MINUTE_MS, {sample.time // MINUTE: values})
        kept, hour = (0, []) if _same_hour(last, at) else self._hour()
        commands: list[Command] = [
            *([("HSET", self.names_key, *(word for pair in new.items() for word in pair))] if new else []),
            *hour,
            ("XADD", self.samples_key, "MINID", max(kept + 1, at - _KEPT_MS), f"{at}-0", "s", data),
            *(("EXPIRE", key, RETENTION) for key in (self.names_key, self.hours_key, self.samples_key)),
        ]
        replies = self._link.ask(*commands)
        refused = [command[1] for command, reply in zip(commands, replies, strict=True) if _TAKEN in str(reply)]
        self._link.check(*(reply for reply in replies if _TAKEN not in str(reply)))
        return self.samples_key not in refused

    def _hour(self) -> tuple[int, list[Command]]:
        """Up to which ID the hours are seen to hold everything, and the command that adds what they lack."""
        newest, samples = self._link.ask(
            ("XREVRANGE", self.hours_key, "+", "-", "COUNT", 1), ("XRANGE", self.samples_key, "-", "+")
        )
        self._link.check(newest, samples)
        kept = _milliseconds(newest[0]) if newest else 0
        lacking = [entry for entry in samples if _milliseconds(entry) > kept]
        if not lacking:
            return kept, []
        end = _milliseconds(lacking[-1])
        oldest = (end - _KEPT_MS) // _MINUTE_MS
        rows = {minute: values for minute, values in rows_of(_entries(lacking)).items() if minute >= oldest}
        data = pack(end // _MINUTE_MS, rows)
        return kept, [("XADD", self.hours_key, "MINID", max(0, end - _KEPT_MS), f"{end}-0", "s", data)]


def _numbered(values: Mapping[str, float], names: Mapping[str, int]) -> dict[str, int]:
    """Numbers for metrics that have none yet; what is beyond the last free number is not kept."""
    free = (number for number in range(MOST_METRICS) if number not in set(names.values()))
    return dict(zip(sorted(set(values) - set(names)), free, strict=False))


def _same_hour(before_ms: int, now_ms: int) -> bool:
    return before_ms // 1000 // HOUR == now_ms // 1000 // HOUR


def _names(reply: Sequence[bytes]) -> dict[str, int]:
    return {name.decode(): int(number) for name, number in zip(reply[::2], reply[1::2], strict=True)}


def _entries(reply: Sequence[Any]) -> list[tuple[list[int], bytes]]:
    return [(minutes_of(_milliseconds(entry) // _MINUTE_MS, entry[1][1]), entry[1][1]) for entry in reply]


def _milliseconds(entry: Any) -> int:
    return int(entry[0][:-2])  # our IDs all end in -0
