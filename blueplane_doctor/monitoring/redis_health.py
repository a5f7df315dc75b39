"""Redis itself: which server, whether it may lose the queue, and its clock."""

from collections.abc import Mapping

from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import ServerInfo
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.privacy.public_fields import EvictionPolicy, StreamName, Version
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.redis_host import append_only_in_file
from blueplane_doctor.sources.redis_info import integer
from blueplane_doctor.sources.redis_room import room_of
from blueplane_doctor.text.characters import plain

_ONE_CHANGE_SAVED_AFTER_S = 3600
"""Redis' default rules save within an hour of one change; so an unsaved change older than that means: no saving."""


class RedisHealth(Record):
    """The Redis server that holds the queue."""

    server: str
    """`redis` or `valkey`."""
    version: Version
    uptime_seconds: int | None
    used_memory_mb: float | None
    maxmemory_mb: float | None
    """Limit on memory; null when there is none."""
    maxmemory_policy: EvictionPolicy
    may_evict_queue: bool
    """Whether a full memory makes the server delete keys that have no expiry, as the streams."""
    persistence: bool | None
    """Whether the queue survives a restart; null when this user may not ask and nothing else shows it."""
    save_failure: str = ""
    """What failed when the queue was to be saved last; empty when nothing did, or nothing is saved."""
    append_only: bool = False
    """Whether the append-only file is switched on."""
    saves_snapshots: bool | None = None
    """Whether it has save rules; null when this user may not ask."""
    unsaved_changes: int | None = None
    """Changes since the last snapshot, which a crash loses; null where an append-only file keeps them."""
    last_save_seconds: int | None = None
    """Since the last snapshot, or since the start of Redis; null with `unsaved_changes`."""
    append_only_kept: bool | None = None
    """Whether it still is after a restart, by the configuration file; null where that cannot be read."""
    has_config_file: bool = True
    """Whether CONFIG REWRITE has a file to write to."""
    expires_in_seconds: dict[StreamName, int] = {}
    """Of the queue and the streams of dead letters those that have an expiry, and when Redis deletes each as a whole.
    """
    overwritten_by_master: bool = False
    """Whether it is a replica that takes writes, which its master overwrites."""
    open_connections: int | None = None
    """Those that count against `maxclients`: of clients, replicas and the cluster, and this run's own."""
    maxclients: int | None = None
    """How many it allows; null where INFO does not tell (before Redis 6.2)."""
    clock_skew_ms: float | None
    """The server's clock minus this host's; null before Redis 7.0, which does not tell."""


class RedisHealthMonitor(Monitor):
    """Reads INFO, and asks for the save rules where that is allowed."""

    name = "redis"
    record = RedisHealth

    def collect(self) -> RedisHealth:
        """Raises SourceError."""
        info = self.examination.server_info()
        fields = info.fields
        limit = integer(fields.get("maxmemory")) or None  # 0 is no limit
        policy = plain(fields.get("maxmemory_policy", "unknown"))
        server = "redis"
        if "valkey_version" in fields:
            server = "valkey"
        return RedisHealth(
            server=server,
            version=plain(fields.get("valkey_version") or fields.get("redis_version", "unknown")),
            uptime_seconds=integer(fields.get("uptime_in_seconds")),
            used_memory_mb=_megabytes(integer(fields.get("used_memory"))),
            maxmemory_mb=_megabytes(limit),
            maxmemory_policy=policy,
            may_evict_queue=limit is not None and policy.startswith("allkeys"),
            persistence=self._persistence(),
            save_failure=self._save_failure(fields),
            append_only=fields.get("aof_enabled") == "1",
            saves_snapshots=self._saves_snapshots(),
            **_unsaved(info),
            append_only_kept=append_only_in_file(fields),
            has_config_file=bool(fields.get("config_file")),
            expires_in_seconds=self._expires_in_seconds(fields),
            overwritten_by_master=fields.get("role") == "slave" and fields.get("slave_read_only") == "0",
            open_connections=_open_connections(fields),
            maxclients=integer(fields.get("maxclients")),
            clock_skew_ms=_clock_skew_ms(info),
        )

    def _expires_in_seconds(self, fields: Mapping[str, str]) -> dict[str, int]:
        """Asked only where INFO says that some key has an expiry, for nobody gives one to these streams on purpose."""
        if not room_of(fields).expiring_keys:
            return {}
        try:
            stream = self.examination.stream()
            names = (stream.queue, *stream.dead_letters)
            commands = []
            for name in names:
                commands.append(("PTTL", name))
            replies = self.examination.redis.ask(*commands)
        except SourceError:
            return {}  # whoever needs the stream tells of it
        expires = {}
        for name, reply in zip(names, replies, strict=True):
            # Below zero: no expiry, or no such key. An error: this user may not ask.
            if isinstance(reply, int) and reply >= 0:
                expires[name] = reply // 1000
        return expires

    def _persistence(self) -> bool | None:
        info = self.examination.server_info()
        if info.fields.get("aof_enabled") == "1":
            return True
        saves_snapshots = self._saves_snapshots()
        if saves_snapshots is not None:
            return saves_snapshots
        last_save = integer(info.fields.get("rdb_last_save_time")) or 0
        unsaved = integer(info.fields.get("rdb_changes_since_last_save"))
        if unsaved and info.now_ms / 1000 - last_save > 2 * _ONE_CHANGE_SAVED_AFTER_S:
            return False
        if integer(info.fields.get("rdb_saves")):
            return True
        return None

    def _saves_snapshots(self) -> bool | None:
        rules = self.examination.server_config().get("save")
        if rules is None:
            return None
        return bool(rules.strip())

    def _save_failure(self, fields: Mapping[str, str]) -> str:
        if fields.get("aof_enabled") == "1":
            if fields.get("aof_last_write_status") == "err":
                return "the append-only file cannot be written"
            if fields.get("aof_last_bgrewrite_status") == "err":
                return "the append-only file could not be rewritten"
            return ""
        if fields.get("rdb_last_bgsave_status") == "err" and self.examination.server_config().get("save") != "":
            return "the last snapshot failed"
        return ""


def _unsaved(info: ServerInfo) -> dict[str, int]:
    """How much a crash would lose, and of how long a time; nothing where an append-only file keeps it."""
    changes = integer(info.fields.get("rdb_changes_since_last_save"))
    last_save = integer(info.fields.get("rdb_last_save_time"))
    if info.fields.get("aof_enabled") == "1" or changes is None or last_save is None:
        return {}
    return {"unsaved_changes": changes, "last_save_seconds": max(0, info.now_ms // 1000 - last_save)}


def _open_connections(fields: Mapping[str, str]) -> int | None:
    clients = integer(fields.get("connected_clients"))
    if clients is None:
        return None
    for name in ("connected_slaves", "cluster_connections"):
        clients += integer(fields.get(name)) or 0
    return clients


def _clock_skew_ms(info: ServerInfo) -> float | None:
    server_us = integer(info.fields.get("server_time_usec"))
    if server_us is None:
        return None
    return round(server_us / 1000 - info.host_ms, 1)


def _megabytes(size: int | None) -> float | None:
    if size is None:
        return None
    return round(size / 1_000_000, 3)


MONITOR = RedisHealthMonitor
