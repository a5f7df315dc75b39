"""A stream's entries in pages that stay small, whatever the messages weigh."""

from collections.abc import Iterator

from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import BEGINNING, EntryId, entry_id, id_text

REPLY_LIMIT = 8_000_000
"""Bytes that one reply may have: the server has to build it whole before it sends any of it."""
ASSUMED_LARGEST = 2 * 1024 * 1024
"""Bytes that any message may have, as long as nothing larger was seen (the JSONL monitor sends megabytes)."""
PAGE = 500
"""Messages of a batch, and of a page where a heavy one is impossible; more gains nothing (docs/BENCHMARKS.md)."""
FRAME = 40
"""Bytes around each field of a reply that are not its value, about."""

RawEntry = tuple[bytes, list[bytes]]
"""ID and [name, value, name, value, …], as the server sends them (a list, in truth, of these two)."""


class PageSize:
    """How many messages the next page may ask for.

    Nothing in Redis tells how large the next messages are, so a page is large only where arithmetic forbids a
    heavy one: all values of the stream fit into the data set's bytes, what was read is subtracted, and every
    message yet to come is taken to weigh at least as much as the smallest one so far. Elsewhere a page holds
    as many messages as fit the limit if each were as large as the largest.
    """

    def __init__(self, length: int, dataset_bytes: int | None) -> None:
        self._unread = length
        self._unread_bytes = dataset_bytes
        self._smallest = 0
        self._largest = ASSUMED_LARGEST

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

    A batch is several replies where these have to be small, and the next reply is asked for before the batch is
    handed out: the server makes it while the batch is worked on.
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
    """Replies of the server and the bytes of their values, one asked for ahead."""
    end = id_text(last)
    with redis.conversation(stream) as talk:
        talk.ask("XRANGE", stream, id_text((after[0], after[1] + 1)), end, "COUNT", size.next_count())
        while True:
            page: list[RawEntry] = talk.answer()
            if not page:
                return
            weight = size.learn(page)
            milliseconds, sequence = entry_id(page[-1][0])
            more = (milliseconds, sequence) < last
            if more:
                talk.ask("XRANGE", stream, id_text((milliseconds, sequence + 1)), end, "COUNT", size.next_count())
            yield page, weight
            if not more:
                return
