"""Causes that lie in Redis: it is away, refuses writes, lost the queue, or may lose it."""

from typing import TYPE_CHECKING

from blueplane_doctor.checks.cause_server import CAPTURE
from blueplane_doctor.checks.stuck_messages import not_before, since_first_error

from blueplane_doctor import Cause, Findings, Remedy, Stake, cause
from blueplane_doctor.causeapi import EVERYTHING, Beginning, stream_time
from blueplane_doctor.checkapi import many, sentence
from blueplane_doctor.text.times import milliseconds_of

if TYPE_CHECKING:
    from blueplane_doctor.monitoring.connections import Connections
    from blueplane_doctor.monitoring.database_health import DatabaseHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.redis_writes import RedisWrites
    from blueplane_doctor.monitoring.server_health import ServerHealth
    from blueplane_doctor.monitoring.stream_presence import StreamPresence

_REDIS_ERRORS = ("connection refused", "connection lost", "timeout")
"""Kinds of errors in the server's log that Redis brings."""
_REFUSALS = {
    "OOM": "Redis memory is full (OOM)",
    "READONLY": "Redis is a read-only replica (READONLY)",
    "MISCONF": "Redis cannot save (MISCONF)",
    "NOREPLICAS": "Redis has too few replicas (NOREPLICAS)",
}
"""What the server's log calls each answer to a write."""


@cause(
    no_repair="No repair helps until Redis answers.",
    stage="redis",
    shown_by=["redis-reachable"],
    brings=[
        *(EVERYTHING, "redis-writable", "server-errors", "undrained-buffer"),
        *CAPTURE,
    ],
    follows=["another-redis"],
)
def cause_redis_unreachable(
    connections: "Connections",
    findings: Findings,
    server: "ServerHealth | None" = None,
    database: "DatabaseHealth | None" = None,
) -> Cause | None:
    """Redis cannot be reached, or serves nothing."""
    finding = findings.fault("redis-reachable")
    if finding is None:
        return None
    redis = connections.redis
    began = since_first_error(server, *_REDIS_ERRORS)
    if database is not None:
        began = not_before(began, database.last_successful_write_timestamp, "the newest row of the database")
    commands = list(finding.remedy.commands) if finding.remedy else []
    return Cause(
        summary=f"{sentence(redis.cause)} Neither the queue nor the chain of custody can be judged.",
        **began.fields,
        next_step=Remedy(text=sentence(redis.hint or "See whether it runs."), commands=commands),
    )


def _refusal(redis_writes: "RedisWrites") -> str:
    """What Redis answers to a write and why, as a sentence."""
    if redis_writes.refusal.isupper():
        return f"Redis answers {redis_writes.refusal}: {redis_writes.reason}."
    return sentence(redis_writes.reason)  # it gives no answer, or one without a code


@cause(
    no_repair="No repair helps until Redis takes writes again.",
    stage="redis",
    shown_by=["redis-writable"],
    brings=[
        *("server-errors", "undrained-buffer", "redis-memory", "redis-durability", "writer-missing", "queue-depth"),
        *("consumer-lag", "pending-messages", "write-throughput", "backlog-trend", "written-not-acknowledged"),
        *CAPTURE,
    ],
    follows=["redis-unreachable", "disk-full"],
)
def cause_redis_refuses_writes(
    redis_writes: "RedisWrites",
    findings: Findings,
    server: "ServerHealth | None" = None,
    queue: "QueueHealth | None" = None,
) -> Cause | None:
    """Redis refuses every write."""
    finding = findings.fault("redis-writable")
    if finding is None or redis_writes.taken:
        return None
    began = Beginning(redis_writes.since_timestamp, "Redis itself")
    if began.since is None:
        began = since_first_error(server, _REFUSALS.get(redis_writes.refusal, ""))
        began = not_before(began, redis_writes.last_message_timestamp, "the newest message that was taken")
    return Cause(
        summary=f"{_refusal(redis_writes)} No event gets into the queue.",
        **began.fields,
        at_stake=Stake(at_risk=queue.queue_depth if queue else None),
        next_step=finding.remedy,
    )


@cause(
    no_repair="No repair helps until Redis lets the server in.",
    stage="redis",
    shown_by=["redis-writable"],
    brings=[
        *("server-errors", "undrained-buffer", "writer-missing", "queue-depth", "consumer-lag"),
        *("pending-messages", "write-throughput", "backlog-trend", "written-not-acknowledged", "stuck-consumers"),
        *CAPTURE,
    ],
    follows=["redis-unreachable", "redis-refuses-writes"],
)
def cause_redis_refuses_the_server(
    redis_writes: "RedisWrites", findings: Findings, server: "ServerHealth", queue: "QueueHealth | None" = None
) -> Cause | None:
    """Redis does not let the server in, or refuses it a command."""
    finding = findings.fault("redis-writable")
    if finding is None or not redis_writes.taken:
        return None
    return findings.cause(
        "redis-writable",
        **since_first_error(server, str(finding.evidence["log"])).fields,
        at_stake=Stake(at_risk=queue.queue_depth if queue else None),
    )


