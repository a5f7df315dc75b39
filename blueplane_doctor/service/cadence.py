"""When the stream is walked through again: as often as its cost allows, and at rest once something has moved."""

import time

from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.settings import Settings

SHORTEST_SECONDS = 1.0
REST = 9.0
"""Nine parts of rest to one of work: a tenth of one thread."""
IDLE_SECONDS = 180.0
IDLE_REST = 199.0
"""Half a percent of a thread: with the quick looks an idle service is to stay under 2 % of a core."""


class Cadence:
    """The next look may begin after SHORTEST_SECONDS or REST times what the last one took, whichever is longer.

    It must begin after IDLE_SECONDS or IDLE_REST times that.
    """

    def __init__(self) -> None:
        self._ended, self._took = float("-inf"), 0.0

    def took(self, seconds: float) -> None:
        """Say that a look has just ended, after that time."""
        self._ended, self._took = time.monotonic(), seconds

    def may(self) -> bool:
        """Whether the next look begins if anything has changed."""
        return time.monotonic() - self._ended >= max(SHORTEST_SECONDS, REST * self._took)

    def must(self) -> bool:
        """Whether it begins although nothing has changed: counts of the last hour grow old."""
        return time.monotonic() - self._ended >= self.longest

    @property
    def longest(self) -> float:
        """Seconds between two looks at most."""
        return max(IDLE_SECONDS, IDLE_REST * self._took)


Pulse = tuple[object, ...]
"""Equal pulses: no message was added, delivered, acknowledged, given up, trimmed or written in between."""


def feel(settings: Settings) -> Pulse | None:
    """The pulse now, in three round trips; None where Redis cannot be read."""
    examination = Examination(settings)
    try:
        state = examination.stream()
        lengths = examination.redis.ask(*[("XLEN", name) for name in state.dead_letters])
    except SourceError:
        return None
    finally:
        examination.close()
    groups = [(g.name, g.last_delivered, g.pending, *((c.name, c.pending) for c in g.consumers)) for g in state.groups]
    stream = (state.queue, state.length, state.first, state.last_generated, state.entries_added, *groups)
    return (*stream, *map(str, lengths), *_files(settings))


def _files(settings: Settings) -> Pulse:
    database = settings.database_file
    seen: list[object] = []
    for path in (database, database.with_name(database.name + "-wal"), settings.cursor_hooks):
        try:
            state = path.stat()
            seen.append((state.st_size, state.st_mtime_ns))
        except OSError:
            seen.append(None)
    return tuple(seen)
