"""What a writer group lost before delivery: messages that were trimmed from the stream before it was given them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from blueplane_doctor.privacy.public_fields import GroupName
from blueplane_doctor.privacy.public_text import group as shown_group
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.entries import pages
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId, entry_id, id_text
from blueplane_doctor.sources.redis_source import RedisSource, pairs
from blueplane_doctor.sources.streams import Group, StreamState
from blueplane_doctor.text.quantities import many

COUNTED_AT_ONCE = 100
"""Up to this many waiting messages, by the server's own lag, are counted before anything else is read.

The walk through the stream comes to them at its end, when some may have been trimmed.
"""


class GroupLoss(Record):
    """What one writer group lost before delivery."""

    group: GroupName
    trimmed_unread: int | None
    """Messages trimmed before the group was given them; null when that cannot be known."""
    at_most: int | None = None
    """How many at most, where that is all that can be known; null where nothing can."""
    cause: str = ""
    """Why the number cannot be known."""
    forgotten: bool = False
    """Whether this server rewrote its counters at the group's last read, so that an earlier loss shows no more."""
    after_id: str | None = None
    """Last message the group was given: what was lost came after it. Null once the group has read on."""
    before_id: str | None = None
    """First message that is still there: what was lost came before it."""

    @property
    def most(self) -> int | None:
        """The number, or the bound where only that is known."""
        if self.trimmed_unread is None:
            return self.at_most
        return self.trimmed_unread


class TrimmedUnread(Record):
    """Messages that were trimmed before the writer group that owes their row was given them.

    Trimming cuts the same beginning of the stream for every group. What no writer group was given is certainly lost;
    what only some were given is lost if it belonged to the others, which nothing records.
    """

    at_least: int = 0
    at_most: int | None = None
    """Null when it cannot be known."""

    @property
    def exactly(self) -> int | None:
        """How many, where that is known."""
        if self.at_least == self.at_most:
            return self.at_most
        return None


def trimmed_before_writers(losses: Sequence[GroupLoss]) -> TrimmedUnread:
    """What the writer groups together lost."""
    if not losses:
        return TrimmedUnread(at_most=0)
    bounds = []
    for loss in losses:
        if loss.most is not None:
            bounds.append(loss.most)
    if len(bounds) < len(losses):
        return TrimmedUnread()
    # What only some group is known to have missed is no certain loss: of a group that is not known it is 0 at least.
    at_least = min(loss.trimmed_unread or 0 for loss in losses)
    return TrimmedUnread(at_least=at_least, at_most=max(bounds))


class RowsElsewhere(NamedTuple):
    """What the database says of messages that are no longer in the stream, or that wait again."""

    rows: int
    """Rows that were ever written, less those that a message in the stream has."""
    rewound: int
    """Messages that a group was not given, by its position, and whose row is there all the same."""


def trimmed_unread(
    state: StreamState,
    name: str,
    waiting: int | None,
    *,
    elsewhere: RowsElsewhere | None = None,
    forgets: bool = False,
) -> GroupLoss:
    """What one writer group lost. `waiting`: messages it was not given yet; None when they were not counted.

    It is `entries-added - entries-read - what still waits`, all of one moment. The server's own `lag` cannot be used:
    Redis 7.0 to 7.4.1 keep counting what was trimmed, later servers rewrite `entries-read` at the next read and the
    evidence is gone (`forgets`). So the sum also holds losses of long ago on the former, and only those since the last
    read on the latter. `elsewhere` is what the database holds against the sum; None where it cannot be read.
    """
    count = _count_or_cause(state, name, waiting, elsewhere)
    group = state.group(name)
    if isinstance(count, str):
        at_most = None
        if group and state.entries_added is not None and _stands_at_the_beginning(group):
            # Whoever else read them, this group missed no more than was ever trimmed.
            at_most = max(0, state.entries_added - state.length)
        return GroupLoss(group=name, trimmed_unread=None, at_most=at_most, cause=count)
    if count and group and state.first and group.last_delivered < state.first:
        after_id = id_text(group.last_delivered)
        before_id = id_text(state.first)
        return GroupLoss(group=name, trimmed_unread=count, after_id=after_id, before_id=before_id)
    is_trimmed = state.entries_added is not None and state.entries_added > state.length
    return GroupLoss(group=name, trimmed_unread=count, forgotten=forgets and is_trimmed and not count)


