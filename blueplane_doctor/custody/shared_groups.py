"""Writer groups that more than one server reads: each is given a part of the messages, and writes it where it writes.

Two servers with homes of their own write to two databases, of which one is examined. The pipeline names its consumers
after their process, and a restart leaves the name of the one before behind: silent since before the new one began.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from blueplane_doctor.custody.pending_entries import process_of
from blueplane_doctor.pipeline import WRITER_STEMS
from blueplane_doctor.sources.server_log import LogTail
from blueplane_doctor.sources.server_process import NOT_RUNNING, RUNNING, ServerProcess
from blueplane_doctor.sources.streams import Consumer, Group
from blueplane_doctor.text.times import MINUTE_MS, to_milliseconds

WRITTEN_ELSEWHERE = "written_elsewhere"
"""Another server's consumer may have been given it, and may have written it to another database."""
_HANDOVER_MS = MINUTE_MS
"""A server that is replaced may finish its batch while the next one starts."""
_LATELY_MS = 10 * MINUTE_MS
"""A server that runs was given a message so lately. Before Redis 7.2 one that only polls looks silent."""
_ASKS_WITHIN_MS = MINUTE_MS
"""A writer asks once a second; one that is busy with a batch, or held up by a lock, asks later."""
_AT_ONCE_MS = 10_000
"""Where nothing is known of the processes: both were given a message within this time. A restart takes longer."""
_DELIVERY_MS = 2_000
"""The clocks of the two readings may differ by a round trip."""


class SharedGroup(NamedTuple):
    """A group that several servers read, or read since the examined one started."""

    consumers: tuple[bytes, ...]
    until_ms: int
    """Messages that were enqueued later (milliseconds since 1970) were given to no other server."""
    is_certain: bool
    """Whether another one is certainly a server; a consumer of one group alone may be somebody's who reads by hand."""
    ended: frozenset[bytes] = frozenset()
    """Of `consumers`, those that read no more."""


class KnownServers(NamedTuple):
    """What is known of the processes after which consumers are named."""

    in_every_group: frozenset[int] = frozenset()
    """Those that read for all writer groups, as a server does."""
    of_this_home: frozenset[int] = frozenset()
    """Those that the log of the examined home names, once each was started; empty where it tells nothing."""
    logged_since_ms: int | None = None
    """Since when it names each: since the first start that it tells; milliseconds since 1970."""
    are_all_here: bool = False
    """Whether Redis takes connections of this machine alone, so that the process of whoever reads is one of it."""

    def is_foreign(self, pid: int, last_read_ms: int) -> bool:
        """Whether a process that read then is none of the examined home's: its log would name it."""
        if not self.of_this_home or self.logged_since_ms is None:
            return False
        return pid not in self.of_this_home and self.logged_since_ms <= last_read_ms


def may_be_shared(group: Group, server: ServerProcess) -> bool:
    """Whether a consumer is named after another process than the server's."""
    return any(pid != server.pid for pid in _latest_by_process(group))


def known_servers(
    groups: Sequence[Group], server: ServerProcess, log: LogTail, *, are_all_here: bool = False
) -> KnownServers:
    """`groups`: all writer groups; `server` and `log` are those of the examined home.

    `are_all_here`: whether Redis takes connections of this machine alone.
    """
    by_group = [_processes_by_name(group) for group in groups]
    in_every_group = frozenset.intersection(*by_group) if by_group else frozenset[int]()
    # A log that does not name the server of this home is that of another one, or was emptied.
    if log.first_start is None or (server.is_running and server.pid not in log.servers):
        return KnownServers(in_every_group, are_all_here=are_all_here)
    return KnownServers(in_every_group, log.servers, to_milliseconds(log.first_start), are_all_here)


def shared_group(
    group: Group,
    server: ServerProcess,
    now_ms: int,
    state_of_process: Callable[[int], str],
    known: KnownServers,
) -> SharedGroup | None:
    """Who shares a writer group; None where one server alone reads it, as far as that shows.

    `server` is the process of the examined home; `now_ms` the time at which the group was read.
    """
    by_process = _latest_by_process(group)
    if len(by_process) < 2 and not known.of_this_home:
        return None  # without a look at the process
    own = by_process.get(server.pid) if server.pid is not None and server.is_running else None
    others: list[Consumer] = []
    ended = set()
    is_certain = False
    is_one_enough = own is not None
    for pid, consumer in by_process.items():
        if consumer is own:
            continue
        state = state_of_process(pid)
        runs = state == RUNNING and consumer.idle_ms <= _LATELY_MS
        is_foreign = known.is_foreign(pid, now_ms - consumer.idle_ms)
        if not runs and not (is_foreign or _reads_beside(consumer, own, server)):
            continue
        # An earlier run of this home's server writes to this home; any other name is that of somebody's own program.
        if not runs and (pid in known.of_this_home or not is_named_as_a_server(consumer.name)):
            continue
        others.append(consumer)
        if _reads_no_more(consumer, state, known):
            ended.add(consumer.name)
        is_certain = is_certain or runs or pid in known.in_every_group
        is_one_enough = is_one_enough or is_foreign
    if not others or (len(others) < 2 and not is_one_enough):
        return None
    names = sorted(consumer.name for consumer in [own, *others] if consumer)
    until_ms = now_ms - min(consumer.idle_ms for consumer in others) + _DELIVERY_MS
    return SharedGroup(tuple(names), until_ms, is_certain, frozenset(ended))


def _reads_no_more(consumer: Consumer, state_of_process: str, known: KnownServers) -> bool:
    """Whether nobody reads with that name any more; False where that cannot be told.

    A name holds the number of a process and no machine: that it is no process of this one says nothing by itself.
    """
    if state_of_process == RUNNING or consumer.idle_ms <= _ASKS_WITHIN_MS:
        return False
    # A process of a container has another number here, and its own is then hardly ever one that no process has.
    return consumer.counts_asking or (known.are_all_here and state_of_process == NOT_RUNNING)


def is_named_as_a_server(consumer: bytes) -> bool:
    """Whether its name is one that the pipeline's writers give themselves: a stem, a hyphen and their process."""
    stem = consumer.rpartition(b"-")[0]
    return stem.decode("utf-8", "replace") in WRITER_STEMS


def _processes_by_name(group: Group) -> frozenset[int]:
    """The processes after which consumers of a group are named as servers name theirs."""
    processes = set()
    for consumer in group.consumers:
        pid = process_of(consumer.name)
        if pid is not None and is_named_as_a_server(consumer.name):
            processes.add(pid)
    return frozenset(processes)


def _latest_by_process(group: Group) -> dict[int, Consumer]:
    """For each process the consumer of its name that was heard of last."""
    latest: dict[int, Consumer] = {}
    # The longest silent first, so that of each process the last one stays.
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
