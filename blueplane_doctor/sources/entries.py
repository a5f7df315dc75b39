"""A stream's entries in pages that stay small, whatever the messages weigh."""

from collections.abc import Iterator

from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import BEGINNING, EntryId, entry_id, id_text

REPLY_LIMIT = 8_000_000
"""Bytes that one reply may have: the server has to build it whole before it sends any of it."""
ASSUMED_LARGEST = 2 * 1024 * 1024
"""Bytes that any message may have, as long as nothing larger was seen (the JSONL monitor sends megabytes)."""
PAGE = 500
"""Messages of a page where a heavy page is impossible; larger ones gain nothing (docs/BENCHMARKS.md)."""
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

    def learn(self, entries: list[RawEntry]) -> None:
        """Take the sizes of a page that came."""
        weights = [sum(map(len, entry[1][1::2])) for entry in entries if entry[1]]
        if not weights:
            return
        self._unread = max(0, self._unread - len(weights))
        if self._unread_bytes is not None:
            self._unread_bytes = max(0, self._unread_bytes - sum(weights))
        self._smallest = min(self._smallest or weights[0], *weights)
        self._largest = max(self._largest, *weights)


def pages(
    redis: RedisSource,
    stream: str,
    last: EntryId,
    *,
    after: EntryId = BEGINNING,
    length: int,
    dataset_bytes: int | None,
) -> Iterator[list[RawEntry]]:
    """All entries after `after`, up to `last`, oldest first, page by page. Raises SourceError."""
    size = PageSize(length, dataset_bytes)
    start, end = id_text((after[0], after[1] + 1)), id_text(last)
    while True:
        page: list[RawEntry] = redis.ask_one("XRANGE", stream, start, end, "COUNT", size.next_count())
        if not page:
            return
        size.learn(page)
        yield page
        milliseconds, sequence = entry_id(page[-1][0])
        if (milliseconds, sequence) >= last:
            return
        start = id_text((milliseconds, sequence + 1))
