"""After each fault the observable state is that of the table of observed failures, on every server."""

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
import yaml

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo.faults import DEFAULT_FAULTS, FAULTS, demo_pipeline, healthy
from blueplane_doctor.demo.servers import stand_in_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import UsageError
from tests.demo.observe import QUEUE, Seen, count_rows, lag_after_trimming, query, see
from tests.simulator import EarlierPipeline
from tests.waiting import PATIENCE_SECONDS

ALL_GROUPS = (
    "processors",
    "claude_processors",
    "cursor_session_monitors",
    "session_monitors",
    "transcript_processors",
)
NO_DEAD_LETTERS = [0, 0]

OBSERVED = {
    "poison-duplicate": Seen({"processors": 40}, {}, {}, NO_DEAD_LETTERS),
    "malformed-payloads": Seen({}, {}, {"cursor_raw_traces": 48}, NO_DEAD_LETTERS),
    "trimmed-unread": Seen({}, dict.fromkeys(ALL_GROUPS, 30_000), {"cursor_raw_traces": 500}, NO_DEAD_LETTERS),
    "orphaned-messages": Seen({"claude_processors": 300}, {}, {}, NO_DEAD_LETTERS),
    "locked-database": Seen({"processors": 120}, {}, {"claude_raw_traces": 50}, NO_DEAD_LETTERS),
    "retry-storm": Seen({"claude_processors": 30}, {}, {}, NO_DEAD_LETTERS),
    "dead-letter-growth": Seen({}, {}, {}, [11, 5]),
    "dead-server": Seen({}, {}, {}, NO_DEAD_LETTERS),
    "silent-hooks": Seen({}, {}, {"cursor_raw_traces": 12}, NO_DEAD_LETTERS),
    "idle-evening": Seen({}, {}, {"cursor_raw_traces": 54, "claude_raw_traces": 27}, NO_DEAD_LETTERS),
}


def pending(pipeline: Pipeline, group: str) -> list[dict[str, Any]]:
    return list(pipeline.client.xpending_range(QUEUE, group, "-", "+", 1_000))


@pytest.mark.server
@pytest.mark.parametrize("name", sorted(OBSERVED.keys() - {"trimmed-unread"}))
def test_state_is_the_observed_one(name: str, pipeline_on_any_server: Pipeline) -> None:
    pipeline = pipeline_on_any_server
    FAULTS[name].apply(pipeline)
    assert see(pipeline.redis_url, pipeline.database) == OBSERVED[name]


@pytest.mark.slow
@pytest.mark.server
def test_trimmed_unread_leaves_10_015_and_no_trace_of_the_trimming(pipeline_on_any_server: Pipeline) -> None:
    pipeline = pipeline_on_any_server
    FAULTS["trimmed-unread"].apply(pipeline)
    lag = dict.fromkeys(ALL_GROUPS, lag_after_trimming(pipeline.client, 30_000, 10_015))
    assert see(pipeline.redis_url, pipeline.database) == OBSERVED["trimmed-unread"]._replace(lag=lag)
    stream = pipeline.client.xinfo_stream(QUEUE)
    assert (stream["length"], stream["entries-added"]) == (10_015, 30_500)
    assert stream["max-deleted-entry-id"] == "0-0"
    assert not psutil.pid_exists(json.loads((pipeline.home / "server.pid").read_text())["pid"])


@pytest.mark.server
@pytest.mark.parametrize(
    ("name", "group", "deliveries", "shortest", "longest"),
    [
        ("poison-duplicate", "processors", 1, 5 * 60_000, 10 * 60_000),
        ("orphaned-messages", "claude_processors", 1, 5 * 60_000, 60 * 60_000),
        ("locked-database", "processors", 1, 5 * 60_000, 60 * 60_000),
        ("retry-storm", "claude_processors", 319, 0, 5_000),
    ],
)
def test_pending_messages_have_the_observed_age_and_deliveries(
    name: str, group: str, deliveries: int, shortest: int, longest: int, pipeline_on_any_server: Pipeline
) -> None:
    FAULTS[name].apply(pipeline_on_any_server)
    entries = pending(pipeline_on_any_server, group)
    assert {entry["times_delivered"] for entry in entries} == {deliveries}
    assert all(shortest <= entry["time_since_delivered"] <= longest for entry in entries)
    newest = int(str(entries[-1]["message_id"]).partition("-")[0])
    assert newest <= datetime.now(UTC).timestamp() * 1_000 - shortest, "enqueued before it was delivered"


