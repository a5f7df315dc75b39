"""`history`: what it shows, in each format, and what it says when there is nothing."""

import csv
import io
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import Sample, minute_of
from blueplane_doctor.history.shapes import as_csv, table
from blueplane_doctor.notifying.state import State, write_state
from blueplane_doctor.notifying.state_file import STATE_FILE
from tests.connection.hostile import speaking
from tests.doctor_command import assert_refused, doctor
from tests.preloaded import preloaded_doctor


@pytest.fixture
def url(valkey: RunningServer) -> str:
    """A history of the last twelve minutes, with a gap in the middle."""
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    storage, now = HealthMetricsStorage(valkey.url), minute_of(time.time())
    for index in range(12):
        if index not in (5, 6):
            values = {"queue.queue_depth": index, "queue.dlq_size": 3, "status.queue": 1}
            storage.write(Sample(now - 60 * (11 - index), values))
    storage.close()
    return valkey.url


def history(url: str, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [*preloaded_doctor(), "--history-url", url, "history", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_table_with_a_course(url: str) -> None:
    done = history(url, "queue.queue_depth", "status.queue", "--since", "15m")
    assert (done.returncode, done.stderr) == (0, "")
    heading, _, row, other = done.stdout.splitlines()[2:]
    assert heading.split() == ["metric", "course", "min", "median", "max", "last", "unit"]
    assert row.startswith("queue.queue_depth")
    assert row.split()[-5:] == ["0", "4", "11", "11", "messages"]
    assert "▁" in row
    assert "█" in row
    assert other.split()[-4:] == ["1", "1", "1", "1"]


def test_json(url: str) -> None:
    done = history(url, "queue.queue_depth", "--since", "15m", "--format", "json")
    shown = json.loads(done.stdout)
    assert (shown["schema_version"], shown["step_seconds"]) == (1, 60)
    values = [point["value"] for point in shown["metrics"]["queue.queue_depth"]]
    assert [value for value in values if value is not None] == [0, 1, 2, 3, 4, 7, 8, 9, 10, 11]
    assert values[values.index(4) + 1] is None
    assert shown["metrics"]["queue.queue_depth"][0]["time"].endswith("Z")


def test_csv_by_step(url: str) -> None:
    done = history(url, "queue.*", "--since", "15m", "--step", "5m", "-f", "csv")
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[0] == ["time", "queue.dlq_size", "queue.queue_depth"]
    assert all(row[0][14:16] in {f"{m:02}" for m in range(0, 60, 5)} for row in rows[1:])
    assert {row[1] for row in rows[1:]} <= {"3", ""}


def test_a_spreadsheet_takes_no_name_for_a_formula() -> None:
    assert as_csv({"=1+2": [(0, 1.5)], "-a": [(0, None)]}, 60).splitlines() == [
        "time,'=1+2,'-a",
        "1970-01-01T00:00:00Z,1.5,",
    ]


def test_a_metric_without_samples_in_this_time_has_no_numbers() -> None:
    lines = table({"a": [(0, None), (60, None)], "b": [(0, 1.0), (60, 2.0)]}, 60).splitlines()
    assert lines[-2].strip() == "a"
    assert lines[-1].split() == ["b", "▁█", "1", "1", "2", "2"]


def test_the_list(url: str) -> None:
    done = history(url, "--list")
    assert done.stdout.splitlines() == ["queue.dlq_size", "queue.queue_depth", "status.queue"]


@pytest.mark.parametrize(
    ("word", "meant"), [("queue.queue_dept", "queue.queue_depth"), ("dlq_size", "queue.dlq_size"), ("zzz", "--list")]
)
def test_an_unknown_metric_suggests_the_nearest(url: str, word: str, meant: str) -> None:
    done = history(url, word)
    assert done.returncode == 2
    assert meant in done.stderr
    assert done.stdout == ""


def test_no_history_says_how_to_start_it(valkey: RunningServer) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    done = history(valkey.url, "queue.queue_depth")
    assert done.returncode == 3
    assert "there is no history" in done.stderr
    assert "blueplane-doctor record" in done.stderr


def test_a_server_that_is_not_there() -> None:
    done = history("redis://127.0.0.1:1/0", "--list")
    assert done.returncode == 3
    assert "cannot be reached" in done.stderr


@pytest.mark.parametrize(
    "words", [("a", "--since", "8d"), ("a", "--step", "90s"), ("a", "--since", "yesterday"), ()], ids=str
)
def test_usage_errors(url: str, words: tuple[str, ...]) -> None:
    done = history(url, *words)
    assert done.returncode == 2
    assert "try:" in done.stderr


def test_it_loads_neither_settings_nor_the_redis_library(url: str) -> None:
    script = (
        "import sys\nfrom blueplane_doctor.cli import app\n"
        f"app(['--history-url', {url!r}, 'history', 'queue.queue_depth'], standalone_mode=False)\n"
        "heavy = {'redis', 'pydantic_settings', 'tabulate', 'jinja2', 'sqlite3'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_what_no_recorder_wrote_is_left_out_and_counted(url: str) -> None:
    prefix = HealthMetricsStorage.prefix
    with redis.Redis.from_url(url) as client:
        client.hset(f"{prefix}names", b"\xff\x1b]52", b"many")  # type: ignore[arg-type]
        client.xadd(f"{prefix}samples", {"x": "y"})
    ended = history(url, "queue.queue_depth")
    assert ended.returncode == 0, ended.stderr
    assert "queue.queue_depth" in ended.stdout
    assert "2 entries or names that no recorder wrote" in ended.stderr


def test_a_server_that_drips_is_given_up_with_the_time_of_the_run() -> None:
    def speak(connection: socket.socket) -> None:
        waiting = threading.Event()
        while True:
            connection.sendall(b"-ERR unknown command\r\n")
            waiting.wait(0.1)
            connection.sendall(b":1\r\n")
            for _ in range(1000):
                waiting.wait(0.1)
                connection.sendall(b"*")

    with speaking(speak) as url:
        ended = doctor("history", "--list", "--redis-url", url, "--timeout", "1")
    assert_refused(ended, 3, "history")


def write_statuses(url: str) -> int:
    """Green, then a fault with a check of somebody's own, then a quarter of an hour without samples."""
    storage, now = HealthMetricsStorage(url), minute_of(time.time())
    fault = {"report": "red", "cause:server-down": "red", "check:server-alive": "red"}
    for ago, statuses in ((30, {"report": "green"}), (20, fault), (19, fault), (2, fault), (1, {"report": "green"})):
        storage.write(Sample(now - 60 * ago, {"status.report": 0}, statuses))
    storage.close()
    return now


def test_the_line_of_an_incident(url: str) -> None:
    now = write_statuses(url)
    with redis.Redis.from_url(url) as client:
        client.xadd("blueplane:health:history:statuses", {"check:alice": "red", "report": "red"})
    done = history(url, "--status", "--since", "1h")
    assert done.returncode == 0
    lines = [line.split("  ", 1) for line in done.stdout.splitlines()]
    words = [line[1].strip() for line in lines[1:]]
    assert any(word.startswith("The Blueplane server does not run") and "opened, red" in word for word in words)
    assert any(word.startswith("The Blueplane server does not run") and word.endswith("over") for word in words)
    assert any(word.startswith("check server-alive") and word.endswith("green → red") for word in words)
    assert any(word.startswith("nothing was recorded") for word in words)
    assert "alice" not in done.stdout
    shown = json.loads(history(url, "--status", "--since", "1h", "-f", "json").stdout)
    (opened,) = [change for change in shown["changes"] if change["kind"] == "cause" and change["after"] == "red"]
    assert (opened["id"], opened["before"]) == ("server-down", "green")
    assert opened["at"].startswith(time.strftime("%Y-%m-%dT%H:%M", time.gmtime(now - 20 * 60)))
    assert history(url, "--status", "--since", "1h", "-f", "csv").stdout.startswith("time,kind,id,before,after\n")


def test_without_a_change_the_status_says_so(url: str) -> None:
    done = history(url, "--status")
    assert done.stdout == "No status changed in this time.\n"
    assert (done.returncode, "nothing was recorded" in done.stderr) == (3, True)


def test_the_status_tells_what_people_were_told(url: str, guarded_home: Path) -> None:
    now = write_statuses(url)
    home = guarded_home / ".blueplane"
    home.mkdir()
    told = {"target": "ntfy 1", "kinds": ["opened"], "status": "red", "causes": ["server-down"], "title": "t"}
    attempts = [told | {"at": now - 7200}, told | {"at": now - 1140, "reason": "it did not end in time"}]
    attempts.append(told | {"at": now - 1080})
    write_state(home, State.model_validate({"attempts": attempts}))
    done = history(url, "--status", "--since", "1h")
    lines = [line for line in done.stdout.splitlines() if "told ntfy 1: opened: server-down" in line]
    assert [line.rpartition("  ")[2] for line in lines] == ["it did not end in time", "delivered"]
    shown = json.loads(history(url, "--status", "--since", "1h", "-f", "json").stdout)
    assert [message["outcome"] for message in shown["told"]] == ["it did not end in time", "delivered"]
    (home / STATE_FILE).write_text("{")
    broken = history(url, "--status", "--since", "1h")
    assert (broken.returncode, "what people were told is not shown" in broken.stderr) == (0, True)
