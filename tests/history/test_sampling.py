"""The sampler: every minute, two at a time, with servers that come and go."""

import time
from pathlib import Path
from threading import Event

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceUnreachable, SourceUnusable
from blueplane_doctor.judging import sampler as sampler_module
from blueplane_doctor.judging.sampler import BUSY, WRITTEN, Sampler, next_turn, record_every, wait_until
from blueplane_doctor.model import Report
from tests.helpers import settings_for
from tests.history.support import recorded

HOUR = 3600


def test_of_two_recorders_one_writes(pipeline: Pipeline) -> None:
    first, second = Sampler(settings_for(pipeline)), Sampler(settings_for(pipeline))
    assert first.take(600) == WRITTEN
    assert second.take(660) == BUSY
    first.release()
    assert second.take(720) == WRITTEN
    second.release()
    assert [moment for moment, _ in recorded(pipeline.redis_url, until=HOUR)] == [600, 720]


def test_a_sample_that_a_clock_of_before_keeps_out_is_said(pipeline: Pipeline) -> None:
    sampler = Sampler(settings_for(pipeline))
    now = 1_795_360_020
    sampler.take(now)
    with pytest.raises(SourceUnusable, match="over a week ahead of this clock"):
        sampler.take(now - 8 * 24 * HOUR)
    sampler.release()


class Noted:
    """A watcher that notes the moments of the reports that it is given."""

    def __init__(self) -> None:
        self.has_its_turn = True
        self.moments: list[float] = []

    def takes_its_turn(self) -> bool:
        return self.has_its_turn

    def sample(self, report: Report, moment: float) -> None:
        self.moments.append(moment)


def test_while_another_recorder_writes_people_are_told_where_nobody_else_tells_them(pipeline: Pipeline) -> None:
    settings = settings_for(pipeline)
    watcher = Noted()
    first = Sampler(settings)
    second = Sampler(settings, watcher=watcher)
    first.take(600)
    assert second.take(660) == BUSY
    watcher.has_its_turn = False
    assert second.take(720) == BUSY
    first.release()
    assert second.take(780) == WRITTEN
    second.release()
    assert watcher.moments == [660, 780]


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


def test_the_lock_outlives_the_longest_examination(pipeline: Pipeline) -> None:
    recorder = Sampler(settings_for(pipeline, timeout=200), 60)
    recorder.lock.hold()
    assert pipeline.client.ttl(recorder.lock.key) > 260
    recorder.release()


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
