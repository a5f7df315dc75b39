"""The geometry of the page's charts: the flow of the chain's messages, its bars, and the small charts of the history.

Only outlines are worked out here; every number that is shown is the report's own. A report may have been read from
a file that anybody wrote: what is no series, no time or no number is left out.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from blueplane_doctor.readings import readings
from blueplane_doctor.reports.phrases import GONE, gone
from blueplane_doctor.times import iso, parse_time

_RIVER = 96.0
"""Width of the flow that stands for all messages."""
_LEFT = 1.0
_BANK = 158.0
"""Where the texts beside the flow begin."""
_THINNEST = 2.0
"""Width of a band that stands for a single message among thousands: it must be seen."""
_STAGES = {
    "enqueued": ("waiting", "skipped", "trimmed_unread"),
    "delivered": ("in_flight", "stuck", "payload_gone", "dead_lettered", "lost", "untraceable", "unexamined"),
    "written": ("written_not_acknowledged", "written_not_delivered", "duplicate"),
}
"""The states that leave the flow after each stage."""
BARS = ("written", "waiting", "held", "dead_lettered", "broken")
_WIDTH = 240.0
_HEIGHT = 64.0
"""Of a small chart, in units of its own; the page stretches it."""
_TOP = 2.0
"""Room above the highest value, so that the line is not cut."""
_LARGEST = 1e300
"""A value beyond this is taken for a gap: sums of two such are no numbers any more."""

Point = tuple[datetime, float | None]


def flow(states: Mapping[str, int | None]) -> dict[str, Any]:
    """The flow's outline, and from top to bottom the rows beside it, with the band that leaves it there.

    A row is a stage or a state (`leak`) that leaves the flow. The outline runs down its right edge, which every band
    moves to the left, and back up at its left edge.
    """
    widths = _widths(states)
    river = sum(widths.values())
    y = 0.0
    outline = f"M{_LEFT} 0H{_LEFT + river:.1f}"
    rows: list[dict[str, Any]] = []
    for stage, leaks in _STAGES.items():
        rows.append({"stage": stage, "middle": y + 28})
        y += 46
        for name in leaks:
            width = widths.get(name, 0.0)
            height = max(30.0, width + 10)
            middle = y + height / 2
            band = _band(_LEFT + river, width, y, middle) if width else ""
            rows.append({"leak": name, "middle": middle, "band": band})
            river -= width
            outline += f"V{y:.1f}H{_LEFT + river:.1f}"
            y += height
    outline += f"V{y + 14:.1f}L{_LEFT + river / 2:.1f} {y + 32:.1f}L{_LEFT} {y + 14:.1f}Z"
    return {"rows": rows, "end": y, "height": int(y + 34), "river": outline, "bank": int(_BANK)}


STATE_KINDS = {
    "written": "done",
    "written_not_acknowledged": "aside",
    "written_not_delivered": "aside",
    "duplicate": "aside",
    "skipped": "aside",
    "waiting": "open",
    "in_flight": "open",
    "stuck": "late",
    "dead_lettered": "late",
    "untraceable": "aside",
    "unexamined": "aside",
    "lost": "break",
    **dict.fromkeys(GONE, "break"),
}
"""The states in the order of the strip, and what the colour of each stands for."""
_LEAST_PERCENT = 0.6
"""Width of a part that stands for few messages among thousands: it must be seen."""


def custody_strip(chain: object) -> dict[str, Any] | None:
    """All messages as one bar, in percent, by state; None where custody was not examined."""
    if not isinstance(chain, Mapping) or not isinstance(chain.get("states"), Mapping):
        return None
    states = chain["states"]
    counts = {state: _amount(states, state) for state in STATE_KINDS if state not in GONE}
    present = {state: count for state, count in counts.items() if count}
    whole = sum(present.values()) or 1.0
    widths = {state: max(_LEAST_PERCENT, 100 * count / whole) for state, count in present.items()}
    scale = 100 / (sum(widths.values()) or 1.0)
    parts = []
    x = 0.0
    for state, width in widths.items():
        parts.append(
            {
                "state": state,
                "kind": STATE_KINDS[state],
                "count": int(present[state]),
                "x": round(x, 2),
                "width": round(width * scale, 2),
            }
        )
        x += width * scale
    return {
        "status": str(chain.get("chain_status", "unknown")),
        "examined": chain.get("examined"),
        "parts": parts,
        "gone": gone(states),
    }


def _widths(states: Mapping[str, int | None]) -> dict[str, float]:
    """How wide each state's part of the flow is."""
    whole = sum(count or 0 for count in states.values()) or 1
    widths = {}
    for name, count in states.items():
        widths[name] = max(_THINNEST, _RIVER * count / whole) if count else 0.0
    return widths


