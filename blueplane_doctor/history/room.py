"""Until when room lasts that shrinks: memory below a limit, or free space of a disk. Pure functions over samples."""

from collections.abc import Sequence
from itertools import pairwise

from blueplane_doctor.history.samples import MINUTE, Sample, points_of
from blueplane_doctor.history.series import FEWEST, is_fresh, rate_per_minute
from blueplane_doctor.records.base import Record
from blueplane_doctor.text.times import MINUTE_MS, iso_of_seconds, readable, span

_MOST_MINUTES = 7 * 24 * 60
"""What lies farther ahead than a week, an hour of samples cannot tell."""
_WINDOWS = (3600, 600)
"""Seconds. An hour is not misled by one large file; ten minutes show what has only begun."""
_FREE = {
    "database": "disk_space.database_free_mb",
    "spool": "disk_space.spool_free_mb",
    "redis": "disk_space.redis_free_mb",
}
_USED_MEMORY = "redis.used_memory_mb"
_MEMORY_LIMIT = "redis.maxmemory_mb"
METRICS = (*_FREE.values(), _USED_MEMORY, _MEMORY_LIMIT)
"""What the forecasts are made of."""

Points = list[tuple[int, float]]


class RoomForecast(Record):
    """When room that shrinks is used up, at the rate of the samples."""

    minutes_left: float
    full_timestamp: str
    """When that is."""
    mb_per_minute: float
    """How much it shrinks."""
    samples: int
    """How many it rests on."""
    minutes_seen: float
    """From the first of them to the last."""

    @property
    def words(self) -> str:
        """Until when, and how that is known."""
        seen = span(self.minutes_seen * MINUTE_MS)
        left = span(self.minutes_left * MINUTE_MS)
        return f"at the rate of the last {seen} nothing is left in about {left} ({readable(self.full_timestamp)})"


def forecasts(samples: Sequence[Sample], now: float) -> dict[str, RoomForecast]:
    """By `memory`, `database`, `spool` and `redis`: only where the room shrinks over at least three samples."""
    rooms = {name: points_of(samples, metric) for name, metric in _FREE.items()}
    rooms["memory"] = _free_memory(samples)
    result = {}
    for name, points in rooms.items():
        forecast = forecast_of(points, now)
        if forecast:
            result[name] = forecast
    return result


def forecast_of(points: Points, now: float) -> RoomForecast | None:
    """The soonest end that one of the windows leads to; None where the room does not shrink, or nobody can tell."""
    if not is_fresh(points, now):
        return None
    soonest: RoomForecast | None = None
    for seconds in _WINDOWS:
        lately = []
        for point in points:
            if point[0] >= now - seconds:
                lately.append(point)
        forecast = _in_window(lately, now)
        if forecast and (soonest is None or forecast.minutes_left < soonest.minutes_left):
            soonest = forecast
    return soonest


def _in_window(points: Points, now: float) -> RoomForecast | None:
    if len(points) < FEWEST:
        return None
    slope = rate_per_minute(points)
    steps = []
    for (before, earlier), (after, later) in pairwise(points):
        steps.append((later - earlier) / max(1, after - before) * MINUTE)
    third = len(points) // 3
    highest_of_last = max(value for _, value in points[-third:])
    lowest_of_first = min(value for _, value in points[:third])
    if highest_of_last >= lowest_of_first:
        return None  # up and down, as with a file that is written anew again and again
    # One large file makes a slope, while most steps are level. So the slower of both counts.
    change = max(slope or 0.0, sorted(steps)[len(steps) // 2])  # the median
    free = points[-1][1]
    if change >= 0 or free <= 0:
        return None
    minutes_left = free / -change
    if minutes_left > _MOST_MINUTES:
        return None
    minutes_seen = (points[-1][0] - points[0][0]) / MINUTE
    return RoomForecast(
        minutes_left=round(minutes_left, 2),
        full_timestamp=iso_of_seconds(int(now + minutes_left * MINUTE)),
        mb_per_minute=round(-change, 3),
        samples=len(points),
        minutes_seen=round(minutes_seen, 1),
    )


def _free_memory(samples: Sequence[Sample]) -> Points:
    points = []
    for sample in samples:
        used = sample.values.get(_USED_MEMORY)
        limit = sample.values.get(_MEMORY_LIMIT)
        if used is not None and limit:
            points.append((sample.time, limit - used))
    return points
