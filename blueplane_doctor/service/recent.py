"""The last minutes of a few metrics, kept in memory for the charts of the live page."""

from collections import deque
from collections.abc import Mapping
from typing import Any

KEPT = 900
"""Samples: a quarter of an hour at one a second."""
CHARTS = {
    "queue.queue_depth": "messages",
    "queue.consumer_lag_ms": "ms",
    "queue.enqueue_rate_events_per_sec": "a second",
    "database.write_throughput_events_per_sec": "a second",
    "capture.capture_rate_events_per_min": "a minute",
    "chain.chain_break_count": "messages",
}
"""Metrics that are drawn, with their units."""

Points = list[tuple[float, float | None]]


class Recent:
    """A ring of samples; one thread adds, many read."""

    def __init__(self, kept: int = KEPT) -> None:
        self._samples: deque[tuple[float, dict[str, float | None]]] = deque(maxlen=kept)

    def add(self, moment: float, metrics: Mapping[str, Any]) -> None:
        """Keep one value of each; a second sample of the same moment replaces the first."""
        values = {path: _number(metrics, path) for path in CHARTS}
        if self._samples and self._samples[-1][0] >= moment:
            self._samples.pop()
        self._samples.append((moment, values))

    def series(self, path: str) -> Points:
        """(seconds since 1970, value) of one metric, oldest first; None where it was not known."""
        return [(moment, values[path]) for moment, values in list(self._samples)]


def _number(metrics: Mapping[str, Any], path: str) -> float | None:
    record, _, name = path.partition(".")
    value = (metrics.get(record) or {}).get(name)
    return float(value) if isinstance(value, int | float) else None
