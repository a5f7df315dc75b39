"""Does Redis keep the queue: through a restart, and when its memory is full."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many
from blueplane_doctor.text.times import span

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.redis_health import RedisHealth

_IF_REFUSED = (
    "Where CONFIG REWRITE is refused, write the setting by hand into the file that INFO server names as config_file: "
    "what is set by CONFIG SET alone is gone at the next restart."
)
_NO_FILE = (
    "This Redis runs without a configuration file, so that CONFIG SET alone would be gone at the next restart: put the "
    "setting where Redis is started."
)
_MUCH_USED = 0.9
"""Of maxmemory: without eviction the rest could be full soon."""


@check(
    area="redis",
    scale=Scale.states(
        green="safe|snapshots",
        yellow="no persistence|until the next restart",
        orange="expires|may evict the queue|last save failed|overwritten by its master",
    ),
)
def check_redis_durability(redis: "RedisHealth", locations: "Locations", scale: Scale) -> Finding:
    """Redis keeps the queue through a restart and does not evict it when memory is short.

    What waits in the queue exists nowhere else. Without persistence a restart loses it; to make room Redis may delete
    the whole stream. Snapshots alone are green, for a restart writes one; what a crash would lose is told.

    Causes:
    - Redis runs with neither snapshots nor an append-only file, or the last one could not be saved
    - the append-only file was switched on by CONFIG SET alone, which the next restart forgets
    - `maxmemory` is set together with a policy that deletes any key
    - another program, or a person, gave the stream an expiry (EXPIRE)
    """
    fields = {"maxmemory_policy", "maxmemory_mb", "used_memory_mb", "persistence", "save_failure", "append_only"}
    evidence = redis.model_dump(include=fields | {"unsaved_changes", "last_save_seconds"})
    if redis.overwritten_by_master:
        summary = "Redis is a replica that takes writes: at its next synchronisation its master overwrites the queue"
        remedy = Remedy(text="Let Blueplane use the master, and set replica-read-only.")
        return scale.grade("overwritten by its master", summary, remedy=remedy, evidence=evidence)
    if redis.expires_in_seconds:
        evidence["expires in seconds"] = redis.expires_in_seconds
        remedy = _keep(redis, locations)
        return scale.grade("expires", _expiry_sentence(redis), remedy=remedy, evidence=evidence)
    if redis.may_evict_queue:
        summary = f"When its {redis.maxmemory_mb:g} MB are full, Redis may delete the queue ({redis.maxmemory_policy})"
        remedy = _stop_evicting(redis, locations)
        return scale.grade("may evict the queue", summary, remedy=remedy, evidence=evidence)
    if redis.save_failure:
        summary = f"The last save failed ({redis.save_failure}): a restart now would lose what waits in the queue"
        remedy = Remedy(
            text="Do not restart Redis. Remove what stops it from saving: space and permissions of its folder, or "
            "memory for the process that saves; its log says which. Then let it save, and look again.",
            commands=[f"{locations.redis_cli} CONFIG GET dir"],
        )
        return scale.grade("last save failed", summary, remedy=remedy, evidence=evidence)
    if redis.persistence is None:
        return unknown(
            "Whether the queue survives a restart of Redis is not known",
            "this user may not ask for the save rules (CONFIG GET), and the server has saved nothing yet",
            evidence=evidence,
        )
    if not redis.persistence:
        summary = "Redis saves nothing: what waits in the queue is lost when it restarts"
        return scale.grade("no persistence", summary, remedy=_append(redis, locations), evidence=evidence)
    if redis.append_only_kept is False and redis.append_only and not redis.saves_snapshots:
        summary = "The append-only file is on only until the next restart, which then begins with an empty queue"
        remedy = Remedy(
            text=f"Write the settings in force into the configuration file. {_IF_REFUSED}",
            commands=[f"{locations.redis_cli} CONFIG REWRITE"],
        )
        return scale.grade("until the next restart", summary, remedy=remedy, evidence=evidence)
    if redis.unsaved_changes and redis.last_save_seconds is not None:
        changes = many(redis.unsaved_changes, "change", "changes")
        age = span(1000 * redis.last_save_seconds)
        summary = f"Redis saves snapshots alone: a crash now loses the {changes} since the last one, {age} ago"
        return scale.grade("snapshots", summary, evidence=evidence)
    return scale.grade("safe", "Redis keeps the queue through a restart and never evicts it", evidence=evidence)


def _expiry_sentence(redis: "RedisHealth") -> str:
    name, seconds = min(redis.expires_in_seconds.items(), key=lambda item: item[1])
    sentence = f"Redis deletes {name}, with all that it holds, in {span(1000 * seconds)}: it has an expiry"
    if redis.maxmemory_mb is not None and redis.maxmemory_policy.startswith("volatile"):
        sentence += f", and when its memory is full, Redis may delete it at once ({redis.maxmemory_policy})"
    return sentence


def _keep(redis: "RedisHealth", locations: "Locations") -> Remedy:
    commands = []
    for name in sorted(redis.expires_in_seconds):
        commands.append(f"{locations.redis_cli} PERSIST {name}")
    return Remedy(
        text="Take the expiry away, and find the program that sets it: Blueplane gives its streams none.",
        commands=commands,
    )


def _append(redis: "RedisHealth", locations: "Locations") -> Remedy:
    if not redis.has_config_file:
        return Remedy(
            text=f"Switch the append-only file on. {_NO_FILE} The setting is --appendonly yes. A restart with it "
            "begins empty, so first CONFIG SET appendonly yes, and wait until INFO persistence says "
            "aof_rewrite_in_progress:0."
        )
    return Remedy(
        text=f"Switch the append-only file on, now and in the configuration file. {_IF_REFUSED}",
        commands=[f"{locations.redis_cli} CONFIG SET appendonly yes", f"{locations.redis_cli} CONFIG REWRITE"],
    )


def _stop_evicting(redis: "RedisHealth", locations: "Locations") -> Remedy:
    limit = redis.maxmemory_mb or 0.0
    used = min(limit, redis.used_memory_mb or 0.0)
    room = (
        f"{limit - used:,.3g} of {limit:,.6g} MB are left. When they are full, Redis then refuses every write, and "
        "hooks and the server's POST /events answer 503: give it enough memory (maxmemory), and watch redis-memory."
    )
    if used >= _MUCH_USED * limit:
        return Remedy(text=f"First raise maxmemory, then set maxmemory-policy noeviction, both to stay. {room}")
    if not redis.has_config_file:
        return Remedy(text=f"Let it refuse writes instead: --maxmemory-policy noeviction. {_NO_FILE} {room}")
    return Remedy(
        text=f"Let it refuse writes instead of deleting. {room} {_IF_REFUSED}",
        commands=[
            f"{locations.redis_cli} CONFIG SET maxmemory-policy noeviction",
            f"{locations.redis_cli} CONFIG REWRITE",
        ],
    )
