"""Why a server refuses writes, from what it says of itself."""

import pytest

from blueplane_doctor.sources.redis_refusals import refusal_counts, refusal_of

NOW_MS = 1_800_000_000_000
FULL = {"used_memory": "2000000", "maxmemory": "1000000"}
FAILED = {"rdb_last_bgsave_status": "err"}
SAVES = {"save": "3600 1"}
STOPS = {"stop-writes-on-bgsave-error": "yes"}
REPLICA = {"role": "slave", "slave_read_only": "1"}


def code_of(info: dict[str, str], config: dict[str, str] | None = None) -> str:
    """The error's code, with `?` where it is not certain; empty while writes are taken."""
    refusal = refusal_of(info, config or {}, NOW_MS)
    if refusal is None:
        return ""
    return refusal.code if refusal.is_certain else refusal.code + "?"


@pytest.mark.parametrize(
    ("info", "config", "code"),
    [
        pytest.param({}, {}, "", id="nothing known"),
        pytest.param({"maxmemory": "0", "used_memory": "9", "role": "master"}, {}, "", id="no limit"),
        pytest.param({**FULL, "maxmemory_policy": "noeviction"}, {}, "OOM", id="full"),
        pytest.param({**FULL, "maxmemory_policy": "volatile-lru"}, {}, "OOM", id="full and nothing expires"),
        pytest.param({**FULL, "maxmemory_policy": "volatile-lru", "db0": "keys=2,expires=1"}, {}, "", id="expires"),
        pytest.param({**FULL, "maxmemory_policy": "allkeys-lru"}, {}, "", id="may evict"),
        pytest.param(
            {"used_memory": "950000", "maxmemory": "1000000", "maxmemory_policy": "noeviction"}, {}, "", id="room"
        ),
        pytest.param(
            {
                "used_memory": "950000",
                "maxmemory": "1000000",
                "maxmemory_policy": "noeviction",
                "errorstat_OOM": "count=3",
            },
            {},
            "OOM",
            id="no room for a message, and it has refused some",
        ),
        pytest.param(FAILED, {**SAVES, **STOPS}, "MISCONF", id="failed save"),
        pytest.param(FAILED, {"save": "", **STOPS}, "", id="failed save by hand, without rules"),
        pytest.param(FAILED, {**SAVES, "stop-writes-on-bgsave-error": "no"}, "", id="goes on after a failed save"),
        pytest.param(FAILED, {}, "MISCONF?", id="failed save, settings unknown"),
        pytest.param({**FAILED, "errorstat_MISCONF": "count=1"}, {}, "MISCONF", id="settings unknown, has refused"),
        pytest.param({"aof_enabled": "1", "aof_last_write_status": "err"}, {"save": ""}, "MISCONF", id="no AOF"),
        pytest.param({"aof_enabled": "0", "aof_last_write_status": "err"}, {}, "", id="AOF switched off since"),
        pytest.param(REPLICA, {}, "READONLY", id="replica"),
        pytest.param({**REPLICA, "slave_read_only": "0"}, {}, "", id="writable replica"),
        pytest.param({"min_slaves_good_slaves": "0"}, {}, "NOREPLICAS", id="no good replica"),
        pytest.param({"min_slaves_good_slaves": "1"}, {"min-replicas-to-write": "2"}, "NOREPLICAS", id="too few"),
        pytest.param({"min_slaves_good_slaves": "2"}, {"min-replicas-to-write": "2"}, "", id="enough replicas"),
        pytest.param({"min_slaves_good_slaves": "1"}, {}, "", id="one, wanted unknown, none refused"),
        pytest.param(
            {"min_slaves_good_slaves": "1", "errorstat_NOREPLICAS": "count=9"}, {}, "NOREPLICAS?", id="one, has refused"
        ),
        pytest.param({"loading": "1", "loading_eta_seconds": "90"}, {}, "LOADING", id="loading"),
        pytest.param({"paused_actions": "write", "paused_timeout_milliseconds": "60000"}, {}, "paused", id="paused"),
        pytest.param({"paused_actions": "none"}, {}, "", id="not paused"),
    ],
)
def test_each_reason_is_known_by_what_the_server_says(info: dict[str, str], config: dict[str, str], code: str) -> None:
    assert code_of(info, config) == code


def test_loading_that_is_over_in_a_moment_is_told_apart() -> None:
    for seconds, is_momentary in ((1, True), (30, True), (31, False)):
        refusal = refusal_of({"loading": "1", "loading_eta_seconds": str(seconds)}, {}, NOW_MS)
        assert refusal is not None
        assert refusal.is_momentary is is_momentary


@pytest.mark.parametrize(("down", "since_ms"), [("20", NOW_MS - 20_000), ("1790000000", None), ("-1", None)])
def test_a_link_that_never_was_up_is_down_since_no_known_time(down: str, since_ms: int | None) -> None:
    info = {**REPLICA, "master_link_status": "down", "master_link_down_since_seconds": down, "uptime_in_seconds": "60"}
    refusal = refusal_of(info, {}, NOW_MS)
    assert refusal is not None
    assert refusal.since_ms == since_ms


def test_refused_commands_are_counted_by_error() -> None:
    info = {"errorstat_OOM": "count=12", "errorstat_ERR": "count=3", "errorstat_BUSY": "nonsense"}
    assert refusal_counts(info) == {"OOM": 12}
