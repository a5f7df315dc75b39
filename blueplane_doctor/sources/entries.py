"""A stream's entries in pages that stay small, however large messages are."""

from collections.abc import Iterator

from blueplane_doctor.errors import SourceReplyTooLarge
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId, entry_id, id_text
from blueplane_doctor.sources.redis_room import LARGEST_REPLY, Room, too_full
from blueplane_doctor.sources.redis_source import RedisSource

ASSUMED_LARGEST = 2 * 1024 * 1024
"""Bytes of any message, until a larger one was seen (the JSONL monitor sends megabytes)."""
PAGE = 250
"""Messages of a page that cannot be heavy.

Redis answers one within half a millisecond, too short a time for another process to take its processor from it. With
twice as many, one command in two hundred was interrupted and took 5 ms and more (docs/BENCHMARKS.md).
"""
_BATCH = PAGE
"""Messages of a batch: a full page is one, so that the server makes the next page while this one is worked on.

With two pages a batch nobody works while the second is made, and whoever reads waits for it (docs/BENCHMARKS.md).
"""
_FIRST_PAGE = 3
"""Messages of a page at the beginning, and after a heavy one."""
_LIGHT_PAGE = 1_000_000
"""Bytes of a page after which the next one may have twice as many messages."""
_BATCH_BYTES = 4_000_000
"""Values of a batch, about; more would only take memory."""
_BESIDE_SHARE = 8
_BESIDE_BYTES = 200
"""What Redis usually keeps beside a message's values, at most: an eighth of them, and so many bytes for names of fields
and headers. (Measured: 124 bytes beside values of 1,220.)"""
_FRAME = 40
"""Bytes of a reply around each value, the name of its field included, about."""
_VALUES_OF_A_MESSAGE = 12
"""What the pipeline sends has about ten."""

RawEntry = tuple[bytes, list[bytes]]
"""ID and [name, value, name, value, …], as the server sends them (a list, in truth, of these two)."""


class PageSize:
    """How many messages the next page may ask for.

    Nothing in Redis tells how large the next ones are. A page is large where arithmetic forbids a heavy one: all values
    fit into the data set's bytes, what was read is subtracted, and every message to come is taken to weigh at least as
    much as the smallest so far. It may also be large where the data set is no larger than messages like those that came
    last explain. Elsewhere there are as many messages as fit if each were like the largest. Either way pages double
    while they are light and begin anew after a heavy one: heavy messages often come together.
    """

    def __init__(self, length: int, dataset_bytes: int | None, room: Room | None = None) -> None:
        """`room`: the server's memory; None where it is not known."""
        self.room = room
        self._length = length
        self._unread = length
        self._unread_bytes = dataset_bytes
        self._smallest = 0
        self._largest = ASSUMED_LARGEST
        self._grown = _FIRST_PAGE
        self._light_messages = 0
        """Read since the last heavy page."""
        self._light_bytes = 0
        """The values of these."""

    def next_count(self) -> int:
        """Messages to ask for; 0 where even one could be too much."""
        limit = LARGEST_REPLY if self.room is None else self.room.reply_limit
        if self._unread_bytes is not None:
            heaviest = self._heaviest_page(self._unread_bytes)
            if heaviest <= limit:
                return PAGE
            if self._is_explained(self._unread_bytes) and self._evicts_nothing(heaviest):
                return self._grown
        count = min(self._grown, limit // self._largest)
        if self.room and self.room.may_evict_queue:
            return count
        return max(1, count)

    def _heaviest_page(self, unread_bytes: int) -> int:
        """Bytes that the reply with the next PAGE messages may have at most."""
        smallest = self._smallest
        if smallest * self._unread > unread_bytes:
            # All that is left cannot be that large: smaller messages than any so far are still to come.
            smallest = 0
        # The messages after that page weigh at least this much, and the page cannot hold what they hold.
        others = max(0, self._unread - PAGE) * smallest
        return max(0, unread_bytes - others) + PAGE * _VALUES_OF_A_MESSAGE * _FRAME

    def _is_explained(self, unread_bytes: int) -> bool:
        """Whether the data set has the size that it has if all that is unread is like what was read last."""
        if not self._light_messages:
            return False
        mean = self._light_bytes // self._light_messages
        # What Redis keeps beside the values is still there of the messages that were read.
        beside = self._length * (mean // _BESIDE_SHARE + _BESIDE_BYTES)
        return unread_bytes <= self._unread * mean + beside

    def _evicts_nothing(self, heaviest: int) -> bool:
        """Whether the server has room for the heaviest page there can be, however unlikely that one is."""
        if self.room is None:
            return False
        return self.room.share_of_free is None or heaviest <= self.room.share_of_free

    def learn(self, entries: list[RawEntry]) -> int:
        """Take the sizes of a page that came; the bytes of all its values."""
        # Every second part is a value; the others are names of fields. To join them takes half of the time of a sum.
        weights = [len(b"".join(parts[1::2])) for _, parts in entries if parts]
        if not weights:
            return 0
        total = sum(weights)
        self._unread = max(0, self._unread - len(weights))
        if self._unread_bytes is not None:
            self._unread_bytes = max(0, self._unread_bytes - total)
        self._smallest = min(self._smallest or weights[0], *weights)
        self._largest = max(self._largest, *weights)
        if total > _LIGHT_PAGE:
            self._begin_anew(_FIRST_PAGE)
        else:
            self._light_messages += len(weights)
            self._light_bytes += total
            still_light = _LIGHT_PAGE * self._light_messages // max(1, self._light_bytes)
            self._grown = min(PAGE, 2 * self._grown, max(_FIRST_PAGE, still_light))
        return total

    def shrink(self) -> bool:
        """Take that the reply was larger than a connection takes; whether fewer messages can be asked for."""
        was_one = self.next_count() <= 1
        self._begin_anew(1)
        self._unread_bytes = None  # the arithmetic was wrong: the data set has grown meanwhile
        return not was_one

    def _begin_anew(self, count: int) -> None:
        self._grown = count
        self._light_messages = 0
        self._light_bytes = 0


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
        if len(batch) >= _BATCH or weight >= _BATCH_BYTES:
            yield batch
            batch = []
            weight = 0
    if batch:
        yield batch


def _replies(
    redis: RedisSource, stream: str, last: EntryId, after: EntryId, size: PageSize
) -> Iterator[tuple[list[RawEntry], int]]:
    """Each reply with the bytes of its values."""
    size.room = redis.room()
    _refuse_without_room(redis, size)
    with redis.conversation() as talk:

        def ask_on() -> None:
            start = id_text((after[0], after[1] + 1))
            talk.ask("XRANGE", stream, start, id_text(last), "COUNT", size.next_count())

        ask_on()
        # One question is always ahead: while this page is worked on, the server makes the next reply.
        while True:
            try:
                page = talk.answer()
            except SourceReplyTooLarge as error:
                if not size.shrink():
                    redis.remember_failure(error)
                    raise
                ask_on()
                continue
            if not page:
                return
            weight = size.learn(page)
            after = entry_id(page[-1][0])
            if after < last:
                if size.room and size.room.may_evict_queue:
                    # Others fill the memory while the stream is read.
                    size.room = redis.room()
                    _refuse_without_room(redis, size)
                ask_on()
            yield page, weight
            if after >= last:
                return


def _refuse_without_room(redis: RedisSource, size: PageSize) -> None:
    """Raises SourceTooFull where the next reply could make the server evict what is to be read."""
    room = size.room
    if room is None or not room.may_evict_queue or size.next_count():
        return
    raise too_full(redis.address, room)
