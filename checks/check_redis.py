"""Redis itself: does it answer and take writes, is there room left, does its clock agree."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, Status, check, unknown
from blueplane_doctor.checkapi import many, not_graded, sentence
from blueplane_doctor.text.times import readable

if TYPE_CHECKING:
    from blueplane_doctor.monitoring.connections import Connections
    from blueplane_doctor.monitoring.history_health import HistoryHealth
    from blueplane_doctor.monitoring.redis_health import RedisHealth
    from blueplane_doctor.monitoring.redis_writes import RedisWrites
    from blueplane_doctor.monitoring.server_health import ServerHealth
    from blueplane_doctor.monitoring.server_uses import ServerUses


_SERVES_SOON = ("LOADING",)
"""What it answers for a moment after each start: whether that lasts is a matter of redis-writable."""
_ANOTHER_NODE = ("MOVED", "ASK", "TRYAGAIN", "CROSSSLOT")


@check(area="redis", scale=Scale.states(green="yes", red="no|serves nothing"))
def check_redis_reachable(connections: "Connections", scale: Scale, server_uses: "ServerUses | None" = None) -> Finding:
    """The Redis that holds the queue answers.

    Everything else depends on it: without Redis neither the queue nor the chain of custody can be judged. Where
    Blueplane's own settings cannot be used, and no queue is at the default address, its Redis is not known.

    Causes:
    - it does not run
    - the settings name another host, port or database
    - it wants a password, or this user may not ask
    - it is loading, a script runs without end, or its master or cluster is down
    - it is one node of a cluster, and another one holds the queue
    """
    redis = connections.redis
    if server_uses is not None and not server_uses.is_redis_known:
        cause = "Blueplane's own settings cannot be used, so that the address of its Redis is not known: "
        cause += f"there is no queue at the default, {redis.address}"
        remedy = Remedy(text="Correct the settings (see server-settings), or name its Redis with --redis-url.")
        return unknown("Which Redis holds the queue is not known", cause, remedy=remedy)
    if redis.reachable:
        return scale.grade("yes", f"Redis at {redis.address} answers")
    remedy = Remedy(text=sentence(redis.hint or "See whether it runs."))
    if redis.refusal in _SERVES_SOON or redis.refusal in _ANOTHER_NODE:
        return unknown("What the queue holds is not known", redis.cause, remedy=remedy)
    if redis.refusal:
        return scale.grade("serves nothing", redis.cause, remedy=remedy)
    return scale.grade("no", redis.cause, remedy=remedy)


_REFUSES_THE_SERVER = ("Redis refuses the login", "Redis permission is missing (NOPERM)")
"""What the server's log says where Redis lets others do what it refuses the server."""
_LET_THE_SERVER_IN = (
    "Redis does not let the server do its work: compare the user and password that the server is given with what Redis "
    "wants (requirepass, ACL LIST), and grant the command that its log names. Then restart the server."
)
_MAKE_IT_WRITABLE = {
    "OOM": "Raise maxmemory, as far as that host has memory, both now (CONFIG SET) and in its configuration file, or "
    "delete keys of other programs. Do not trim the queue, and choose no policy that may evict it: what waits there "
    "exists nowhere else. Hooks and the server's POST /events answer 503 until then, and keep what they can.",
    "READONLY": "Let Blueplane use the present master: name it in its settings, and restart its server. Where no "
    "master is left, REPLICAOF NO ONE makes this one the master; what it had not copied by then is lost.",
    "MISCONF": "Remove what stops it from saving: space and permissions of its folder (CONFIG GET dir), and memory for "
    "the process that saves; its log says which. Then BGSAVE: once it has succeeded, writes are taken again.",
    "NOREPLICAS": "Start its replicas. Only where a loss at a failover is acceptable, lower min-replicas-to-write.",
    "LOADING": "Wait until it has loaded what it had saved, and look again.",
    "paused": "Find who paused it, as a failover or a maintenance tool does. CLIENT UNPAUSE ends it at once.",
    "exhausted": "Somebody added a message with that ID. Once nothing waits any more (queue-depth), RENAME the stream "
    "and restart the Blueplane server, which makes the stream and its groups anew.",
    "BUSY": "End the script: SCRIPT KILL, or FUNCTION KILL for a function. Redis refuses both once it has written "
    "something; then wait for its end. SHUTDOWN NOSAVE would lose the queue.",
    "MASTERDOWN": "Bring its master back, or let Blueplane use the present master.",
    "CLUSTERDOWN": "See what is missing: CLUSTER INFO and CLUSTER NODES.",
}


@check(area="redis", scale=Scale.states(green="yes", orange="not from the server", red="no"))
def check_redis_writable(redis_writes: "RedisWrites", scale: Scale, server: "ServerHealth | None" = None) -> Finding:
    """Redis takes the messages that are sent to it, and lets the writers acknowledge them.

    A Redis that refuses writes still answers everything else. Nothing is written to find out: it is told from what the
    server says of its memory, its role, its last save and its replicas. That it refuses Blueplane's server alone, its
    login or a command, is told by that one's log.

    Causes:
    - its memory is full, and it may not evict anything (OOM)
    - after a failover it is a read-only replica (READONLY)
    - its last save failed (MISCONF), or too few replicas are there (NOREPLICAS)
    - it is loading, paused (CLIENT PAUSE), or runs a script without end (BUSY)
    - its password was changed, or the server's user lacks a permission (NOAUTH, WRONGPASS, NOPERM)
    - a message was added with the largest possible ID, after which a stream takes no more
    """
    evidence = redis_writes.model_dump(exclude_none=True, exclude={"reason"})
    refused = _refused_to_the_server(server)
    if redis_writes.taken and refused:
        summary = f"Redis takes writes, but not all from the server, whose log says: {refused}"
        evidence["log"] = refused
        remedy = Remedy(text=_LET_THE_SERVER_IN)
        return scale.grade("not from the server", summary, remedy=remedy, evidence=evidence)
    if redis_writes.taken:
        return scale.grade("yes", "Redis takes writes", evidence=evidence)
    answer = redis_writes.refusal
    remedy = Remedy(text=_MAKE_IT_WRITABLE.get(answer, "Look into its log."))
    if redis_writes.taken is None:
        left = redis_writes.seconds_left
        cause = redis_writes.reason
        if left is not None:
            cause = f"{cause}; it ends in about {many(left, 'second', 'seconds')}"
        return unknown("Whether Redis takes writes is not known", cause, remedy=remedy, evidence=evidence)
    summary = f"Redis refuses every write ({answer}): {redis_writes.reason}"
    if redis_writes.since_timestamp:
        summary += f", since {readable(redis_writes.since_timestamp)}"
    if redis_writes.last_message_timestamp:
        summary += f"; the newest message of the queue was added at {readable(redis_writes.last_message_timestamp)}"
    return scale.grade("no", summary, remedy=remedy, evidence=evidence)


