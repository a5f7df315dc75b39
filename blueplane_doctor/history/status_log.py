"""The statuses of checks and causes, kept beside either store: one entry each time they are others than before.

An entry of the stream holds the status of all that is not green, so that the newest entry is the present state, and two
entries that follow each other show what changed. That is all that has to be read before the next one is written.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.history.samples import MINUTE, RETENTION, STATUS_NAME, minute_of
from blueplane_doctor.model import Status

MOST_ENTRIES = 2_000
"""Where the statuses change every minute, 33 hours of them; under 1 MB with fifteen names in each."""
MOST_NAMES = 200
"""Names in one entry: the built-in checks and causes are about a hundred."""
_KEPT_MS = RETENTION * 1000
_LATEST_MS = 250_000_000_000_000
"""Of an entry: the year 9892. A datetime ends soon after."""
_STATUSES = {status.value.encode(): status.value for status in Status}
"""Each status, by the bytes that stand for it."""

RawEntry = tuple[bytes, Sequence[bytes]]
"""ID and [name, status, name, status, …], as the server sends them."""


class StatusEntry(NamedTuple):
    """What was not green from one sample on, until the next entry."""

    time: int
    """Seconds since 1970, of the sample."""
    statuses: Mapping[str, str]
    """By `report`, `check:queue-depth` or `cause:server-down`; what is not named is green, or not there."""


class StatusLog:
    """The entries of the last seven days, and the one before them; works on every Redis since 6.2 and every Valkey."""

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection = connection
        self.key = prefix + "statuses"
        self.left_out: set[bytes] = set()
        """IDs of entries, of those that were read, that no recorder wrote."""

    def write(self, moment: int, statuses: Mapping[str, str]) -> None:
        """Add an entry where the statuses are others than those of the newest one. Raises SourceError."""
        newest, length, *others = self._connection.ask(
            ("XREVRANGE", self.key, "+", "-", "COUNT", 1), ("XLEN", self.key), ("EXPIRE", self.key, RETENTION)
        )
        self._connection.check_all(newest, length, *others)
        kept = dict(sorted(statuses.items())[:MOST_NAMES])
        last_ms = 0
        for entry in newest:
            last_ms = _milliseconds(entry[0])
            if _statuses_of(entry) == kept:
                return
        # IDs only rise: after a clock that stepped back, an entry gets the next free one, whose second part tells by
        # how many minutes the sample is older.
        at_ms = max(moment * 1000, last_ms + 1)
        minutes_ahead = (at_ms // 1000 - moment) // MINUTE
        # The entry before stays however old it is: without it nobody knows what this one changed.
        bound: tuple[str | int, ...] = ("MINID", min(max(0, at_ms - _KEPT_MS), last_ms))
        if length >= MOST_ENTRIES:
            bound = ("MAXLEN", MOST_ENTRIES)
        words: list[str | int] = []
        for name, status in kept.items():
            words += [name, status]
        replies = self._connection.ask(
            ("XADD", self.key, *bound, f"{at_ms}-{minutes_ahead}", *words), ("EXPIRE", self.key, RETENTION)
        )
        self._connection.check_all(*replies)

    def read(self) -> list[StatusEntry]:
        """All entries, in the order in which they were written. Raises SourceError."""
        entries = []
        for raw in self._connection.ask_one("XRANGE", self.key, "-", "+"):
            statuses = _statuses_of(raw)
            if statuses is None or _milliseconds(raw[0]) > _LATEST_MS:
                self.left_out.add(raw[0])
            else:
                entries.append(StatusEntry(_moment(raw[0]), statuses))
        return entries


def _statuses_of(entry: RawEntry) -> dict[str, str] | None:
    """Status by name; None where no recorder wrote the entry."""
    if len(entry[1]) > 2 * MOST_NAMES:
        return None
    statuses = {}
    for raw_name, raw_status in zip(entry[1][::2], entry[1][1::2], strict=True):
        name = _name_of(raw_name)
        status = _STATUSES.get(raw_status)
        if name is None or status is None:
            return None
        statuses[name] = status
    return statuses


@lru_cache(1024)  # the same names stand in thousands of entries
def _name_of(raw: bytes) -> str | None:
    """The name of a status; None for one that no recorder writes."""
    name = raw.decode("ascii", "replace")
    if STATUS_NAME.fullmatch(name):
        return name
    return None


def _moment(place: bytes) -> int:
    """The sample of an entry, in seconds since 1970."""
    minutes_ahead = int(place.partition(b"-")[2])
    seconds = _milliseconds(place) // 1000 - minutes_ahead * MINUTE
    return max(0, minute_of(seconds))


def _milliseconds(place: bytes) -> int:
    return int(place.partition(b"-")[0])
