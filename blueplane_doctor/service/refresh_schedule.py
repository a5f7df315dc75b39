"""When the stream is walked through again: as often as its cost allows, and at rest once something has changed."""

import time

SHORTEST_SECONDS = 1.0
REST = 9.0
"""Nine parts of rest to one of work: a tenth of one thread."""
IDLE_SECONDS = 180.0
IDLE_REST = 199.0
"""Half a percent of a thread: with the quick looks an idle service is to stay under 2 % of a core."""


class RefreshSchedule:
    """Tells when the next look may begin, and when it must, by the time that the last one took.

    It may begin after SHORTEST_SECONDS or REST times that time, whichever is longer. It must begin after IDLE_SECONDS
    or IDLE_REST times that time.
    """

    def __init__(self) -> None:
        self._ended = float("-inf")
        self._took = 0.0

    def ended(self, took: float) -> None:
        """Say that a look has just ended, after so many seconds."""
        self._ended = time.monotonic()
        self._took = took

    def may_begin(self) -> bool:
        """Whether the next look begins if anything has changed."""
        return self._rested() >= max(SHORTEST_SECONDS, REST * self._took)

    def must_begin(self) -> bool:
        """Whether it begins although nothing has changed: counts of the last hour grow old."""
        return self._rested() >= self.longest_seconds

    @property
    def longest_seconds(self) -> float:
        """The longest time between two looks."""
        return max(IDLE_SECONDS, IDLE_REST * self._took)

    def _rested(self) -> float:
        return time.monotonic() - self._ended
