"""Series as text: a sparkline, a table of them, JSON, CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from blueplane_doctor.history.samples import MINUTE, Point
from blueplane_doctor.metrics import STATE
from blueplane_doctor.readings import metric_of
from blueplane_doctor.text.quantities import known, number
from blueplane_doctor.text.times import readable

Read = Mapping[str, Sequence[Point]]
_WIDTH = 60
"""Characters of a sparkline."""
_BLOCKS = "▁▂▃▄▅▆▇█"
_DIGITS = 4
"""Significant digits of a number in the table."""
_GAP = " "
_LEVEL_ZERO = _BLOCKS[0]
_LEVEL = _BLOCKS[3]
"""What stands for a series that never moves: at the bottom when it is zero, else in the middle."""
_HEADINGS = ["metric", "course", "min", "median", "max", "last", "unit"]
_TEXT_COLUMNS = ("metric", "course", "unit")
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


def sparkline(values: Sequence[float | None], width: int) -> str:
    """At most `width` characters, each the largest of the values that it stands for: a peak must be seen.

    The lowest is ▁ and the highest █; all equal: ▁ for zero, else ▄. A gap is a space.
    """
    if len(values) > width:
        values = _squeezed(values, width)
    recorded = known(values)
    low = min(recorded, default=0)
    high = max(recorded, default=0)
    top = len(_BLOCKS) - 1
    line = ""
    for value in values:
        if value is None:
            line += _GAP
        elif low < high:
            line += _BLOCKS[round((value - low) / (high - low) * top)]
        elif value == 0:
            line += _LEVEL_ZERO
        else:
            line += _LEVEL
    return line


def _squeezed(values: Sequence[float | None], width: int) -> list[float | None]:
    """As many values as there are characters, the largest of each part; None where a part has none."""
    largest: list[float | None] = []
    for place in range(width):
        begin = len(values) * place // width
        end = len(values) * (place + 1) // width
        largest.append(max(known(values[begin:end]), default=None))
    return largest


def table(read: Read, step: int) -> str:
    """A line for each metric: its course, and what the steps' values come to."""
    points = next(iter(read.values()))
    rows = [_HEADINGS]
    for name, series in read.items():
        rows.append(_row(name, [value for _, value in series]))
    widths = []
    for column in zip(*rows, strict=True):
        widths.append(max(map(len, column)))
    rows.insert(1, ["-" * width for width in widths])
    first = readable(_time(points[0][0]))
    last = readable(_time(points[-1][0]))
    text = f"Steps of {step // MINUTE} min, the first from {first} on, the last from {last} on; "
    text += "a space is a time without samples\n\n"
    for row in rows:
        text += _line(row, widths) + "\n"
    return text


def as_json(read: Read, step: int) -> str:
    """Each metric's points, null where nothing was recorded."""
    metrics = {}
    for name, points in read.items():
        metrics[name] = [{"time": _time(moment), "value": value} for moment, value in points]
    return json.dumps({"schema_version": 1, "step_seconds": step, "metrics": metrics}, indent=1) + "\n"


def as_csv(read: Read, step: int) -> str:
    """A line for each step, a column for each metric; empty where nothing was recorded."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time", *map(_inert, read)])
    for points in zip(*read.values(), strict=True):
        moment = points[0][0]
        writer.writerow([_time(moment), *(_exact(value) for _, value in points)])
    return out.getvalue()


def _row(name: str, values: Sequence[float | None]) -> list[str]:
    cells = [name, sparkline(values, _WIDTH)]
    recorded = known(values)
    if recorded:
        middle = sorted(recorded)[(len(recorded) - 1) // 2]  # a value that was recorded: of counts it is whole
        for value in (min(recorded), middle, max(recorded), recorded[-1]):
            cells.append(number(value, _DIGITS))
    else:
        cells += [""] * 4
    return [*cells, _unit(name)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Text from the left, numbers from the right."""
    placed = []
    for heading, cell, width in zip(_HEADINGS, cells, widths, strict=True):
        if heading in _TEXT_COLUMNS:
            placed.append(cell.ljust(width))
        else:
            placed.append(cell.rjust(width))
    return "  ".join(placed).rstrip()


def _unit(name: str) -> str:
    metric = metric_of(name)
    if metric is None or metric.unit == STATE:
        return ""
    return metric.unit


def _exact(value: float | None) -> str:
    """The value with all its digits; empty for none."""
    if value is None:
        return ""
    if value.is_integer():
        return str(int(value))
    return repr(value)


def _inert(name: str) -> str:
    """A name that no spreadsheet takes for a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    if name.startswith(_FORMULA_BEGINS):
        return "'" + name
    return name


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