@cause(
    repair="groups",
    stage="redis",
    shown_by=["stream-lost"],
    brings=[
        *(EVERYTHING, "writer-missing", "server-errors", "chain-breaks", "queue-depth", "consumer-lag"),
        *("written-not-delivered", "redis-durability", "redis-memory"),
    ],
    follows=["redis-unreachable", "another-redis"],
)
def cause_redis_lost_its_data(
    findings: Findings,
    server: "ServerHealth | None" = None,
    queue: "QueueHealth | None" = None,
    presence: "StreamPresence | None" = None,
) -> Cause | None:
    """Redis lost the queue, or its writer groups."""
    repairs = []
    if _groups_can_be_put_right(presence, queue, server):
        repairs.append("groups")
    more = ""
    explains = ["stream-lost"]
    pending = _pending_in_the_copy(queue, presence)
    if pending:
        repairs.append("acknowledged")
        written = many(pending, "message", "messages")
        more = f"What that copy holds as pending is written, and has only to be acknowledged ({written})."
        explains += ["written-not-acknowledged", "retry-storm", "server-errors"]
    return findings.cause(
        "stream-lost",
        more=more,
        **_lost_since(server, presence).fields,
        at_stake=Stake(at_risk=queue.waiting_messages if queue else None),
        repair=" ".join(repairs),
        explains=explains,
    )


def _pending_in_the_copy(queue: "QueueHealth | None", presence: "StreamPresence | None") -> int:
    """Messages of an older copy that their writers hold by it, and whose rows are there.

    0 where Redis read no older copy at its start, or where anything else is held besides.
    """
    if queue is None or presence is None or not presence.rows_without_message:
        return 0
    started_ms = milliseconds_of(presence.redis_started_timestamp or "")
    if started_ms is None:
        return 0
    count = 0
    for group in queue.writers:
        if group.stuck or group.written_by_others:
            return 0
        count += group.written_not_acknowledged or 0
        for entry in group.to_acknowledge:
            if (milliseconds_of(stream_time(entry) or "") or started_ms) >= started_ms:
                return 0  # it came after the start
    return count


def _lost_since(server: "ServerHealth | None", presence: "StreamPresence | None") -> Beginning:
    """Since when the queue or groups are gone, by what does not change while they are.

    Of the errors in the log the first may be cut off by then: the server writes thousands of them a second.
    """
    began: Beginning = since_first_error(server, "NOGROUP", "stream key is gone")
    if presence is None:
        return began
    if presence.last_row_timestamp is not None:
        if began.since_bound:
            began = Beginning()
        began = not_before(began, presence.last_row_timestamp, "the newest row of a writer that reads no more")
        return began
    if presence.first_message_timestamp is not None and (began.since is None or began.since_bound):
        return _anew_since(presence.first_message_timestamp, presence.redis_started_timestamp)
    return began


def _anew_since(first_message: str, redis_started: str | None) -> Beginning:
    """Since when the stream is another one. One that is older than Redis' start was read from a file at that start."""
    came_from_file = (milliseconds_of(redis_started or "") or 0) > (milliseconds_of(first_message) or 0)
    if came_from_file:
        return Beginning(redis_started, "the start of Redis, which read an older copy of the stream", "at the latest")
    return Beginning(first_message, "the first message of the new stream", "at the latest")


def _groups_can_be_put_right(
    presence: "StreamPresence | None", queue: "QueueHealth | None", server: "ServerHealth | None"
) -> bool:
    """Whether `repair groups` finds a group to make or to move, and no other value or stream is in its way."""
    if presence is None or presence.wrong_type or presence.other_databases:
        return False
    if queue is not None and any(group.written_not_delivered for group in queue.writers):
        return True
    is_missing = bool(presence.missing_groups) or not presence.exists
    # A server makes its groups when it starts; while none runs, a repair leaves that to it.
    return is_missing and server is not None and server.is_alive


@cause(
    no_repair="No repair is needed: nothing is lost yet.",
    stage="redis",
    shown_by=["redis-durability", "redis-memory"],
    follows=["redis-unreachable", "redis-lost-its-data", "redis-refuses-writes", "disk-full", "another-redis"],
)
def cause_redis_may_lose_the_queue(findings: Findings, queue: "QueueHealth | None" = None) -> Cause | None:
    """Redis may lose what waits in the queue, or may soon refuse more."""
    waiting = queue.queue_depth if queue else None
    return findings.cause("redis-durability", "redis-memory", at_stake=Stake(at_risk=waiting))


@cause(
    no_repair="No repair helps: it would need one more connection.",
    stage="redis",
    shown_by=["redis-clients"],
    brings=["server-errors", "hook-spool", "hook-losses"],
)
def cause_redis_connections_used_up(findings: Findings) -> Cause | None:
    """Nearly all connections that Redis allows are open."""
    return findings.cause("redis-clients", more="When all are, it refuses new ones.")
