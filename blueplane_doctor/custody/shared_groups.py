"""Writer groups that more than one server reads: each is given a part of the messages, and writes it where it writes.

Two servers with homes of their own write to two databases, of which one is examined. The pipeline names its consumers
after their process, and a restart leaves the name of the one before behind: silent since before the new one began.
"""

from collections.abc import Callable
from typing import NamedTuple

from blueplane_doctor.custody.pending_entries import process_of
from blueplane_doctor.sources.server_process import NOT_RUNNING, RUNNING, ServerProcess
from blueplane_doctor.sources.streams import Consumer, Group
from blueplane_doctor.times import MINUTE_MS

WRITTEN_ELSEWHERE = "written_elsewhere"
"""Another server's consumer may have been given it, and may have written it to another database."""
_HANDOVER_MS = MINUTE_MS
"""A server that is replaced may finish its batch while the next one starts."""
_LATELY_MS = 10 * MINUTE_MS
"""A server that runs was given a message so lately. Before Redis 7.2 one that only polls looks silent."""
_AT_ONCE_MS = 10_000
"""Where nothing is known of the processes: both were given a message within this time. A restart takes longer."""
_DELIVERY_MS = 2_000
"""The clocks of the two readings may differ by a round trip."""


class SharedGroup(NamedTuple):
    """A group that several servers read, or read since the examined one started."""

    consumers: tuple[bytes, ...]
    until_ms: int
    """Messages that were enqueued later (milliseconds since 1970) were given to no other server."""


def shared_group(
    group: Group, server: ServerProcess, now_ms: int, state_of_process: Callable[[int], str]
) -> SharedGroup | None:
    """Who shares a writer group; None where one server alone reads it, as far as that shows.

    `server` is the process of the examined home; `now_ms` the time at which the group was read.
    """
    by_process = _latest_by_process(group)
    if len(by_process) < 2:
        return None
    own = by_process.get(server.pid) if server.pid is not None and server.is_running else None
    others: list[Consumer] = []
    for pid, consumer in by_process.items():
        if consumer is own:
            continue
        runs = state_of_process(pid) == RUNNING and consumer.idle_ms <= _LATELY_MS
        if runs or _reads_beside(consumer, own, server):
            others.append(consumer)
    if not others or (own is None and len(others) < 2):
        return None
    names = sorted(consumer.name for consumer in [own, *others] if consumer)
    until_ms = now_ms - min(consumer.idle_ms for consumer in others) + _DELIVERY_MS
    return SharedGroup(tuple(names), until_ms)


def _latest_by_process(group: Group) -> dict[int, Consumer]:
    """For each process the consumer of its name that was heard of last."""
    latest: dict[int, Consumer] = {}
    for consumer in sorted(group.consumers, key=lambda one: -one.idle_ms):
        pid = process_of(consumer.name)
        if pid is not None:
            latest[pid] = consumer
    return latest


def _reads_beside(consumer: Consumer, own: Consumer | None, server: ServerProcess) -> bool:
    """Whether a consumer, whose process may be on another machine, was given messages beside another one's."""
    if own is None:
        # A server that does not run any more may have been restarted several times within seconds.
        return server.state != NOT_RUNNING and consumer.idle_ms <= _AT_ONCE_MS
    if server.running_for_ms is None:
        return max(consumer.idle_ms, own.idle_ms) <= _AT_ONCE_MS
    return consumer.idle_ms + _HANDOVER_MS < server.running_for_ms
