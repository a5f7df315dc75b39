"""Redis itself: which server, whether it may lose the queue, and its clock."""

from blueplane_doctor.errors import SourceError, SourceUnreachable
from blueplane_doctor.examination import ServerInfo
from blueplane_doctor.model import Record
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.text import plain

_ONE_CHANGE_SAVED_AFTER_S = 3600
"""Redis' default rules save within an hour of one change; so an unsaved change older than that means: no saving."""


class RedisHealth(Record):
    """The Redis server that holds the queue."""

    server: str
    """`redis` or `valkey`."""
    version: str
    uptime_seconds: int | None
    used_memory_mb: float | None
    maxmemory_mb: float | None
    """Limit on memory; null when there is none."""
    maxmemory_policy: str
    may_evict_queue: bool
    """Whether a full memory makes the server delete keys that have no expiry, as the streams."""
    persistence: bool | None
    """Whether the queue survives a restart; null when this user may not ask and nothing else shows it."""
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
        limit = _number(fields.get("maxmemory")) or None  # 0 is no limit
        policy = plain(fields.get("maxmemory_policy", "unknown"))
        server = "redis"
        if "valkey_version" in fields:
            server = "valkey"
        return RedisHealth(
            server=server,
            version=plain(fields.get("valkey_version") or fields.get("redis_version", "unknown")),
            uptime_seconds=_number(fields.get("uptime_in_seconds")),
            used_memory_mb=_megabytes(_number(fields.get("used_memory"))),
            maxmemory_mb=_megabytes(limit),
            maxmemory_policy=policy,
            may_evict_queue=limit is not None and policy.startswith("allkeys"),
            persistence=self._persistence(),
            clock_skew_ms=_clock_skew_ms(info),
        )

    def _persistence(self) -> bool | None:
        info = self.examination.server_info()
        if info.fields.get("aof_enabled") == "1":
            return True
        try:
            return bool(self.examination.redis.ask_one("CONFIG", "GET", "save")[1].strip())
        except SourceUnreachable:
            raise
        except (SourceError, IndexError, TypeError, AttributeError):
            pass  # it may not be asked, so that what it saved has to tell
        last_save = _number(info.fields.get("rdb_last_save_time")) or 0
        unsaved = _number(info.fields.get("rdb_changes_since_last_save"))
        if unsaved and info.now_ms / 1000 - last_save > 2 * _ONE_CHANGE_SAVED_AFTER_S:
            return False
        if _number(info.fields.get("rdb_saves")):
            return True
        return None


def _clock_skew_ms(info: ServerInfo) -> float | None:
    server_us = _number(info.fields.get("server_time_usec"))
    if server_us is None:
        return None
    return round(server_us / 1000 - info.host_ms, 1)


def _number(text: str | None) -> int | None:
    if not text or not text.lstrip("-").isdigit():
        return None
    return int(text)


def _megabytes(size: int | None) -> float | None:
    if size is None:
        return None
    return round(size / 1_000_000, 3)


MONITOR = RedisHealthMonitor
