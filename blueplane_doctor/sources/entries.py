"""A stream's entries in pages that stay small, whatever messages weigh, at a pace that a busy server bears."""

import time
from collections.abc import Iterator

from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import BEGINNING, EntryId, entry_id, id_text

REPLY_LIMIT = 8_000_000
"""Bytes of one reply: the server builds it whole before it sends any of it."""
ASSUMED_LARGEST = 2 * 1024 * 1024
"""Bytes of any message, until a larger one was seen (the JSONL monitor sends megabytes)."""
PAGE = 500
"""Messages of a batch, and of a page that cannot be heavy; more gains nothing (docs/BENCHMARKS.md)."""
FRAME = 40
"""Bytes of a reply around each value, about."""
BUSY_COMMANDS_PER_SECOND = 300.0
"""Of others. One developer's pipeline sends a few dozen; below this nobody waits for anybody."""
PAUSE_FOR_WORK = 19.0
"""How many times as long as it worked the reader then pauses."""
LOOK_EVERY_SECONDS = 0.5
FIRST_LOOK_SECONDS = 0.1
"""After which the first look counts who is there: the server's own mean also remembers who has just left."""

RawEntry = tuple[bytes, list[bytes]]
"""ID and [name, value, name, value, …], as the server sends them (a list, in truth, of these two)."""


class PageSize:
    """How many messages the next page may ask for.

    Nothing in Redis tells how large the next ones are, so a page is large only where arithmetic forbids a heavy one:
    all values fit into the data set's bytes, what was read is subtracted, and every message to come is taken to weigh
    at least as much as the smallest so far. Elsewhere it holds as many as fit if each were like the largest.
    """

    def __init__(self, length: int, dataset_bytes: int | None) -> None:
        self._unread, self._unread_bytes = length, dataset_bytes
        self._smallest, self._largest = 0, ASSUMED_LARGEST

    def next_count(self) -> int:
        """Messages to ask for."""
        if self._unread_bytes is not None:
            # Where all that is left could not weigh that much, smaller ones are still to come.
            smallest = self._smallest if self._smallest * self._unread <= self._unread_bytes else 0
            others = max(0, self._unread - PAGE) * smallest
            heaviest = max(0, self._unread_bytes - others) + PAGE * 12 * FRAME
            if heaviest <= REPLY_LIMIT:
                return PAGE
        return max(1, REPLY_LIMIT // self._largest)

    def learn(self, entries: list[RawEntry]) -> int:
        """Take the sizes of a page that came; the bytes of all its values."""
        weights = [sum(map(len, entry[1][1::2])) for entry in entries if entry[1]]
        if not weights:
            return 0
        self._unread = max(0, self._unread - len(weights))
        if self._unread_bytes is not None:
            self._unread_bytes = max(0, self._unread_bytes - sum(weights))
        self._smallest = min(self._smallest or weights[0], *weights)
        self._largest = max(self._largest, *weights)
        return sum(weights)


def pages(
    redis: RedisSource,
    stream: str,
    last: EntryId,
    *,
    after: EntryId = BEGINNING,
    length: int,
    dataset_bytes: int | None,
) -> Iterator[list[RawEntry]]:
    """All entries after `after`, up to `last`, oldest first, in batches to work on. Raises SourceError.

    A batch is several replies where these have to be small. The next reply is asked for before a batch is handed out:
    the server makes it while the batch is worked on.
    """
    batch: list[RawEntry] = []
    weight = 0
    for page, page_weight in _replies(redis, stream, last, after, PageSize(length, dataset_bytes)):
        batch += page
        weight += page_weight
        if len(batch) >= PAGE or weight >= REPLY_LIMIT // 2:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _replies(
    redis: RedisSource, stream: str, last: EntryId, after: EntryId, size: PageSize
) -> Iterator[tuple[list[RawEntry], int]]:
    with redis.conversation(stream) as talk:

        def ask_on() -> None:
            start = id_text((after[0], after[1] + 1))
            talk.ask("XRANGE", stream, start, id_text(last), "COUNT", size.next_count())

        ask_on()
        while page := talk.answer():
            weight = size.learn(page)
            after = entry_id(page[-1][0])
            if after < last:
                ask_on()
            yield page, weight
            if after >= last:
                return


class Throttle:
    """Steps aside for a busy server: who reads a long stream must not be what slows its writers down.

    Measured with a writer at full speed on two processors: docs/BENCHMARKS.md.
    """

    def __init__(self, redis: RedisSource, others_per_second: float) -> None:
        """`others_per_second`: the server's commands a second before the reading began, by its own mean."""
        self._redis, self._others = redis, others_per_second
        self._due = time.monotonic() + (0 if self._busy else LOOK_EVERY_SECONDS)
        self._counted: tuple[float, int, int] | None = None
        self._measured = False

    def pause(self, worked_seconds: float, remaining_seconds: float) -> None:
        """Sleep after so much work when the server is busy; never long when the run is about to end."""
        if time.monotonic() >= self._due:
            self._look()
        if self._busy:
            longest = PAUSE_FOR_WORK * worked_seconds if self._measured else FIRST_LOOK_SECONDS
            time.sleep(min(longest, 0.1 * remaining_seconds))

    @property
    def _busy(self) -> bool:
        return self._others > BUSY_COMMANDS_PER_SECOND

    def _look(self) -> None:
        lines = self._redis.ask_one("INFO", "stats").decode("utf-8", "replace").splitlines()
        values = dict(line.partition(":")[::2] for line in lines)
        now, total, own = time.monotonic(), int(values.get("total_commands_processed", 0)), self._redis.sent
        if self._counted:
            before, total_before, own_before = self._counted
            self._others = ((total - total_before) - (own - own_before)) / max(0.001, now - before)
            self._measured = True
        self._counted = now, total, own
        self._due = now + (LOOK_EVERY_SECONDS if self._measured else FIRST_LOOK_SECONDS)
