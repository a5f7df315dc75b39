"""What waits for each group: counted at once where it is little, by the walk through the stream where it is much."""

from blueplane_doctor.sources.entries import pages
from blueplane_doctor.sources.redis_source import RedisSource, pairs
from blueplane_doctor.sources.streams import EntryId, Group, StreamState, entry_id

COUNTED_AT_ONCE = 100
"""Messages, by the server's own lag. The walk may come to them late, when a busy server has trimmed them."""


def count_short_queues(redis: RedisSource, stream: StreamState) -> StreamState:
    """The same moment with `undelivered` filled in for the groups that have little to read. Raises SourceError."""
    counted: dict[EntryId, int] = {}
    for group in stream.groups:
        if group.lag and group.lag <= COUNTED_AT_ONCE and group.last_delivered not in counted:
            counted[group.last_delivered] = _count(redis, stream, group)
    if not counted:
        return stream
    return stream._replace(groups=tuple(g._replace(undelivered=counted.get(g.last_delivered)) for g in stream.groups))


def _count(redis: RedisSource, stream: StreamState, group: Group) -> int:
    rest = pages(
        redis,
        stream.queue,
        stream.last_generated,
        after=group.last_delivered,
        length=COUNTED_AT_ONCE,
        dataset_bytes=None,
    )
    return sum(map(len, rest))


def trimmed_past(redis: RedisSource, stream: StreamState, position: EntryId) -> bool:
    """Whether messages after this position have left the beginning of the stream by now. Raises SourceError."""
    first = pairs(redis.ask_one("XINFO", "STREAM", stream.queue))["first-entry"]
    return first is None or entry_id(first[0]) > position