def _count_or_cause(state: StreamState, name: str, waiting: int | None, elsewhere: RowsElsewhere | None) -> int | str:
    group = state.group(name)
    shown = shown_group(name)
    if state.entries_added is None:
        return "the server is older than Redis 7.0 and does not count what was added"
    removed = state.entries_added - state.length
    if removed < 0:
        return "the server's counters contradict each other: fewer messages were ever added than the stream holds"
    if not removed:
        return 0
    if group is None:
        return f"the group {shown} does not exist, so nothing tells what it was given"
    if _stands_at_the_beginning(group):
        return _unread_from_the_beginning(state, name, removed, elsewhere)
    if group.entries_read is None:
        return (
            f"the server does not know how many messages {shown} was given (entries-read is not set: the group "
            "was made or moved at an arbitrary ID, or entries were deleted)"
        )
    if waiting is None:
        return "the time was up before all that wait were counted, or some were trimmed while they were counted"
    # Every message ever added was given to the group, still waits for it, or was trimmed before it got it.
    count = state.entries_added - group.entries_read - waiting
    if count < 0:
        return f"the server's counters for {shown} contradict each other: more were read than were ever added"
    if count > removed:
        given = state.length - waiting
        return (
            f"the server's counters for {shown} contradict each other: entries-read says {group.entries_read:,}, but "
            f"{many(given, 'message that it was given is', 'messages that it was given are')} still in the stream"
        )
    return _count_unless_rows_contradict(state, group, count, elsewhere)


def _stands_at_the_beginning(group: Group) -> bool:
    """Whether it was given nothing since it was made, or was moved back to the beginning."""
    return group.last_delivered == BEGINNING and not group.entries_read


def _unread_from_the_beginning(
    state: StreamState, name: str, removed: int, elsewhere: RowsElsewhere | None
) -> int | str:
    """What was trimmed before a group that stands at the beginning of the stream."""
    trimmed = many(removed, "message was", "messages were")
    shown = shown_group(name)
    if elsewhere is not None and elsewhere.rewound:
        return (
            f"{trimmed} trimmed and the group {shown} was made anew or moved back: "
            "rows of messages that it was not given yet are in the database"
        )
    if elsewhere is not None and elsewhere.rows:
        return (
            f"{trimmed} trimmed and the group {shown} has not read anything yet, but the database holds "
            f"{many(elsewhere.rows, 'row', 'rows')} of messages that are no longer in the stream: somebody may have "
            "read them"
        )
    if all(other.last_delivered == BEGINNING for other in state.groups):
        return removed  # nobody ever read from this stream, so nobody read what was trimmed
    return (
        f"{trimmed} trimmed and the group {shown} has not read anything yet; "
        "whether that happened in its time is not recorded"
    )


def _count_unless_rows_contradict(
    state: StreamState, group: Group, count: int, elsewhere: RowsElsewhere | None
) -> int | str:
    """The count, unless more rows were written than messages can have been read.

    Redis 7.0 restores a stale entries-read from its append-only file, and so does a replica that was promoted. Where
    the group still stands before the trimmed part, that part was certainly not read, and the rows say nothing.
    """
    assert state.entries_added is not None
    is_located = state.first is not None and group.last_delivered < state.first
    read_and_gone = state.entries_added - state.length - count
    if not count or is_located or elsewhere is None or elsewhere.rows <= read_and_gone:
        return count
    return (
        f"the server's counters for {shown_group(group.text)} and the database contradict each other: at most "
        f"{many(read_and_gone, 'message was', 'messages were')} read and left the stream since, and of such messages "
        f"{many(elsewhere.rows, 'row is', 'rows are')} there (entries-read is stale after some restarts; or the rows "
        "are older than the stream)"
    )


def forgets_losses(info: Mapping[str, str]) -> bool:
    """Whether a server with this INFO rewrites `entries-read` at a group's next read.

    Valkey 9 (measured) and Redis from 7.4.2 on (by its release notes); Redis 7.0 and 7.4.1 do not (measured).
    """
    if "valkey_version" in info:
        return True
    numbers = []
    for part in info.get("redis_version", "").split("."):
        if part.isdecimal():
            numbers.append(int(part))
    return numbers >= [7, 4, 2]


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