def _band(right: float, width: float, top: float, middle: float) -> str:
    """The outline of a band that turns from the river's right edge to the bank."""
    upper = middle - width / 2
    lower = middle + width / 2
    inner = right - width
    return (
        f"M{inner:.1f} {top:.1f}Q{inner:.1f} {lower:.1f} {inner + width + 14:.1f} {lower:.1f}H{_BANK:.1f}"
        f"V{upper:.1f}H{right + 10:.1f}Q{right:.1f} {upper:.1f} {right:.1f} {top:.1f}Z"
    )


def bars(buckets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The bar chart, in percent: outlines of what was enqueued in each bucket, and on them of what became of it."""
    highest = max((_amount(bucket, "enqueued") for bucket in buckets), default=0)
    step = 100 / max(len(buckets), 1)
    scale = 100 / (highest or 1)
    enqueued = []
    became = []
    for place, bucket in enumerate(buckets):
        whole = scale * _amount(bucket, "enqueued")
        enqueued.append(("enqueued", _bar(place, step, whole, 100 - whole)))
        top = 100.0
        for kind in BARS:
            height = scale * _amount(bucket, kind)
            top -= height  # SVG counts downwards: each part stands on the one before
            if height:
                became.append((kind, _bar(place, step, height, top)))
    return {"highest": highest, "shapes": enqueued + became}


def _bar(place: int, step: float, height: float, top: float) -> str:
    """The outline of one bar; three quarters of a step wide, in its middle."""
    x = (place + 0.12) * step
    width = step * 0.76
    return f"M{x:.2f} {max(top, 0):.2f}h{width:.2f}v{min(height, 100):.2f}h-{width:.2f}Z"


def _amount(bucket: Mapping[str, Any], key: str) -> float:
    value = bucket.get(key)
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


def trends(records: Mapping[str, Any]) -> dict[str, Any] | None:
    """The charts of the history record, all on one axis of time; None where nothing was recorded.

    Each says the metric's value of now as the other records have it: a step's is the worst of its minutes.
    """
    history = records.get("history")
    if not isinstance(history, Mapping):
        return None
    series = [one for one in _as_list(history.get("series")) if isinstance(one, Mapping)]
    courses = [_points(one.get("points")) for one in series]
    times: set[datetime] = set()
    for course in courses:
        times.update(moment for moment, _ in course)
    if not times:
        return None
    axis = _Axis(min(times), max(times))
    current = {reading.name: reading.number for reading in readings(records)}
    charts = []
    for one, course in zip(series, courses, strict=True):
        chart = _chart(one, course, axis)
        chart["now"] = current.get(str(one.get("metric")))
        charts.append(chart)
    return {
        "begin": iso(axis.begin),
        "end": iso(axis.end),
        "hours": sorted({_hour(moment) for moment in times}),
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


def _points(given: object) -> list[Point]:
    """In order of time, one for each moment."""
    points: dict[datetime, float | None] = {}
    for pair in _as_list(given):
        if len(_as_list(pair)) == 2:
            moment = parse_time(pair[0])
            if moment:
                points[moment] = _measure(pair[1])
    return sorted(points.items())


def _measure(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return None
    return float(value)


def _chart(one: Mapping[str, Any], points: list[Point], axis: _Axis) -> dict[str, Any]:
    known = [value for _, value in points if value is not None]
    lowest = min(known, default=None)
    highest = max(known, default=None)
    scale = _Scale(min(0.0, lowest or 0.0), max(0.0, highest or 0.0))
    zero = scale.y(0)
    line = ""
    area = ""
    for run in _unbroken(points):
        places = [(axis.x(moment), scale.y(value)) for moment, value in run]
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
    begin = f"M{x:.1f} {y:.1f}"
    if not rest:
        return f"{begin}h0.1"
    return begin + "".join(f"L{x:.1f} {y:.1f}" for x, y in rest)


def _area(run: Sequence[tuple[float, float]], zero: float) -> str:
    """The outline of what is between a line and zero."""
    first = run[0][0]
    last = run[-1][0]
    return f"{_line(run)}L{last:.1f} {zero:.1f}L{first:.1f} {zero:.1f}Z"


def _peaks(points: Iterable[Point]) -> dict[str, float]:
    """The highest value of each hour that has one."""
    peaks: dict[str, float] = {}
    for moment, value in points:
        if value is not None:
            peaks[_hour(moment)] = max(value, peaks.get(_hour(moment), -math.inf))
    return peaks


def _hour(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:00")
