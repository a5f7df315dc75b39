"""The geometry of the HTML report's small charts: what `metrics.history` holds, as outlines of SVG paths.

A report may have been read from a file that anybody wrote: what is no series, no time or no number is left out.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from blueplane_doctor.times import iso, parse_time, span

WIDTH, HEIGHT = 240.0, 64.0
"""Of a chart, in units of its own; the page stretches it."""
TOP = 2.0
"""Room above the highest value, so that the line is not cut."""
LARGEST = 1e300
"""A value beyond this is taken for a gap: sums of two such are no numbers any more."""

Point = tuple[datetime, float | None]


def trends(history: object) -> dict[str, Any] | None:
    """The charts of a history record, all on one axis of time; None where nothing was recorded."""
    given = history.get("series") if isinstance(history, Mapping) else None
    if not isinstance(given, Sequence) or isinstance(given, str):
        return None
    read = [(one, _points(one.get("points"))) for one in given if isinstance(one, Mapping)]
    times = [moment for _, points in read for moment, _ in points]
    if not times:
        return None
    begin, end = min(times), max(times)
    return {
        "begin": iso(begin),
        "end": iso(end),
        "hours": sorted({_hour(moment) for moment in times}),
        "series": [_chart(one, points, begin, end) for one, points in read],
    }


def quantity(value: float | None, unit: object = "") -> str:
    """A value with its unit, as a person reads it: `1,204 messages`, `2.5 s` for milliseconds, `–` for none."""
    if value is None:
        return "–"
    if unit == "ms" and 0 <= value < 1e15:
        return span(value)
    amount = f"{value:,.2f}".rstrip("0").rstrip(".") if 0.01 <= abs(value) < 1e15 else f"{value:g}"
    return f"{amount}{'' if unit == '%' or not unit else ' '}{unit or ''}"


def _points(given: object) -> list[Point]:
    """In order of time, one for each moment."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        return []
    pairs = (pair for pair in given if isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2)
    timed = {moment: _measure(value) for time, value in pairs if (moment := parse_time(time))}
    return sorted(timed.items())


def _measure(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST:
        return None
    return float(value)


def _chart(one: Mapping[str, Any], points: list[Point], begin: datetime, end: datetime) -> dict[str, Any]:
    known = [value for _, value in points if value is not None]
    lowest, highest = min(known, default=None), max(known, default=None)
    floor, ceiling = min(0.0, lowest or 0.0), max(0.0, highest or 0.0)
    whole = (end - begin).total_seconds()

    def across(moment: datetime) -> float:
        return WIDTH * (moment - begin).total_seconds() / whole if whole else WIDTH

    def down(value: float) -> float:
        reach = ceiling - floor
        return HEIGHT - (HEIGHT - TOP) * (value - floor) / reach if reach else HEIGHT

    runs = [[(across(moment), down(value)) for moment, value in run] for run in _unbroken(points)]
    return {
        "label": str(one.get("label") or one.get("metric") or "no name"),
        "unit": str(one.get("unit") or ""),
        "newest": points[-1][1] if points else None,
        "lowest": lowest,
        "highest": highest,
        "zero": f"{down(0):.1f}",
        "line": "".join(_line(run) for run in runs),
        "area": "".join(_area(run, down(0)) for run in runs if len(run) > 1),
        "hours": _peaks(points),
    }


def _unbroken(points: Iterable[Point]) -> Iterator[list[tuple[datetime, float]]]:
    """The stretches without a gap."""
    run: list[tuple[datetime, float]] = []
    for moment, value in points:
        if value is not None:
            run.append((moment, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _line(run: Sequence[tuple[float, float]]) -> str:
    """An outline; a single point becomes a dot by its round ends."""
    (x, y), *rest = run
    return f"M{x:.1f} {y:.1f}" + ("".join(f"L{x:.1f} {y:.1f}" for x, y in rest) or "h0.1")


def _area(run: Sequence[tuple[float, float]], zero: float) -> str:
    return f"{_line(run)}L{run[-1][0]:.1f} {zero:.1f}L{run[0][0]:.1f} {zero:.1f}Z"


def _peaks(points: Iterable[Point]) -> dict[str, float]:
    """The highest value of each hour that has one."""
    peaks: dict[str, float] = {}
    for moment, value in points:
        if value is not None:
            peaks[_hour(moment)] = max(value, peaks.get(_hour(moment), -math.inf))
    return peaks


def _hour(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:00")
