"""What the course of one number says: its rate, its rise, and when it reaches a limit. Pure functions over points."""

from collections.abc import Sequence
from itertools import pairwise

from blueplane_doctor.history.samples import MINUTE

FRESH_SECONDS = 180
"""A newest sample older than this is no evidence of now: three minutes, so that one missed sample is forgiven."""

FEWEST = 3
"""Samples that a verdict on movement needs: two intervals, so that no colour rests on one difference."""

Points = Sequence[tuple[int, float | None]]
"""Seconds since 1970, and a value; None where nothing was recorded."""


def rate_per_minute(points: Points) -> float | None:
    """Slope of the line through these points, by least squares; None for fewer than two moments."""
    known = _known(points)
    if len(known) < 2:
        return None
    # Deviations from the mean are squared, not the times themselves: of squares of seconds since 1970 a float would
    # keep too few digits.
    middle = sum(moment for moment, _ in known) / len(known)
    mean = sum(value for _, value in known) / len(known)
    spread = sum((moment - middle) ** 2 for moment, _ in known)
    if not spread:
        return None
    together = sum((moment - middle) * (value - mean) for moment, value in known)
    return together / spread * MINUTE


def increase(points: Points) -> float | None:
    """How much was added from the first point to the last; a fall (a purge, a restart) takes nothing away."""
    known = _known(points)
    if len(known) < 2:
        return None
    added = 0.0
    for (_, before), (_, after) in pairwise(known):
        added += max(0.0, after - before)
    return added


def minutes_until(points: Points, limit: float) -> float | None:
    """Minutes until the series reaches `limit` at its own rate: 0 when it has, None when it never will.

    None also for fewer than three points: a forecast from one difference is a guess.
    """
    known = _known(points)
    if not known:
        return None
    newest = known[-1][1]
    if newest >= limit:
        return 0.0
    if len(known) < FEWEST:
        return None
    rate = rate_per_minute(known)
    if rate is None or rate <= 0:
        return None
    return (limit - newest) / rate


def _known(points: Points) -> list[tuple[int, float]]:
    return [(moment, value) for moment, value in points if value is not None]


def is_fresh(points: Points, now: float) -> bool:
    """Whether the newest value is recent enough to tell of now."""
    known = _known(points)
    if not known:
        return False
    newest = max(moment for moment, _ in known)
    return now - newest <= FRESH_SECONDS
