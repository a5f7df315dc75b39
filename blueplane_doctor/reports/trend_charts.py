"""The geometry of the small charts of the history: one axis of time, a line and an area for each metric.

A report may have been read from a file that anybody wrote: what is no series, no time or no number is left out.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from blueplane_doctor.readings import readings
from blueplane_doctor.text.times import iso, parse_time

_WIDTH = 240.0
_HEIGHT = 64.0
"""Of a small chart, in units of its own; the page stretches it."""
_TOP = 2.0
"""Room above the highest value, so that the line is not cut."""
_LARGEST = 1e300
"""A value beyond this is taken for a gap: sums of two such are no numbers any more."""

_Point = tuple[datetime, float | None]


def trends(records: Mapping[str, Any]) -> dict[str, Any] | None:
    """The charts of the history record, all on one axis of time; None where nothing was recorded.

    Each says the metric's value of now as the other records have it: a step's is the worst of its minutes.
    """
    history = records.get("history")
    if not isinstance(history, Mapping):
        return None
    series: list[tuple[Mapping[str, Any], list[_Point]]] = []
    times: set[datetime] = set()
    for one in _as_list(history.get("series")):
        if isinstance(one, Mapping):
            points = _points(one.get("points"))
            series.append((one, points))
            for moment, _ in points:
                times.add(moment)
    if not times:
        return None
    axis = _Axis(min(times), max(times))
    current = {reading.name: reading.number for reading in readings(records)}
    charts = []
    for one, points in series:
        chart = _chart(one, points, axis)
        chart["now"] = current.get(str(one.get("metric")))
        charts.append(chart)
    return {
        "begin": iso(axis.begin),
        "end": iso(axis.end),
        "hours": sorted(set(map(_hour, times))),
        "series": charts,
    }


class _Axis(NamedTuple):
    """The time that all charts show."""

    begin: datetime
    end: datetime

    def x(self, moment: datetime) -> float:
        """Where a moment lies; at the right edge when there is only one."""
        whole = (self.end - self.begin).total_seconds()
        if whole == 0:
            return _WIDTH
        return _WIDTH * (moment - self.begin).total_seconds() / whole


class _Scale(NamedTuple):
    """The values that one chart shows, from zero or below to zero or above."""

    floor: float
    ceiling: float

    def y(self, value: float) -> float:
        """Where a value lies; SVG counts downwards."""
        reach = self.ceiling - self.floor
        if reach == 0:
            return _HEIGHT
        return _HEIGHT - (_HEIGHT - _TOP) * (value - self.floor) / reach


def _as_list(value: object) -> Sequence[Any]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value
    return []


def _points(given: object) -> list[_Point]:
    """In order of time, one for each moment."""
    points: dict[datetime, float | None] = {}
    for pair in _as_list(given):
        if len(_as_list(pair)) == 2:
            moment = parse_time(pair[0])
            if moment:
                points[moment] = _measure(pair[1])
    return sorted(points.items())


def _measure(value: object) -> float | None:
    # A boolean is an integer to Python; `nan` is not below anything.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return None
    return float(value)


def _chart(one: Mapping[str, Any], points: list[_Point], axis: _Axis) -> dict[str, Any]:
    known = []
    for _, value in points:
        if value is not None:
            known.append(value)
    lowest = min(known, default=None)
    highest = max(known, default=None)
    scale = _Scale(min(0.0, lowest or 0.0), max(0.0, highest or 0.0))
    zero = scale.y(0)
    line = ""
    area = ""
    for run in _unbroken(points):
        places = []
        for moment, value in run:
            places.append((axis.x(moment), scale.y(value)))
        line += _line(places)
        if len(places) > 1:
            area += _area(places, zero)
    label = str(one.get("label") or one.get("metric") or "no name")
    unit = str(one.get("unit") or "")
    heading = label
    if unit:
        heading = f"{label} ({unit})"
    return {
        "label": label,
        "unit": unit,
        "heading": heading,
        "lowest": lowest,
        "highest": highest,
        "zero": f"{zero:.1f}",
        "line": line,
        "area": area,
        "hours": _peaks(points),
    }


def _unbroken(points: Iterable[_Point]) -> Iterator[list[tuple[datetime, float]]]:
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
    outline = f"M{x:.1f} {y:.1f}"
    if not rest:
        return f"{outline}h0.1"
    for x, y in rest:
        outline += f"L{x:.1f} {y:.1f}"
    return outline


def _area(run: Sequence[tuple[float, float]], zero: float) -> str:
    """The outline of what is between a line and zero."""
    first = run[0][0]
    last = run[-1][0]
    return f"{_line(run)}L{last:.1f} {zero:.1f}L{first:.1f} {zero:.1f}Z"


def _peaks(points: Iterable[_Point]) -> dict[str, float]:
    """The highest value of each hour that has one."""
    peaks: dict[str, float] = {}
    for moment, value in points:
        if value is not None:
            peaks[_hour(moment)] = max(value, peaks.get(_hour(moment), -math.inf))
    return peaks


def _hour(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:00")
