"""Loss before delivery: messages that were trimmed from the stream before their writer group was given them.

For one group, `entries-added − entries-read − what still waits`, all of one moment. The server's own `lag` cannot be
used: Redis 7.0 to 7.4.1 keep counting what was trimmed, later servers rewrite `entries-read` at the next read and
the evidence is gone. So the sum also holds losses of long ago on the former, and only those since the last read
on the latter.
"""

from dataclasses import dataclass

from blueplane_doctor.sources.streams import BEGINNING, StreamState


@dataclass(frozen=True)
class Loss:
    """What a group lost before delivery; `count` is None when it cannot be known, and `cause` says why."""

    group: str
    count: int | None
    cause: str = ""


def trimmed_unread(state: StreamState, name: str, waiting: int | None) -> Loss:
    """The loss of one writer group. `waiting` is the number of messages it was not given yet; None: not counted."""
    group = state.group(name)
    if state.entries_added is None:
        return Loss(name, None, "the server is older than Redis 7.0 and does not count what was added")
    if state.entries_added == state.length:
        return Loss(name, 0)  # nothing was ever removed
    if group is None:
        return Loss(name, None, f"the group {name} does not exist, so nothing tells what it was given")
    if group.last_delivered == BEGINNING and not group.entries_read:
        gone = state.entries_added - state.length
        if all(other.last_delivered == BEGINNING for other in state.groups):
            return Loss(name, gone)  # nobody ever read from this stream, so nobody read what was trimmed
        return Loss(
            name,
            None,
            f"{gone:,} messages were trimmed and the group {name} has not read anything yet; "
            "whether that happened in its time is not recorded",
        )
    if group.entries_read is None:
        return Loss(
            name,
            None,
            f"the server does not know how many messages {name} was given (entries-read is not set: the group "
            "was made or moved at an arbitrary ID, or entries were deleted)",
        )
    if waiting is None:
        return Loss(
            name,
            None,
            "the time was up before all that wait were counted, or some were trimmed while they were counted",
        )
    count = state.entries_added - group.entries_read - waiting
    if count < 0:
        return Loss(name, None, f"the server's counters for {name} contradict each other (they were set by hand)")
    return Loss(name, count)
