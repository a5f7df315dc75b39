"""Stepping aside for a busy server: who reads a long stream must not be what slows its writers down.

While others send more than a few hundred commands a second, the reader pauses nineteen times as long as it worked.
Measured with a writer at full speed on two processors: docs/BENCHMARKS.md.
"""

import time

from blueplane_doctor.sources.redis_source import RedisSource

BUSY_COMMANDS_PER_SECOND = 300.0
"""Of others. A pipeline of one developer sends a few dozen; below this nobody waits for anybody."""
PAUSE_FOR_WORK = 19.0
LOOK_EVERY_SECONDS = 0.5


class Courtesy:
    """Decides how long to pause, from the server's own count of commands."""

    def __init__(self, redis: RedisSource, others_per_second: float) -> None:
        """`others_per_second`: the server's commands a second before the reading began."""
        self._redis = redis
        self._others = others_per_second
        self._looked = time.monotonic()
        self._counted: tuple[int, int] | None = None

    def pause(self, worked_seconds: float, remaining_seconds: float) -> None:
        """Sleep after that much work when the server is busy; never long when the run is about to end."""
        if time.monotonic() - self._looked > LOOK_EVERY_SECONDS:
            self._look()
        if self._others > BUSY_COMMANDS_PER_SECOND:
            time.sleep(min(PAUSE_FOR_WORK * worked_seconds, 0.1 * remaining_seconds))

    def _look(self) -> None:
        """Commands of others since the last look. Raises SourceError."""
        lines = self._redis.ask_one("INFO", "stats").decode("utf-8", "replace").splitlines()
        values = dict(line.partition(":")[::2] for line in lines)
        total = int(values.get("total_commands_processed", 0))
        now, own = time.monotonic(), self._redis.sent
        if self._counted:
            others = (total - self._counted[0]) - (own - self._counted[1])
            self._others = others / max(0.001, now - self._looked)
        self._counted, self._looked = (total, own), now
