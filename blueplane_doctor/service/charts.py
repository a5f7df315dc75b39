"""The live page's charts: the last minutes of a few metrics, kept in memory."""

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

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
WIDTH, HEIGHT = 300.0, 60.0
MOST_POINTS = 150


class Chart(NamedTuple):
    """One metric's last minutes."""

    metric: str
    unit: str
    lines: list[str]
    """Points for SVG; a line ends where nothing was known."""
    latest: float | None
    highest: float | None
    minutes: int


class Recent:
    """A ring of samples: one thread adds, many draw."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, float | None]]] = deque(maxlen=KEPT)

    def add(self, moment: float, metrics: Mapping[str, Any]) -> None:
        """Keep one value of each; a second sample of the same moment (seconds since 1970) replaces the first."""
        values = {path: _number(metrics, path) for path in CHARTS}
        if self._samples and self._samples[-1][0] >= moment:
            self._samples.pop()
        self._samples.append((moment, values))

    def charts(self) -> list[Chart]:
        """One for each metric that is drawn."""
        samples = list(self._samples)
        samples = samples[:: max(1, len(samples) // MOST_POINTS)] + samples[-1:]
        return [
            _chart(metric, unit, [(moment, values[metric]) for moment, values in samples])
            for metric, unit in CHARTS.items()
        ]


def _chart(metric: str, unit: str, points: list[tuple[float, float | None]]) -> Chart:
    highest = max((value for _, value in points if value is not None), default=None)
    (first, _), (last, latest) = (points[0], points[-1]) if points else ((0.0, None), (0.0, None))
    span = max(last - first, 1.0)
    lines: list[list[str]] = [[]]
    for moment, value in points:
        if value is None:
            lines.append([])
        else:
            lines[-1].append(f"{WIDTH * (moment - first) / span:.1f},{HEIGHT * (1 - value / (highest or 1)):.1f}")
    return Chart(metric, unit, [" ".join(line) for line in lines if line], latest, highest, round(span / 60))


def _number(metrics: Mapping[str, Any], path: str) -> float | None:
    record, _, name = path.partition(".")
    value = (metrics.get(record) or {}).get(name)
    return float(value) if isinstance(value, int | float) else None
