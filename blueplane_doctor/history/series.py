"""Series of one metric: points in time order, put into steps; what both stores and every reader share."""

from collections.abc import Mapping

Point = tuple[int, float | None]
"""Start of a step (seconds since 1970), and its value; None where nothing was recorded."""

MINUTE = 60
RETENTION = 7 * 24 * 3600
"""Seconds that a sample is kept."""

AVERAGE, LARGEST, LAST = "avg", "max", "last"
_COUNTERS = ("entries_added", "entries_read", "last_delivered")


def aggregation_of(metric: str) -> str:
    """How several minutes of this metric become one value.

    A mean, but the worst of states (a red minute must not vanish in green ones) and the last of counters.
    """
    if metric.startswith("status.") or metric.endswith("_status"):
        return LARGEST
    return LAST if metric.endswith(_COUNTERS) or metric.startswith("database.tables.") else AVERAGE


def bounds(since: float, until: float, step: int) -> tuple[int, int]:
    """Start of the first step, and the last second that counts. Steps are aligned to 1970, as the server does."""
    return int(since // step * step), int(until)


def in_steps(points: Mapping[int, float], since: float, until: float, step: int, how: str) -> list[Point]:
    """Every step from `since` to `until` with its value, None where no minute was recorded.

    `points` are by minute since 1970.
    """
    start, end = bounds(since, until, step)
    row = list(map(points.get, range(start // MINUTE, end // MINUTE + 1)))
    steps: list[Point] = []
    for at in range(start, end + 1, step):
        first = (at - start) // MINUTE
        values = [value for value in row[first : first + step // MINUTE] if value is not None]
        steps.append((at, tidy(one_of(values, how)) if values else None))
    return steps


def one_of(values: list[float], how: str) -> float:
    """One value for several."""
    if how == LARGEST:
        return max(values)
    return values[-1] if how == LAST or len(values) == 1 else sum(values) / len(values)


def tidy(value: float) -> float:
    """Without the noise of binary fractions: integers as they are, the rest to 7 significant digits."""
    return value if value.is_integer() else float(f"{value:.7g}")
