"""Keeps a long reading from slowing down those who work on the same Redis."""

import time

from blueplane_doctor.sources.redis_info import integer
from blueplane_doctor.sources.redis_source import RedisSource

_BUSY_COMMANDS_PER_SECOND = 300.0
"""Of others. One developer's pipeline sends a few dozen; below this nobody waits for anybody."""
_PAUSE_PER_WORK = 19.0
"""How many times as long as it worked the reader then pauses: it takes a twentieth of the time."""
_COUNT_EVERY_SECONDS = 0.5
_FIRST_COUNT_SECONDS = 0.1
"""Until the first count of who is there: the server's own mean also remembers who has just left."""
_LONGEST_SHARE = 0.1
"""Of the run's time that is left, in one pause."""


class Throttle:
    """Makes the reader of a long stream pause while the server is busy with others.

    Measured with a writer at full speed on two processors: docs/BENCHMARKS.md.
    """

    def __init__(self, redis: RedisSource, others_per_second: float) -> None:
        """`others_per_second`: the server's commands a second before the reading began, by its own mean."""
        self._redis = redis
        self._others_per_second = others_per_second
        self._is_measured = False
        """Whether that number is a difference of two counts by now, and not the server's mean."""
        self._last_count: tuple[float, int, int] | None = None
        self._next_count = time.monotonic()
        if not self._is_busy:
            self._next_count += _COUNT_EVERY_SECONDS

    def pause(self, worked_seconds: float, remaining_seconds: float) -> None:
        """Sleep after so much work when the server is busy; never long when the run is about to end."""
        if time.monotonic() >= self._next_count:
            self._count()
        if not self._is_busy:
            return
        longest = _FIRST_COUNT_SECONDS
        if self._is_measured:
            longest = _PAUSE_PER_WORK * worked_seconds
        time.sleep(min(longest, _LONGEST_SHARE * remaining_seconds))

    @property
    def _is_busy(self) -> bool:
        return self._others_per_second > _BUSY_COMMANDS_PER_SECOND

    def _count(self) -> None:
        """Ask how many commands there were since the last time, and leave out those of this reader."""
        fields = self._redis.info("stats")
        now = time.monotonic()
        total = integer(fields.get("total_commands_processed")) or 0
        own = self._redis.sent
        if self._last_count:
            then, total_then, own_then = self._last_count
            others = (total - total_then) - (own - own_then)
            self._others_per_second = others / max(0.001, now - then)
            self._is_measured = True
        self._last_count = now, total, own
        # The first count only has a beginning; the second follows soon, and tells who is there now.
        self._next_count = now + (_COUNT_EVERY_SECONDS if self._is_measured else _FIRST_COUNT_SECONDS)
