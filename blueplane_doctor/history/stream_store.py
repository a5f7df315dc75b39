"""The history in plain Redis: one stream with a small entry for every sample, and a hash that numbers the metrics."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from blueplane_doctor.errors import SourceUnusable
from blueplane_doctor.history.link import Link
from blueplane_doctor.history.packing import (
    MOST_METRICS,
    MOST_MINUTES_BACK,
    Entries,
    is_whole,
    pack,
    rounded,
    series_of,
    unpack_all,
)
from blueplane_doctor.history.samples import Sample
from blueplane_doctor.history.series import MINUTE, RETENTION, Point, aggregation_of, bounds, in_steps, tidy

HOUR = 3600
_KEPT_MS = (RETENTION + HOUR) * 1000
"""An hour more than is read, for a reader begins at the first whole entry."""
_ENTRIES_AN_HOUR = 61
_ATTEMPTS = 3


class StreamStore:
    """Works on every Redis since 6.2 and every Valkey."""

    name: ClassVar[str] = "stream"

    def __init__(self, link: Link, prefix: str) -> None:
        self._link = link
        self.samples_key = prefix + "samples"
        self.names_key = prefix + "names"

    def write(self, sample: Sample) -> None:
        """Append a sample. Raises SourceError.

        The state before is read from the stream itself, so that it does not matter which process wrote it; that
        somebody else writes in the same moment shows in the refused ID, and is begun again.
        """
        for _ in range(_ATTEMPTS):
            names, entries = self._newest(_ENTRIES_AN_HOUR)
            if entries[0] and sample.time < entries[0][-1] // 1000 - min(RETENTION, MOST_MINUTES_BACK * MINUTE):
                return  # older than what is kept
            if self._append(sample, names, entries):
                return
        raise SourceUnusable(f"Redis at {self._link.address}: somebody else writes to {self.samples_key} as well")

    def read(self, metrics: Sequence[str], since: float, until: float, step: int) -> dict[str, list[Point]]:
        """Each metric's steps, in one round trip. Raises SourceError."""
        start, _ = bounds(since, until, step)
        # Samples may stand in the stream after later ones (a clock that stepped back), so it is read to its end.
        first = max(0, start // HOUR * HOUR * 1000)
        names_reply, reply = self._link.ask(("HGETALL", self.names_key), ("XRANGE", self.samples_key, first, "+"))
        self._link.check(names_reply, reply)
        names, entries = _names(names_reply), _entries(reply)
        return {
            metric: in_steps(_points(names, metric, entries), since, until, step, aggregation_of(metric))
            for metric in metrics
        }

    def latest(self, metric: str, count: int) -> list[tuple[int, float]]:
        """The newest values, oldest first. Raises SourceError."""
        wanted = count + _ENTRIES_AN_HOUR
        while True:
            names, entries = self._newest(wanted)
            points = _points(names, metric, entries)
            if len(points) >= count or len(entries[0]) < wanted:
                return [(moment, tidy(value)) for moment, value in sorted(points.items())[-count:]]
            wanted *= 4

    def metrics(self) -> list[str]:
        """Names of all metrics. Raises SourceError."""
        return sorted(_names(self._link.ask_one("HGETALL", self.names_key)))

    def _newest(self, count: int) -> tuple[dict[str, int], Entries]:
        names, reply = self._link.ask(
            ("HGETALL", self.names_key), ("XREVRANGE", self.samples_key, "+", "-", "COUNT", count)
        )
        self._link.check(names, reply)
        return _names(names), _entries(reply[::-1])

    def _append(self, sample: Sample, names: Mapping[str, int], entries: Entries) -> bool:
        """Whether the entry was taken; not when somebody else added one in between."""
        newest = entries[0][-1] if entries[0] else 0
        at = max(sample.time * 1000, newest + 1)
        new = _numbered(sample.values, names)
        numbers = {**names, **new}
        values = {numbers[name]: rounded(value) for name, value in sample.values.items() if name in numbers}
        before = _state(entries) if _same_hour(newest, at) else None
        data = pack(before, values, at // 1000 // MINUTE - sample.time // MINUTE)
        commands: list[tuple[str | bytes | int, ...]] = []
        if new:
            commands.append(("HSET", self.names_key, *(word for pair in new.items() for word in pair)))
        commands += [
            ("XADD", self.samples_key, "MINID", "~", max(0, at - _KEPT_MS), f"{at}-0", "s", data),
            ("EXPIRE", self.samples_key, RETENTION),
            ("EXPIRE", self.names_key, RETENTION),
        ]
        replies = self._link.ask(*commands)
        added = replies[-3]
        if isinstance(added, Exception) and "equal or smaller" in str(added):
            return False
        self._link.check(*replies)
        return True


def _numbered(values: Mapping[str, float], names: Mapping[str, int]) -> dict[str, int]:
    """Numbers for metrics that have none yet; what is beyond the last free number is not kept."""
    free = (number for number in range(MOST_METRICS) if number not in set(names.values()))
    return dict(zip(sorted(set(values) - set(names)), free, strict=False))


def _state(entries: Entries) -> dict[int, float] | None:
    """Values after the newest entry; None when no whole entry is among them."""
    state: dict[int, float] = {}
    began = False
    for data in entries[1]:
        began = began or is_whole(data)
        if began:
            unpack_all(data, state)
    return state if began else None


def _same_hour(before_ms: int, now_ms: int) -> bool:
    return before_ms // 1000 // HOUR == now_ms // 1000 // HOUR


def _points(names: Mapping[str, int], metric: str, entries: Entries) -> dict[int, float]:
    return series_of(names[metric], entries) if metric in names else {}


def _names(reply: Sequence[bytes]) -> dict[str, int]:
    return {name.decode(): int(number) for name, number in zip(reply[::2], reply[1::2], strict=True)}


def _entries(reply: Sequence[Any]) -> Entries:
    return [int(entry[0][:-2]) for entry in reply], [entry[1][1] for entry in reply]  # our IDs all end in -0
