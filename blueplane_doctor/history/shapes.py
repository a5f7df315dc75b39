"""Series as text: a sparkline, a table of them, JSON, CSV."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from blueplane_doctor.history.samples import MINUTE, Point

Read = Mapping[str, Sequence[Point]]
WIDTH = 60
"""Characters of a sparkline."""
BLOCKS = "▁▂▃▄▅▆▇█"
_HEADINGS = ["metric", "course", "min", "mean", "max", "last"]


def sparkline(values: Sequence[float | None], width: int) -> str:
    """At most `width` characters, each the largest of the values that it stands for: a peak must be seen.

    The lowest is ▁ and the highest █; all equal: ▁ for zero, else ▄. A gap is a space.
    """
    if len(values) > width:
        edges = [len(values) * i // width for i in range(width + 1)]
        parts = (values[start:end] for start, end in zip(edges, edges[1:], strict=False))
        values = [max((v for v in part if v is not None), default=None) for part in parts]
    known = [value for value in values if value is not None]
    low, high = min(known, default=0), max(known, default=0)
    if low == high:
        return "".join(" " if value is None else "▁" if value == 0 else "▄" for value in values)
    top = len(BLOCKS) - 1
    return "".join(" " if v is None else BLOCKS[round((v - low) / (high - low) * top)] for v in values)


def table(read: Read, step: int) -> str:
    """A line for each metric: its course, and what the steps' values come to."""
    points = next(iter(read.values()))
    rows = [_HEADINGS, *(_row(name, [value for _, value in series]) for name, series in read.items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    head = (
        f"{_time(points[0][0])} to {_time(points[-1][0])}, a value for every {step // MINUTE} min; "
        "a space is a time without samples\n\n"
    )
    return head + "".join(_line(row, widths) + "\n" for row in rows)


def as_json(read: Read, step: int) -> str:
    """Each metric's points, null where nothing was recorded."""
    import json

    series = {name: [{"time": _time(at), "value": value} for at, value in points] for name, points in read.items()}
    return json.dumps({"schema_version": 1, "step_seconds": step, "metrics": series}, indent=1) + "\n"


def as_csv(read: Read, step: int) -> str:
    """A line for each step, a column for each metric; empty where nothing was recorded."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time", *(_inert(name) for name in read)])
    for row in zip(*read.values(), strict=True):
        writer.writerow([_time(row[0][0]), *("" if value is None else _number(value) for _, value in row)])
    return out.getvalue()


def _row(name: str, values: Sequence[float | None]) -> list[str]:
    known = [value for value in values if value is not None]
    numbers = (min(known), sum(known) / len(known), max(known), known[-1]) if known else ()
    return [name, sparkline(values, WIDTH), *(map(_short, numbers) if numbers else [""] * 4)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Names and courses from the left, numbers from the right."""
    placed = [c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
    return "  ".join(placed).rstrip()


def _short(value: float) -> str:
    return f"{int(value):,}" if value.is_integer() else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _inert(text: str) -> str:
    """A name that no spreadsheet takes for a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
