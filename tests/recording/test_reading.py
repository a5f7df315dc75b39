"""Reading back: a window, odd content, no permission, nobody there."""

import redis

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.privacy.public_text import hidden
from blueplane_doctor.recording.minutes import PREFIX
from tests.recording.helpers import NOWHERE, recorded

NOW = 6000 * 60.0


def test_only_the_window_counts(store: redis.Redis, valkey: RunningServer) -> None:
    for minute in (5990, 5997, 5998, 6000, 6001):
        store.hset(f"{PREFIX}recorded:{minute}", mapping={"w|ok|t": 1})
        store.hset(f"{PREFIX}recorded:{minute}:t", mapping={"0": 1})
    assert recorded(valkey.url, now=NOW, minutes=2).writes_ok == 2
    found = recorded(valkey.url, now=NOW + 59.9, minutes=3)
    assert (found.writes_ok, found.minutes_recorded, found.since_ms) == (3, 3, 5997 * 60_000)


def test_of_sessions_the_newest_minute_counts(store: redis.Redis, valkey: RunningServer) -> None:
    store.hset(f"{PREFIX}recorded:5998", mapping={"m|ok|x": 1, "m|sessions|x": 5, "m|captured|x": 3})
    store.hset(f"{PREFIX}recorded:5999", mapping={"m|ok|x": 1, "m|sessions|x": 2, "m|failed|x": 4})
    monitor = recorded(valkey.url, now=NOW, minutes=5).monitors[hidden("x")]
    assert (monitor.sessions, monitor.events, monitor.errors) == (2, 3, 4)


def test_nothing_is_unknown_and_not_zero(store: redis.Redis, valkey: RunningServer) -> None:
    found = recorded(valkey.url)
    assert found.cause == "nothing was recorded in the last 5 min"
    numbers = (found.writes_ok, found.writes_failed, found.write_success_rate, found.write_p95_ms)
    assert numbers == (None,) * 4
    assert (found.hook_success_rate("cursor"), found.captured, found.dropped) == (None,) * 3


def test_what_is_not_measured_stays_unknown(store: redis.Redis, valkey: RunningServer) -> None:
    store.hset(f"{PREFIX}recorded:6000", mapping={"h|ok|cursor/stop": 1, "m|ok|poller": 1})
    found = recorded(valkey.url, now=NOW)
    assert (found.writes_ok, found.write_p95_ms) == (None, None)
    assert (found.monitors[hidden("poller")].events, found.monitors[hidden("poller")].sessions) == (None, None)
    assert found.hook_success_rate("claude_code") is None


def test_odd_content_is_passed_over(store: redis.Redis, valkey: RunningServer) -> None:
    store.hset(
        f"{PREFIX}recorded:6000",
        mapping={"": 1, "w": 2, "w|ok|a|b": 3, "w|ok|t": "text", "q|ok|t": 6, "d": 7}
        | {"h|ok|evil\x1b[2J/stop": 8, "|||": 9, "p|abc": 10},
    )
    store.hset(f"{PREFIX}recorded:6000:a|b", mapping={"x": 4, "99999": 5, "": 6, "0": "text", "z": 3})
    found = recorded(valkey.url, now=NOW)
    assert (found.writes[hidden("a|b")].ok, found.writes[hidden("a|b")].p95_ms) == (3, 0)
    assert found.dropped == 7
    assert all("\x1b" not in name for name in found.hooks)


def test_counts_that_no_recorder_wrote_are_passed_over(store: redis.Redis, valkey: RunningServer) -> None:
    mapping = {"w|ok|t": "9" * 400, "w|failed|t": "-5", "w|rows|t": "9" * 5000, "h|ok|cursor/stop": "1e9", "d": 7}
    store.hset(f"{PREFIX}recorded:6000", mapping=mapping)
    found = recorded(valkey.url, now=NOW)
    assert (found.writes, found.hooks, found.dropped) == ({}, {}, 7)


def test_a_key_of_another_kind_is_a_cause(store: redis.Redis, valkey: RunningServer) -> None:
    store.set(f"{PREFIX}recorded:6000", "x")
    found = recorded(valkey.url, now=NOW)
    assert found.minutes_recorded == 0
    assert "HGETALL" in found.cause


def test_a_user_without_permission_is_a_cause(store: redis.Redis, valkey: RunningServer) -> None:
    store.execute_command("ACL", "SETUSER", "little", "on", ">pw", "-@all", "+ping", "%R~telemetry:*")
    try:
        address = valkey.url.removeprefix("unix://")
        found = recorded(f"unix://little:pw@{address}")
        assert "permission" in found.cause
        store.execute_command("ACL", "SETUSER", "little", "+hgetall")
        assert "needs the permission %R~blueplane:health:*" in recorded(f"unix://little:pw@{address}").cause
        store.execute_command("ACL", "SETUSER", "little", *found.hint.partition("<user> ")[2].split())
        assert "nothing was recorded" in recorded(f"unix://little:pw@{address}").cause
    finally:
        store.execute_command("ACL", "DELUSER", "little")


def test_nobody_there_is_a_cause() -> None:
    assert "cannot be reached" in recorded(NOWHERE).cause
