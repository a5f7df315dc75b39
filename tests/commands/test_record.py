"""`record`: once, every minute, ended by signals, with a history elsewhere or none."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from blueplane_doctor.demo.faults import healthy, poison_duplicate
from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.judging.sampler import Sampler, next_turn
from blueplane_doctor.layouts import CURRENT
from tests.helpers import age_state, settings_for
from tests.history.support import recorded
from tests.parameters import one_quick
from tests.waiting import PATIENCE_SECONDS

COMMAND = (sys.executable, "-m", "blueplane_doctor")


def arguments(pipeline: Pipeline, *words: str) -> list[str]:
    return [*COMMAND, "--home", str(pipeline.home), "--redis-url", pipeline.redis_url, *words]


def run(pipeline: Pipeline, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(arguments(pipeline, *words), capture_output=True, text=True, timeout=60)


@pytest.mark.slow
def test_once_writes_one_sample_and_gives_the_lock_back(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(5)
    before = time.time()
    done = run(pipeline, "record", "--once")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    ((moment, depth),) = recorded(pipeline.redis_url, "queue.queue_depth")
    assert depth == 5
    assert before - 60 < moment <= time.time()
    assert not pipeline.client.exists("blueplane:health:history:recorder")


@pytest.mark.slow
def test_it_writes_under_its_prefix_alone(any_pipeline: Pipeline) -> None:
    pipeline = any_pipeline
    pipeline.enqueue_cursor(20)
    pipeline.drain("processors")
    with redis.Redis.from_url(pipeline.redis_url) as raw:
        before = {key: raw.dump(key) for key in raw.scan_iter()}
        assert run(pipeline, "record", "--once").returncode == 0
        assert {key: raw.dump(key) for key in before} == before
        ours = set(raw.scan_iter()) - set(before)
        assert ours
        assert all(key.startswith(b"blueplane:health:") and raw.ttl(key) > 0 for key in ours)


@pytest.mark.slow
def test_the_history_may_live_elsewhere(pipeline: Pipeline) -> None:
    with run_server() as other:
        assert run(pipeline, "--history-url", other.url, "record", "--once").returncode == 0
        assert len(recorded(other.url)) == 1
    assert not list(pipeline.client.scan_iter("blueplane:*"))


@pytest.mark.slow
def test_no_history_server_is_said(pipeline: Pipeline) -> None:
    done = run(pipeline, "--history-url", "redis://127.0.0.1:1/0", "record", "--once")
    assert done.returncode == 3
    assert "which is to hold the history" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("every", one_quick(["30s", "90s", "soon", "0m"]))
def test_the_history_keeps_whole_minutes(pipeline: Pipeline, every: str) -> None:
    done = run(pipeline, "record", "--every", every)
    assert done.returncode == 2
    assert "--every" in done.stderr


@pytest.mark.slow
def test_once_beside_a_recorder_is_no_failure(pipeline: Pipeline) -> None:
    recorder = Sampler(settings_for(pipeline))
    recorder.take(600)
    done = run(pipeline, "record", "--once")
    assert done.returncode == 0
    assert "another recorder is writing" in done.stderr
    recorder.release()


@contextmanager
def recording(pipeline: Pipeline) -> Iterator["subprocess.Popen[str]"]:
    """The command, as systemd runs it, once it is waiting for its minute."""
    process = subprocess.Popen(arguments(pipeline, "record"), stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert "recording every 60 s" in process.stderr.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_it_at_once_and_in_good_order(pipeline: Pipeline, number: int, code: int) -> None:
    with recording(pipeline) as process:
        os.kill(process.pid, number)
        assert process.wait(PATIENCE_SECONDS) == code
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert not pipeline.client.exists("blueplane:health:history:recorder")


@pytest.mark.slow
def test_a_real_minute(pipeline: Pipeline) -> None:
    with recording(pipeline) as process:
        turn = next_turn(time.time(), 60)
        while not (found := recorded(pipeline.redis_url)) and time.time() < turn + 20:
            time.sleep(0.5)
        assert [moment for moment, _ in found] == [int(turn)]
        assert pipeline.client.pttl("blueplane:health:history:recorder") > 0
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert not pipeline.client.exists("blueplane:health:history:recorder")


@pytest.mark.slow
def test_it_tells_of_a_cause_and_of_its_end(pipeline: Pipeline, tmp_path: Path) -> None:
    """As a timer runs it; the state in the home is all that the runs have in common."""
    told = tmp_path / "told"
    settings = pipeline.home / "doctor.yaml"
    settings.write_text(f"notify:\n- command: [tee, -a, {told}]\n")
    settings.chmod(0o600)
    lost = ("--history-url", "redis://127.0.0.1:1/0")
    healthy(pipeline)
    poison_duplicate(pipeline)
    for _ in range(2):
        assert run(pipeline, "record", "--once").returncode == 0
        age_state(pipeline.home, 60)
    (opened,) = map(json.loads, told.read_text().splitlines())
    assert (opened["kinds"], opened["status"]) == (["opened"], "red")
    assert "poison-message" in opened["causes"]
    # A history that cannot be reached is no reason to tell nobody.
    remove_pending(pipeline)
    for _ in range(3):
        assert run(pipeline, *lost, "record", "--once").returncode == 3
        age_state(pipeline.home, 60)
    over = json.loads(told.read_text().splitlines()[-1])
    assert "over" in over["kinds"]


def remove_pending(pipeline: Pipeline) -> None:
    """Take away what is stuck."""
    stream = CURRENT.queue
    for group in pipeline.writer_groups:
        for entry in pipeline.client.xpending_range(stream, group, "-", "+", 1000):
            pipeline.client.xack(stream, group, entry["message_id"])
            pipeline.client.xdel(stream, entry["message_id"])


@pytest.mark.slow
def test_it_tells_that_the_redis_of_the_history_is_away(tmp_path: Path) -> None:
    """Just then there is no history to write into, and something to tell."""
    told = tmp_path / "told"
    home = tmp_path / ".blueplane"
    home.mkdir()
    with run_server() as server, Pipeline(server.url, home) as pipeline:
        healthy(pipeline)
        assert run(pipeline, "record", "--once").returncode == 0
    (home / "doctor.yaml").write_text(f"notify:\n- command: [tee, -a, {told}]\n")
    (home / "doctor.yaml").chmod(0o600)
    for _ in range(2):
        assert run(pipeline, "record", "--once").returncode == 3
        age_state(home, 60)
    document = json.loads(told.read_text())
    assert document["causes"][0] == "redis-unreachable"
    assert document["status"] == "red"
