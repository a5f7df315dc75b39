"""What cause files share about messages that a writer holds: which of them nothing else explains."""

from typing import TYPE_CHECKING, NamedTuple

from blueplane_doctor.causeapi import Beginning, stream_time
from blueplane_doctor.text.times import milliseconds_of

if TYPE_CHECKING:
    from blueplane_doctor.custody.blockers import ChainBlocker
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.group_health import GroupHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import LoggedErrors, ServerHealth

_STORM = 10
"""Deliveries of one message from which on it is a storm, as the check retry-storm has it."""
HAS_A_ROW = "a row with the same"
"""How the reasons begin of messages that are held though their row is there."""
_AFTER_THE_ERROR_MS = 60_000
"""What was enqueued so soon after the last error may be left by the same refusal: not each one is logged."""

LOCKED = "database is locked"
NOT_WRITABLE = (
    *("database is read-only", "file system is read-only", "unable to open the database", "permission denied"),
)
FULL = "disk is full"
DISK_FAILS = "disk I/O error"
_REFUSALS = (LOCKED, *NOT_WRITABLE, FULL, DISK_FAILS)
"""Kinds of errors in the server's log of a database that takes no rows."""
_FIRST_ERROR = "the first such error in the server's log"
_FIRST_READ = "the first such error in the part of the server's log that was read"


class Held(NamedTuple):
    """Messages that a refusal of the database left with their writer."""

    messages: int
    """Those that nothing else explains."""
    ids: list[str]
    """The oldest of each group."""
    shared: bool
    """Whether there are more, behind a message that cannot be written: how many of these it left is not known."""
    is_retried: bool = False
    """Whether the writer of some of them reads what it holds again: then a row may still come by itself."""


def blockers_of(chain: "ChainHealth | None", group: "GroupHealth") -> list["ChainBlocker"]:
    """The messages that hold up others of this group."""
    if chain is None:
        return []
    return [blocker for blocker in chain.blockers if blocker.group == group.name]


def stuck_with_living(group: "GroupHealth") -> int:
    """Messages that are stuck with the server's consumer: with none that is gone, nor with another program's."""
    orphaned = (group.orphaned or 0) - (group.orphaned_gone or 0)
    others = sum(one.stuck for one in group.other_programs)
    return max(0, (group.stuck or 0) - orphaned - others)


def is_storm(group: "GroupHealth") -> bool:
    """Whether its batch is delivered again and again."""
    return (group.most_deliveries or 0) >= _STORM


def without_reason(queue: "QueueHealth | None", chain: "ChainHealth | None") -> int:
    """Messages that are stuck with a living consumer, and of which neither they nor the group tell why."""
    return held_since(None, queue, chain).messages


def held_since(error: "LoggedErrors | None", queue: "QueueHealth | None", chain: "ChainHealth | None") -> Held:
    """What errors of the database may have left: nothing that was enqueued after the last of them."""
    count = 0
    ids = []
    shared = False
    is_retried = False
    if queue is None:
        return Held(0, [], False)
    now_ms = milliseconds_of(queue.measured_at)
    for group in queue.writers:
        stuck = stuck_with_living(group)
        if not stuck or not _may_be_older(group, error, now_ms):
            continue
        if is_storm(group) and not _goes_on(error):
            continue  # what was refused once would have been written since
        if blockers_of(chain, group):
            shared = shared or not is_storm(group)
            continue
        count += stuck
        ids += group.stuck_ids[:1]
        is_retried = is_retried or (group.most_deliveries or 0) > 1
    return Held(count, ids, shared, is_retried)


def _goes_on(error: "LoggedErrors | None") -> bool:
    return error is not None and error.lately > 0


def _may_be_older(group: "GroupHealth", error: "LoggedErrors | None", now_ms: int | None) -> bool:
    """Whether its oldest stuck message was enqueued or delivered before the last error; also where that is not known.

    By its stream ID, or by its last delivery: an ID that somebody chose may be later than that.
    """
    if error is None:
        return True
    last_ms = milliseconds_of(error.last)
    if last_ms is None:
        return True
    if group.orphaned:
        return True
    times = []
    if group.stuck_ids:
        enqueued_ms = milliseconds_of(stream_time(group.stuck_ids[0]) or "")
        if enqueued_ms is not None:
            times.append(enqueued_ms)
    if group.longest_unacknowledged_ms is not None and now_ms is not None:
        times.append(now_ms - group.longest_unacknowledged_ms)
    return not times or min(times) <= last_ms + _AFTER_THE_ERROR_MS


def is_refused_now(server: "ServerHealth | None") -> bool:
    """Whether the server's log tells lately that the database took no rows."""
    return any(_goes_on(logged(server, kind)) for kind in _REFUSALS)


def may_be_refused(server: "ServerHealth | None", queue: "QueueHealth", chain: "ChainHealth") -> bool:
    """Whether some that are stuck beside a message that cannot be written may be left by a refusal of the database."""
    for kind in _REFUSALS:
        error = logged(server, kind)
        if error is not None and held_since(error, queue, chain).shared:
            return True
    return False


def logged(server: "ServerHealth | None", *kinds: str) -> "LoggedErrors | None":
    """What the server's log tells of the most frequent of these kinds of errors."""
    if server is None:
        return None
    return next((error for error in server.errors if error.kind in kinds), None)


def since_first_error(server: "ServerHealth | None", *kinds: str) -> Beginning:
    """When the errors of one of these kinds began, by the server's log."""
    if server is None:
        return Beginning()
    errors = [error for error in server.errors if error.kind in kinds]
    first = min(errors, key=lambda error: error.first, default=None)
    if first is None:
        return Beginning()
    if first.may_be_older:
        return Beginning(first.first, _FIRST_READ, "at the latest")
    return Beginning(first.first, _FIRST_ERROR)


def not_before(began: Beginning, last_good: str | None, shown_by: str) -> Beginning:
    """The same, unless something went well after that: then it began after what went well last."""
    if last_good is None or (milliseconds_of(began.since or "") or 0) >= (milliseconds_of(last_good) or 0):
        return began
    return Beginning(last_good, shown_by, "at the earliest")
