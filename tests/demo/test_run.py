"""A whole demo: what it offers, what it leaves, in which order its faults happen."""

import json
import urllib.request

import psutil
import pytest
import redis
import yaml

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.run import DEFAULT_FAULTS, demo_pipeline
from blueplane_doctor.errors import UsageError
from tests.demo.observe import count_rows, query, see


def test_the_default_demo_has_something_to_see_and_leaves_nothing() -> None:
    with demo_pipeline() as demo:
        seen = see(demo.redis_url, demo.database)
        assert seen.pending == {"processors": 40}
        assert seen.lag == {}
        assert sum(seen.dead_letters) == 16
        assert demo.home.name == ".blueplane"
        config = yaml.safe_load((demo.home / "config.yaml").read_text())
        assert config["paths"]["database"]["telemetry_db"] == str(demo.database)
        http = config["http_endpoint"]
        with urllib.request.urlopen(f"http://{http['host']}:{http['port']}/health", timeout=5) as answer:
            assert answer.status == 200
        server_pid = json.loads((demo.home / "server.pid").read_text())["pid"]
        command = " ".join(psutil.Process(server_pid).cmdline())
        assert any(part in command for part in names.SERVER_COMMANDS)
        hooks = json.loads(demo.cursor_hooks.read_text())["hooks"]
        assert tuple(hooks) == names.CURSOR_HOOKS
        assert demo.cursor_hooks == demo.home.parent / ".cursor" / "hooks.json"
    assert not demo.home.parent.exists()
    assert not psutil.pid_exists(server_pid)
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(demo.redis_url).ping()


def test_without_faults_it_is_healthy() -> None:
    with demo_pipeline([]) as demo:
        seen = see(demo.redis_url, demo.database)
        assert (seen.pending, seen.lag, seen.dead_letters) == ({}, {}, [0, 0])
        assert query(demo.database, "SELECT count(*) FROM cursor_sessions WHERE ended_at IS NULL") == [(1,)]


def test_ids_and_rows_grow_with_time_under_all_faults_that_allow_traffic() -> None:
    chosen = [name for name, fault in FAULTS.items() if not fault.quiet]
    with demo_pipeline(chosen) as demo:
        assert see(demo.redis_url, demo.database).pending["processors"] >= 160
        for table in ("cursor_raw_traces", "claude_raw_traces"):
            times = query(demo.database, f"SELECT ingested_at FROM {table} ORDER BY sequence")
            assert times == sorted(times)
            assert count_rows(demo.database, table) > 30


@pytest.mark.parametrize("name", ["dead-server", "trimmed-unread", "silent-hooks", "idle-evening"])
def test_nothing_happens_after_a_fault_that_must_stay_quiet(name: str) -> None:
    with demo_pipeline([name, "malformed-payloads"]) as demo:
        pid = json.loads((demo.home / "server.pid").read_text())["pid"]
        assert psutil.pid_exists(pid) is not FAULTS[name].server_dead
        lag = see(demo.redis_url, demo.database).lag
        assert lag == ({} if name != "trimmed-unread" else dict.fromkeys(demo.pipeline.groups, 30_000))


def test_an_unknown_fault_is_a_usage_error_that_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'gremlins'") as error, demo_pipeline(["gremlins"]):
        pass
    assert all(name in error.value.hint for name in DEFAULT_FAULTS)
