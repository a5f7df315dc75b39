"""`record`: once, every minute, two at a time, ended by signals, with servers that come and go."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
import redis

from blueplane_doctor import sampler as sampler_module
from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceUnreachable
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import RETENTION
from blueplane_doctor.sampler import BUSY, WRITTEN, Sampler, next_turn, record_every, wait_until
from tests.helpers import settings_for

COMMAND = (sys.executable, "-m", "blueplane_doctor")


def arguments(pipeline: Pipeline, *words: str) -> list[str]:
    return [*COMMAND, "--home", str(pipeline.home), "--redis-url", pipeline.redis_url, *words]


def run(pipeline: Pipeline, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(arguments(pipeline, *words), capture_output=True, text=True, timeout=60)


HOUR = 3600


def recorded(url: str, metric: str = "status.report", until: float | None = None) -> list[tuple[int, float]]:
    """Samples of the seven days before, by default those before now."""
    storage = HealthMetricsStorage(url)
    try:
        end = time.time() if until is None else until
        samples = storage.samples([metric], max(0, end - RETENTION), end)
        return [(sample.time, sample.values[metric]) for sample in samples]
    finally:
        storage.close()


def test_once_writes_one_sample_and_gives_the_lock_back(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(5)
    before = time.time()
    done = run(pipeline, "record", "--once")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    ((moment, depth),) = recorded(pipeline.redis_url, "queue.queue_depth")
    assert depth == 5
    assert before - 60 < moment <= time.time()
    assert not pipeline.client.exists("blueplane:health:history:recorder")


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


def test_the_history_may_live_elsewhere(pipeline: Pipeline) -> None:
    with run_server() as other:
        assert run(pipeline, "--history-url", other.url, "record", "--once").returncode == 0
        assert len(recorded(other.url)) == 1
    assert not list(pipeline.client.scan_iter("blueplane:*"))


def test_no_history_server_is_said(pipeline: Pipeline) -> None:
    done = run(pipeline, "--history-url", "redis://127.0.0.1:1/0", "record", "--once")
    assert done.returncode == 3
    assert "which is to hold the history" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("every", ["30s", "90s", "soon", "0m"])
def test_the_history_keeps_whole_minutes(pipeline: Pipeline, every: str) -> None:
    done = run(pipeline, "record", "--every", every)
    assert done.returncode == 2
    assert "--every" in done.stderr


def test_of_two_recorders_one_writes(pipeline: Pipeline) -> None:
    first, second = Sampler(settings_for(pipeline)), Sampler(settings_for(pipeline))
    assert first.take(600) == WRITTEN
    assert second.take(660) == BUSY
    first.release()
    assert second.take(720) == WRITTEN
    second.release()
    assert [moment for moment, _ in recorded(pipeline.redis_url, until=HOUR)] == [600, 720]


def test_a_minute_sends_the_history_few_commands(
    pipeline: Pipeline,
    history_server: tuple[str, RunningServer],
    client: redis.Redis,
) -> None:
    sampler = Sampler(settings_for(pipeline, history_url=history_server[1].url))
    sampler.take(HOUR - 120)
    sent = []
    for moment in (HOUR - 60, HOUR):  # within an hour, and where one ends
        before = client.info("stats")["total_commands_processed"]
        assert sampler.take(moment) == WRITTEN
        sent.append(client.info("stats")["total_commands_processed"] - before - 1)
    sampler.release()
    assert all(0 < count <= 20 for count in sent), sent


def test_once_beside_a_recorder_is_no_failure(pipeline: Pipeline) -> None:
    recorder = Sampler(settings_for(pipeline))
    recorder.take(600)
    done = run(pipeline, "record", "--once")
    assert done.returncode == 0
    assert "another recorder is writing" in done.stderr
    recorder.release()


def test_the_lock_outlives_the_longest_examination(pipeline: Pipeline) -> None:
    recorder = Sampler(settings_for(pipeline, timeout=200), 60)
    recorder.lock.hold()
    assert pipeline.client.ttl(recorder.lock.key) > 260
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


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_it_at_once_and_in_good_order(pipeline: Pipeline, number: int, code: int) -> None:
    with recording(pipeline) as process:
        os.kill(process.pid, number)
        assert process.wait(10) == code
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert not pipeline.client.exists("blueplane:health:history:recorder")


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self, now: float) -> None:
        self.now = now

    def time(self) -> float:
        return self.now


class Turns(Event):
    """Lets the clock run while it is waited for, and is set after so many turns."""

    def __init__(self, clock: Clock, turns: int) -> None:
        super().__init__()
        self.clock, self.left = clock, turns

    def wait(self, timeout: float | None = None) -> bool:
        self.clock.now += timeout or 0
        if self.clock.now % 60 == 0:
            self.left -= 1
        if self.left < 0:
            self.set()
        return self.is_set()


class Scripted:
    """A sampler that does what it is told."""

    def __init__(self, *outcomes: str | Exception) -> None:
        self.outcomes, self.moments = list(outcomes), []  # type: ignore[var-annotated]

    def take(self, moment: float) -> str:
        self.moments.append(moment)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_samples_are_aligned_to_the_minute_and_trouble_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(1_795_360_047.5)
    monkeypatch.setattr(sampler_module.time, "time", clock.time)
    gone = SourceUnreachable("gone")
    scripted, told = Scripted(WRITTEN, gone, gone, WRITTEN, BUSY, WRITTEN), []  # type: ignore[var-annotated]
    record_every(scripted, 60, Turns(clock, 6), told.append)  # type: ignore[arg-type]
    assert [moment // 60 * 60 for moment in scripted.moments] == [1_795_360_080 + 60 * i for i in range(6)]
    assert told == ["gone", "recording again", "another recorder is writing; this one waits", "recording again"]


def test_waiting_ends_when_told_to() -> None:
    stop = Event()
    stop.set()
    assert not wait_until(time.time() + 60, stop)
    assert not wait_until(time.time() - 1, stop)
    assert wait_until(time.time() - 1, Event())


@pytest.mark.parametrize(("now", "turn"), [(0, 60), (59.99, 60), (60, 120), (61, 120)])
def test_the_next_turn(now: float, turn: float) -> None:
    assert next_turn(now, 60) == turn


def test_it_survives_a_server_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with run_server(tcp=True) as server:
        port, url = server.url.split(":")[2].split("/")[0], server.url
        with Pipeline(url, tmp_path) as pipeline:
            recorder = Sampler(settings_for(pipeline))
            assert recorder.take(600) == WRITTEN
    with pytest.raises(SourceUnreachable):
        recorder.take(660)
    again: RunningServer
    with run_server(arguments=("--port", port, "--bind", "127.0.0.1")) as again:
        assert again.pid != server.pid
        assert recorder.take(720) == WRITTEN
        assert [moment for moment, _ in recorded(url, until=HOUR)] == [720]
        recorder.release()


def test_an_examined_server_that_is_gone_is_a_sample_too(pipeline: Pipeline) -> None:
    settings = settings_for(pipeline, history_url=pipeline.redis_url).model_copy(
        update={"redis_url": "redis://127.0.0.1:1/0"}
    )
    recorder = Sampler(settings)
    assert recorder.take(600) == WRITTEN
    recorder.release()
    assert recorded(pipeline.redis_url, until=HOUR) == [(600, 3)]
    assert recorded(pipeline.redis_url, "queue.queue_depth", HOUR) == []


@pytest.mark.slow
def test_a_real_minute(pipeline: Pipeline) -> None:
    with recording(pipeline) as process:
        turn = next_turn(time.time(), 60)
        while not (found := recorded(pipeline.redis_url)) and time.time() < turn + 20:
            time.sleep(0.5)
        assert [moment for moment, _ in found] == [int(turn)]
        assert pipeline.client.pttl("blueplane:health:history:recorder") > 0
        process.terminate()
        assert process.wait(15) == 0
    assert not pipeline.client.exists("blueplane:health:history:recorder")