def _refused_to_the_server(server: "ServerHealth | None") -> str:
    """What the server's log says lately that Redis refuses it alone; empty where it says nothing of that."""
    for error in server.errors if server else []:
        if error.lately and error.kind in _REFUSES_THE_SERVER:
            return error.kind
    return ""


# Three quarters are usual for a cache; a queue that nobody may evict needs time to be noticed before it is full.
@check(area="redis", scale=Scale.rising(yellow=80, orange=90, unit="%"))
def check_redis_memory(redis: "RedisHealth", scale: Scale, history: "HistoryHealth | None" = None) -> Finding:
    """How much of its memory limit Redis uses.

    When it is full, Redis refuses every write, or deletes keys to make room, as its policy says. Without a limit it is
    not graded. Where recorded samples show that the room shrinks, until when it lasts at that rate is told.

    Causes:
    - messages that nobody takes, or large ones
    - other programs that use the same Redis
    """
    if redis.maxmemory_mb is None or redis.used_memory_mb is None:
        return not_graded(None, "Redis has no memory limit of its own", unit=scale.unit)
    free = max(0.0, redis.maxmemory_mb - redis.used_memory_mb)
    limit = max(redis.maxmemory_mb, 0.001)  # one of a few bytes is rounded to none
    share = 100 * min(1.0, redis.used_memory_mb / limit)
    then = "refuses every write"
    if redis.may_evict_queue:
        then = "may delete the queue"
    remedy = Remedy(
        text="Raise maxmemory, as far as that host has memory, now (CONFIG SET) and in its configuration file; or find "
        "what fills it: the queue (queue-depth), dead letters (dead-letters), or other programs."
    )
    evidence = redis.model_dump(include={"used_memory_mb", "maxmemory_mb", "maxmemory_policy"})
    summary = f"{free:,.3g} of {redis.maxmemory_mb:,.6g} MB are free; when they are full, Redis {then}"
    forecast = history.room.get("memory") if history else None
    if forecast:
        summary += f"; {forecast.words}"
        evidence["until full"] = forecast.model_dump()
    return scale.grade(round(share, 1), summary, remedy=remedy, evidence=evidence)


# Blueplane and its editors open some tens of connections; what is left at 95 % may go with one more program.
@check(area="redis", scale=Scale.rising(yellow=80, orange=95, unit="%"))
def check_redis_clients(redis: "RedisHealth", scale: Scale) -> Finding:
    """How many of the connections that Redis allows are open.

    When all are, Redis refuses each new one: hooks, the server and its writers, which open connections as they need
    them, then reach nothing, while everybody who is connected already goes on.

    Causes:
    - a program that opens connections and never closes them
    - `maxclients` is low, or was lowered at the start because the limit of open files (ulimit -n) is
    """
    if not redis.maxclients or redis.open_connections is None:
        return not_graded(None, "Redis does not tell how many connections it allows", unit=scale.unit)
    share = 100 * min(1.0, redis.open_connections / redis.maxclients)
    remedy = Remedy(
        text="See who holds them (CLIENT LIST: name, address, idle time), and end what leaves them open. Raise "
        "maxclients, as far as the limit of open files of Redis allows, now (CONFIG SET) and in its configuration file."
    )
    return scale.grade(
        round(share, 1),
        f"{redis.open_connections:,} of the {redis.maxclients:,} connections that Redis allows are open",
        remedy=remedy,
        evidence=redis.model_dump(include={"open_connections", "maxclients"}),
    )


# From a minute on, ages and rates mean nothing.
@check(area="redis", scale=Scale.rising(yellow=1, orange=5, red=60, unit="s"))
def check_clock_skew(redis: "RedisHealth", scale: Scale) -> Finding:
    """How far the clock of the Redis server is from this host's.

    Ages and rates compare times of both; skew makes them wrong, and loses nothing.

    Causes:
    - one of the hosts does not take its time from the network
    - a virtual machine or container host that slept
    """
    if redis.clock_skew_ms is None:
        return unknown("Whether the clocks agree is not known", "this server does not tell its time (Redis before 7.0)")
    seconds = abs(redis.clock_skew_ms) / 1000
    if scale.status(seconds) is Status.GREEN:
        summary = "The clocks of Redis and of this host agree"
    elif redis.clock_skew_ms > 0:
        summary = f"The clock of Redis is {seconds:.1f} s ahead of this host's"
    else:
        summary = f"The clock of Redis is {seconds:.1f} s behind this host's"
    remedy = Remedy(text="Let both hosts take the time from the network (NTP).")
    return scale.grade(round(seconds, 4), summary, remedy=remedy)