def test_malformed_payloads_takes_other_numbers(pipeline: Pipeline) -> None:
    FAULTS["malformed-payloads"].apply(pipeline, messages=91, malformed=17)
    seen = see(pipeline.redis_url, pipeline.database)
    assert seen == Seen({}, {}, {"cursor_raw_traces": 91 - 17}, NO_DEAD_LETTERS)
    payloads = [json.loads(str(fields["payload"])) for _, fields in pipeline.client.xrange(QUEUE) or [] if fields]
    assert len(payloads) == 91
    assert {type(payload) for payload in payloads} == {dict, str, list}


def test_malformed_payloads_may_be_none_or_all(pipeline: Pipeline) -> None:
    FAULTS["malformed-payloads"].apply(pipeline, messages=5, malformed=0)
    assert count_rows(pipeline.database, "cursor_raw_traces") == 5
    FAULTS["malformed-payloads"].apply(pipeline, messages=5, malformed=5)
    assert count_rows(pipeline.database, "cursor_raw_traces") == 5


@pytest.mark.parametrize("name", ["poison-duplicate", "retry-storm"])
def test_poison_takes_other_numbers(name: str, pipeline: Pipeline) -> None:
    FAULTS[name].apply(pipeline, messages=250, duplicates=3)
    assert sum(see(pipeline.redis_url, pipeline.database).pending.values()) == 250


def test_orphaned_messages_have_a_dead_owner_beside_a_living_idle_one(pipeline: Pipeline) -> None:
    FAULTS["orphaned-messages"].apply(pipeline, messages=30)
    held = {
        consumer["name"]: consumer["pending"]
        for consumer in pipeline.client.xinfo_consumers(QUEUE, "claude_processors")
    }
    assert sorted(held.values()) == [0, 30]
    alive = {psutil.pid_exists(int(name.rpartition("-")[2])): count for name, count in held.items()}
    assert alive == {True: 0, False: 30}


def test_locked_database_and_retry_storm_fill_the_log(pipeline: Pipeline) -> None:
    FAULTS["locked-database"].apply(pipeline)
    FAULTS["retry-storm"].apply(pipeline)
    log = (pipeline.home / "server.log").read_text()
    assert "database is locked" in log
    assert log.count("IntegrityError") > 300
    times = [line[:19] for line in log.splitlines()]
    assert times == sorted(times)


def test_dead_letters_grow_in_the_last_hour_in_all_shapes(pipeline: Pipeline) -> None:
    FAULTS["dead-letter-growth"].apply(pipeline)
    found = [entry for stream in pipeline.layout.dead_letters for entry in pipeline.client.xrange(stream) or []]
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).timestamp() * 1_000
    recent = [int(str(entry_id).partition("-")[0]) >= an_hour_ago for entry_id, _ in found]
    assert (recent.count(False), recent.count(True)) == (2, 14)
    markers = ("message_id", "original_event_id", "original_entry_id")
    assert {marker for _, fields in found for marker in markers if fields and marker in fields} == set(markers)


def test_dead_server_has_a_stale_pid_file_and_nobody_listens(pipeline: Pipeline) -> None:
    FAULTS["dead-server"].apply(pipeline)
    assert not psutil.pid_exists(json.loads((pipeline.home / "server.pid").read_text())["pid"])
    http = yaml.safe_load((pipeline.home / "config.yaml").read_text())["http_endpoint"]
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://{http['host']}:{http['port']}/health", timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize(("name", "open_sessions"), [("silent-hooks", 1), ("idle-evening", 0)])
def test_quiet_for_hours(name: str, open_sessions: int, pipeline: Pipeline) -> None:
    FAULTS[name].apply(pipeline)
    sessions = query(pipeline.database, "SELECT count(*) FROM cursor_sessions WHERE ended_at IS NULL")
    assert sessions == [(open_sessions,)]
    hours_ago = f"{datetime.now(UTC) - timedelta(hours=3):%Y-%m-%d %H:%M:%S}"
    newest = query(pipeline.database, "SELECT max(ingested_at) FROM cursor_raw_traces")
    assert newest < [(hours_ago,)]
    assert pipeline.client.xinfo_stream(QUEUE)["length"] > 0


