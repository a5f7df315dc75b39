"""How often the stream is walked through: as often as its cost allows."""

import time
from dataclasses import dataclass, field


@dataclass
class Cadence:
    """The next look begins after `shortest` seconds or `rest` times what the last one took, whichever is longer.

    While nothing moves it begins after `idle` seconds or `idle_rest` times.
    """

    shortest: float = 1.0
    rest: float = 9.0
    """Nine parts of rest to one of work: a tenth of one thread."""
    idle: float = 180.0
    idle_rest: float = 199.0
    """Half a percent of a thread: with the quick looks an idle service is to stay under 2 % of a core."""
    _ended: float = field(default=float("-inf"), init=False)
    _took: float = field(default=0.0, init=False)

    def took(self, seconds: float) -> None:
        """A look has just ended, after that time."""
        self._ended, self._took = time.monotonic(), seconds

    def may(self) -> bool:
        """Whether the next look may begin, if anything has changed."""
        return time.monotonic() - self._ended >= max(self.shortest, self.rest * self._took)

    def must(self) -> bool:
        """Whether it is to begin although nothing has changed: counts of the last hour grow old."""
        return time.monotonic() - self._ended >= self.longest

    @property
    def longest(self) -> float:
        """Seconds between two looks at most."""
        return max(self.idle, self.idle_rest * self._took)
