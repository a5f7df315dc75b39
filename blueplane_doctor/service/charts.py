"""Shapes of the live page's charts: one polyline a metric, broken where nothing was known."""

from dataclasses import dataclass

from blueplane_doctor.service.recent import CHARTS, Points, Recent

WIDTH, HEIGHT = 300.0, 60.0
MOST_POINTS = 150


@dataclass(frozen=True)
class Chart:
    """One metric's last minutes."""

    metric: str
    unit: str
    lines: list[str]
    """Points of each unbroken line, as SVG wants them."""
    latest: float | None
    highest: float | None
    minutes: int


def charts(recent: Recent) -> list[Chart]:
    """One for each metric that is drawn."""
    return [_chart(metric, unit, recent.series(metric)) for metric, unit in CHARTS.items()]


def _chart(metric: str, unit: str, points: Points) -> Chart:
    points = points[:: max(1, len(points) // MOST_POINTS)] + points[-1:]
    known = [value for _, value in points if value is not None]
    highest = max(known, default=None)
    first, last = (points[0][0], points[-1][0]) if points else (0.0, 0.0)
    span = max(last - first, 1.0)
    lines: list[list[str]] = [[]]
    for moment, value in points:
        if value is None:
            lines.append([])
            continue
        x, y = WIDTH * (moment - first) / span, HEIGHT * (1 - value / (highest or 1))
        lines[-1].append(f"{x:.1f},{y:.1f}")
    latest = points[-1][1] if points else None
    return Chart(metric, unit, [" ".join(line) for line in lines if line], latest, highest, round(span / 60))
