"""When the stream is walked through again: as often as its cost allows, and at rest once something has changed."""

_SHORTEST_SECONDS = 1.0
_REST = 9.0
"""Nine parts of rest to one of work: a tenth of one thread."""
_IDLE_SECONDS = 180.0
_IDLE_REST = 199.0
"""Half a percent of a thread: with the quick looks an idle service is to stay under 2 % of a core."""


def least_rest(took: float) -> float:
    """Seconds after a look that took so long, from which on the next begins if anything has changed."""
    return max(_SHORTEST_SECONDS, _REST * took)


def longest_rest(took: float) -> float:
    """Seconds after it at which the next begins although nothing has changed: counts of the last hour grow old."""
    return max(_IDLE_SECONDS, _IDLE_REST * took)
