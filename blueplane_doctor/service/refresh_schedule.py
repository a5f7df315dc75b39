"""When the stream is walked through again: as often as its cost allows, and at rest once something has changed."""

SHORTEST_SECONDS = 1.0
REST = 9.0
"""Nine parts of rest to one of work: a tenth of one thread."""
IDLE_SECONDS = 180.0
IDLE_REST = 199.0
"""Half a percent of a thread: with the quick looks an idle service is to stay under 2 % of a core."""


def least_rest(took: float) -> float:
    """Seconds after a look that took so long, from which on the next begins if anything has changed."""
    return max(SHORTEST_SECONDS, REST * took)


def longest_rest(took: float) -> float:
    """Seconds after it at which the next begins although nothing has changed: counts of the last hour grow old."""
    return max(IDLE_SECONDS, IDLE_REST * took)
