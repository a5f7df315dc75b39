"""The geometry of the page's pictures: the chain as a river, its bar chart, and the small charts of the history.

Only outlines are worked out here; every number that is shown is the report's own. A report may have been read from
a file that anybody wrote: what is no series, no time or no number is left out.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from blueplane_doctor.times import iso, parse_time

_RIVER, _LEFT, _BANK = 96.0, 1.0, 158.0
_STAGES = {
    "enqueued": ("waiting", "skipped", "trimmed_unread"),
    "delivered": ("in_flight", "stuck", "payload_gone", "dead_lettered", "lost", "untraceable", "unexamined"),
    "written": ("duplicate",),
}
"""What leaves the river after each stage."""
BARS = ("written", "waiting", "held", "dead_lettered", "broken")
_WIDTH, _HEIGHT = 240.0, 64.0
"""Of a small chart, in units of its own; the page stretches it."""
_TOP = 2.0
"""Room above the highest value, so that the line is not cut."""
_LARGEST = 1e300
"""A value beyond this is taken for a gap: sums of two such are no numbers any more."""

Point = tuple[datetime, float | None]


def flow(states: Mapping[str, int | None]) -> dict[str, Any]:
    """The river's outline, and from top to bottom the rows beside it, with the band that leaves it there."""
    whole = sum(count or 0 for count in states.values()) or 1
    widths = {name: max(2.0, _RIVER * count / whole) if count else 0.0 for name, count in states.items()}
    river, y = sum(widths.values()), 0.0
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


def _band(right: float, width: float, top: float, middle: float) -> str:
    """The outline of a band that turns from the river's right edge to the bank."""
    upper, lower = middle - width / 2, middle + width / 2
    inner = right - width
    return (
        f"M{inner:.1f} {top:.1f}Q{inner:.1f} {lower:.1f} {inner + width + 14:.1f} {lower:.1f}H{_BANK:.1f}"
        f"V{upper:.1f}H{right + 10:.1f}Q{right:.1f} {upper:.1f} {right:.1f} {top:.1f}Z"
    )


def bars(buckets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The bar chart, in percent: outlines of what was enqueued in each bucket, and on them of what became of it."""
    highest = max((_amount(bucket, "enqueued") for bucket in buckets), default=0)
    step = 100 / max(len(buckets), 1)

    def bar(place: int, height: float, top: float) -> str:
        across = f"h{step * 0.76:.2f}v{min(height, 100):.2f}h-{step * 0.76:.2f}Z"
        return f"M{(place + 0.12) * step:.2f} {max(top, 0):.2f}{across}"

    enqueued, became = [], []
    for place, bucket in enumerate(buckets):
        heights = {kind: 100 * _amount(bucket, kind) / (highest or 1) for kind in ("enqueued", *BARS)}
        whole, top = heights.pop("enqueued"), 100.0
        enqueued.append(("enqueued", bar(place, whole, 100 - whole)))
        for kind, height in heights.items():
            top -= height
            if height:
                became.append((kind, bar(place, height, top)))
    return {"highest": highest, "shapes": enqueued + became}


def _amount(bucket: Mapping[str, Any], key: str) -> float:
    value = bucket.get(key)
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


def trends(history: object) -> dict[str, Any] | None:
    """The charts of a history record, all on one axis of time; None where nothing was recorded."""
    given = _listed(history.get("series")) if isinstance(history, Mapping) else []
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


def _listed(given: object) -> Sequence[Any]:
    return given if isinstance(given, Sequence) and not isinstance(given, str) else []


def _points(given: object) -> list[Point]:
    """In order of time, one for each moment."""
    pairs = (pair for pair in _listed(given) if len(_listed(pair)) == 2)
    timed = {moment: _measure(value) for time, value in pairs if (moment := parse_time(time))}
    return sorted(timed.items())


def _measure(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return None
    return float(value)


def _chart(one: Mapping[str, Any], points: list[Point], begin: datetime, end: datetime) -> dict[str, Any]:
    known = [value for _, value in points if value is not None]
    lowest, highest = min(known, default=None), max(known, default=None)
    floor, ceiling = min(0.0, lowest or 0.0), max(0.0, highest or 0.0)
    whole = (end - begin).total_seconds()

    def across(moment: datetime) -> float:
        return _WIDTH * (moment - begin).total_seconds() / whole if whole else _WIDTH

    def down(value: float) -> float:
        reach = ceiling - floor
        return _HEIGHT - (_HEIGHT - _TOP) * (value - floor) / reach if reach else _HEIGHT

    runs = [[(across(moment), down(value)) for moment, value in run] for run in _unbroken(points)]
    label, unit = str(one.get("label") or one.get("metric") or "no name"), str(one.get("unit") or "")
    return {
        "label": label,
        "unit": unit,
        "heading": f"{label} ({unit})" if unit else label,
        "newest": points[-1][1] if points else None,
        "lowest": lowest,
        "highest": highest,
        "zero": f"{down(0):.1f}",
        "line": "".join(map(_line, runs)),
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
