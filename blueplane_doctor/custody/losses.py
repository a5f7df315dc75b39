"""What a writer group lost before delivery: messages that were trimmed from the stream before it was given them."""

from blueplane_doctor.model import Record
from blueplane_doctor.sources.entries import pages
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId, entry_id, id_text
from blueplane_doctor.sources.redis_source import RedisSource, pairs
from blueplane_doctor.sources.streams import StreamState

COUNTED_AT_ONCE = 100
"""Up to this many waiting messages, by the server's own lag, are counted before anything else is read.

The walk through the stream comes to them at its end, when some may have been trimmed.
"""


class GroupLoss(Record):
    """What one writer group lost before delivery."""

    group: str
    trimmed_unread: int | None
    """Messages trimmed before the group was given them; null when that cannot be known."""
    cause: str = ""
    """Why it cannot."""
    after_id: str | None = None
    """Last message the group was given: what was lost came after it. Null once the group has read on."""
    before_id: str | None = None
    """First message that is still there: what was lost came before it."""


def trimmed_unread(state: StreamState, name: str, waiting: int | None) -> GroupLoss:
    """What one writer group lost. `waiting`: messages it was not given yet; None when they were not counted.

    It is `entries-added - entries-read - what still waits`, all of one moment. The server's own `lag` cannot be used:
    Redis 7.0 to 7.4.1 keep counting what was trimmed, later servers rewrite `entries-read` at the next read and the
    evidence is gone. So the sum also holds losses of long ago on the former, and only those since the last read on
    the latter.
    """
    count = _count_or_cause(state, name, waiting)
    if isinstance(count, str):
        return GroupLoss(group=name, trimmed_unread=None, cause=count)
    group = state.group(name)
    if count and group and state.first and group.last_delivered < state.first:
        after_id = id_text(group.last_delivered)
        before_id = id_text(state.first)
        return GroupLoss(group=name, trimmed_unread=count, after_id=after_id, before_id=before_id)
    return GroupLoss(group=name, trimmed_unread=count)


def _count_or_cause(state: StreamState, name: str, waiting: int | None) -> int | str:
    group = state.group(name)
    if state.entries_added is None:
        return "the server is older than Redis 7.0 and does not count what was added"
    removed = state.entries_added - state.length
    if not removed:
        return 0
    if group is None:
        return f"the group {name} does not exist, so nothing tells what it was given"
    if group.last_delivered == BEGINNING and not group.entries_read:
        if all(other.last_delivered == BEGINNING for other in state.groups):
            return removed  # nobody ever read from this stream, so nobody read what was trimmed
        return (
            f"{removed:,} messages were trimmed and the group {name} has not read anything yet; "
            "whether that happened in its time is not recorded"
        )
    if group.entries_read is None:
        return (
            f"the server does not know how many messages {name} was given (entries-read is not set: the group "
            "was made or moved at an arbitrary ID, or entries were deleted)"
        )
    if waiting is None:
        return "the time was up before all that wait were counted, or some were trimmed while they were counted"
    # Every message ever added was given to the group, still waits for it, or was trimmed before it got it.
    count = state.entries_added - group.entries_read - waiting
    if count < 0:
        return f"the server's counters for {name} contradict each other (they were set by hand)"
    return count


def count_short_queues(redis: RedisSource, stream: StreamState) -> StreamState:
    """The same state with `undelivered` filled in for groups that have little to read. Raises SourceError."""
    waiting_after: dict[EntryId, int] = {}
    groups = []
    for group in stream.groups:
        if not group.lag or group.lag > COUNTED_AT_ONCE:
            groups.append(group)
            continue
        position = group.last_delivered
        if position not in waiting_after:  # groups often stand at the same place
            waiting_after[position] = _count_after(redis, stream, position)
        groups.append(group._replace(undelivered=waiting_after[position]))
    return stream._replace(groups=tuple(groups))


def _count_after(redis: RedisSource, stream: StreamState, position: EntryId) -> int:
    waiting = pages(
        redis,
        stream.queue,
        stream.last_generated,
        after=position,
        length=COUNTED_AT_ONCE,
        dataset_bytes=None,
    )
    return sum(len(page) for page in waiting)


def trimmed_past(redis: RedisSource, stream: StreamState, position: EntryId) -> bool:
    """Whether messages after this position have been trimmed by now. Raises SourceError."""
    first = pairs(redis.ask_one("XINFO", "STREAM", stream.queue))["first-entry"]
    return first is None or entry_id(first[0]) > position