@pytest.mark.server
def test_healthy_handles_everything_and_shows_every_kind(pipeline_on_any_server: Pipeline) -> None:
    pipeline = pipeline_on_any_server
    healthy(pipeline, minutes=3)
    assert see(pipeline.redis_url, pipeline.database) == Seen(
        {}, {}, {"cursor_raw_traces": 54, "claude_raw_traces": 27}, NO_DEAD_LETTERS
    )
    messages = [fields for _, fields in pipeline.client.xrange(QUEUE) or [] if fields]
    hooks = {message["hook_type"] for message in messages}
    assert hooks == {*names.CURSOR_HOOKS, "DatabaseTrace", "JSONLTrace", "SessionStart", "PostToolUse"}
    assert query(pipeline.database, "SELECT count(*) FROM cursor_sessions WHERE ended_at IS NULL") == [(1,)]
    assert query(pipeline.database, "SELECT count(*) FROM claude_jsonl_offsets") == [(1,)]


def test_healthy_works_in_the_earlier_layout(pipeline: Pipeline, tmp_path: Path) -> None:
    with EarlierPipeline(pipeline.redis_url, tmp_path / "earlier") as pipeline:
        healthy(pipeline, minutes=2)
        assert count_rows(pipeline.database, "raw_traces") == 2 * (12 + 6 + 8 + 1 + 2)
        assert pipeline.client.xpending("telemetry:events", "processors")["pending"] == 0


def test_every_fault_has_a_summary_of_one_sentence() -> None:
    assert set(FAULTS) == set(OBSERVED)
    for name, fault in FAULTS.items():
        assert fault.name == name
        assert fault.summary.endswith(".") and "\n" not in fault.summary and "—" not in fault.summary


def test_the_stand_in_counts_as_the_server_and_answers() -> None:
    with stand_in_server() as (pid, port):
        command = " ".join(psutil.Process(pid).cmdline())
        assert any(part in command for part in names.SERVER_COMMANDS)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE_SECONDS) as answer:
            assert json.load(answer) == {"status": "ok"}
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/elsewhere", timeout=PATIENCE_SECONDS)
        refused.value.close()
    assert not psutil.pid_exists(pid)


# The whole demo: what it offers, what it leaves, in which order its faults happen


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
        with urllib.request.urlopen(f"http://{http['host']}:{http['port']}/health", timeout=PATIENCE_SECONDS) as answer:
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


@pytest.mark.slow
def test_ids_and_rows_grow_with_time_under_all_faults_that_allow_traffic() -> None:
    chosen = [name for name, fault in FAULTS.items() if not fault.quiet]
    with demo_pipeline(chosen) as demo:
        assert see(demo.redis_url, demo.database).pending["processors"] >= 160
        for table in ("cursor_raw_traces", "claude_raw_traces"):
            times = query(demo.database, f"SELECT ingested_at FROM {table} ORDER BY sequence")
            assert times == sorted(times)
            assert count_rows(demo.database, table) > 30


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dead-server", "trimmed-unread", "silent-hooks", "idle-evening"])
def test_nothing_happens_after_a_fault_that_must_stay_quiet(name: str) -> None:
    with demo_pipeline([name, "malformed-payloads"]) as demo:
        pid = json.loads((demo.home / "server.pid").read_text())["pid"]
        assert psutil.pid_exists(pid) is not FAULTS[name].server_dead
        lag = see(demo.redis_url, demo.database).lag
        assert lag == ({} if name != "trimmed-unread" else dict.fromkeys(demo.groups, 30_000))


def test_an_unknown_fault_is_a_usage_error_that_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'gremlins'") as error, demo_pipeline(["gremlins"]):
        pass
    assert all(name in error.value.hint for name in DEFAULT_FAULTS)
