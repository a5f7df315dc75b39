"""Why a Redis server refuses writes, from what INFO and CONFIG GET say. Nothing is written to find out.

The conditions are those under which the servers answer with the error named (`processCommand` in their source).
"""

from collections.abc import Mapping
from typing import NamedTuple

from blueplane_doctor.sources.redis_info import integer
from blueplane_doctor.sources.redis_room import room_of
from blueplane_doctor.text.quantities import many
from blueplane_doctor.text.times import span

LOADING = "LOADING"
PAUSED = "paused"
"""No error code: while writes are paused, they get no answer at all."""
EXHAUSTED = "exhausted"
"""No error code either: the server answers ERR, and the stream alone takes nothing more."""
MOMENT_SECONDS = 30
"""Loading and pauses that are over within so many seconds belong to every restart and every planned failover."""
_FULL_BYTES = 128 * 1024
"""Less than this is no room: taking a message costs its own size and that of a client's buffers."""

_Fields = Mapping[str, str]


class Refusal(NamedTuple):
    """Why a server takes no writes."""

    code: str
    """The error that it answers with."""
    reason: str
    since_ms: int | None = None
    """When it began, milliseconds since 1970, where that is known."""
    seconds_left: int | None = None
    """Until it ends by itself, where the server says so."""
    is_certain: bool = True
    """False where it may be, and what is known does not tell."""

    @property
    def is_momentary(self) -> bool:
        """Whether it is over in a moment, as after each restart."""
        return self.seconds_left is not None and self.seconds_left <= MOMENT_SECONDS


def refusal_of(info: _Fields, config: _Fields, now_ms: int) -> Refusal | None:
    """The first reason, in the order in which the server looks for one; None while it takes writes.

    `config` holds what CONFIG GET was allowed to tell.
    """
    for rule in (_loading, _paused, _replica, _memory, _failed_save, _few_replicas):
        refusal = rule(info, config, now_ms)
        if refusal:
            return refusal
    return None


def refusal_counts(info: _Fields) -> dict[str, int]:
    """How often each error was answered that refuses a write, since the start or CONFIG RESETSTAT."""
    counts = {}
    for code in ("OOM", "MISCONF", "READONLY", "NOREPLICAS", "LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN"):
        count = _error_count(info, code)
        if count:
            counts[code] = count
    return counts


def _error_count(info: _Fields, code: str) -> int:
    return integer(info.get(f"errorstat_{code}", "").removeprefix("count=")) or 0


def _loading(info: _Fields, config: _Fields, now_ms: int) -> Refusal | None:
    if info.get("loading") != "1":
        return None
    share = info.get("loading_loaded_perc", "")
    done = f", {share.split('.')[0]} % of it so far" if share else ""
    began = integer(info.get("loading_start_time"))
    return Refusal(
        LOADING,
        f"it is loading what it had saved{done}",
        since_ms=None if began is None else 1000 * began,
        seconds_left=integer(info.get("loading_eta_seconds")),
    )


def _paused(info: _Fields, config: _Fields, now_ms: int) -> Refusal | None:
    """Only Valkey and Redis from 8.0 on tell of it."""
    if info.get("paused_actions", "none") == "none":
        return None
    milliseconds = integer(info.get("paused_timeout_milliseconds")) or 0
    reason = "CLIENT PAUSE holds every write back"
    if "failover" in info.get("paused_reason", ""):
        reason = "writes are held back while a failover is under way"
    return Refusal(PAUSED, reason, seconds_left=-(-milliseconds // 1000))


def _replica(info: _Fields, config: _Fields, now_ms: int) -> Refusal | None:
    if info.get("role") != "slave" or info.get("slave_read_only") == "0":
        return None
    if info.get("master_link_status") == "up":
        return Refusal("READONLY", "it is a read-only replica of another Redis, which takes the writes")
    down = integer(info.get("master_link_down_since_seconds"))
    since_ms = None
    # A link that never was up since the start is said to be down for as long as the server's clock counts: no time.
    if down is not None and 0 <= down <= (integer(info.get("uptime_in_seconds")) or 0):
        since_ms = now_ms - 1000 * down
    return Refusal("READONLY", "it is a read-only replica, and its link to the master is down", since_ms=since_ms)


def _memory(info: _Fields, config: _Fields, now_ms: int) -> Refusal | None:
    room = room_of(info)
    if room.limit is None or room.free is None or room.can_evict:
        return None
    refused = _error_count(info, "OOM")
    if room.free and not (refused and room.free < _FULL_BYTES):
        return None
    nothing = "may evict nothing" if room.policy == "noeviction" else "finds no key with an expiry to evict"
    return Refusal("OOM", f"its {_megabytes(room.limit)} of memory are full, and it {nothing} ({room.policy})")


def _failed_save(info: _Fields, config: _Fields, now_ms: int) -> Refusal | None:
    if info.get("aof_enabled") == "1" and info.get("aof_last_write_status") == "err":
        return Refusal("MISCONF", "it cannot write its append-only file")
    if info.get("rdb_last_bgsave_status") != "err":
        return None
    if config.get("save") == "" or config.get("stop-writes-on-bgsave-error") == "no":
        return None
    saved = integer(info.get("rdb_last_save_time"))
    reason = "its last snapshot failed"
    if saved:  # when it failed is not told
        reason += f", and nothing was saved for {span(max(0, now_ms - 1000 * saved))}"
    if "save" in config and "stop-writes-on-bgsave-error" in config:
        return Refusal("MISCONF", reason)
    if _error_count(info, "MISCONF"):
        return Refusal("MISCONF", f"{reason}; it has refused writes because of that")
    reason += "; whether it then refuses writes, as by default, is not known (this user may not ask CONFIG GET)"
    return Refusal("MISCONF", reason, is_certain=False)


def _few_replicas(info: _Fields, config: _Fields, now_ms: int) -> Refusal | None:
    # INFO tells of good replicas only where some are wanted.
    good = integer(info.get("min_slaves_good_slaves"))
    if good is None or info.get("role") == "slave":
        return None
    wanted = integer(config.get("min-replicas-to-write"))
    if wanted is not None and good >= wanted:
        return None
    if wanted is not None:
        return Refusal("NOREPLICAS", f"it wants {many(wanted, 'good replica', 'good replicas')} and has {good}")
    if good == 0:
        return Refusal("NOREPLICAS", "it wants good replicas for a write and has none")
    if not _error_count(info, "NOREPLICAS"):
        return None
    reason = f"it has {many(good, 'good replica', 'good replicas')}, and wanted more at some time"
    return Refusal("NOREPLICAS", f"{reason}; how many it wants is not known (CONFIG GET)", is_certain=False)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.3g} MB"
