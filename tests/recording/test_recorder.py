"""The recorder: exact, bounded, and harmless to the process it lives in."""

import datetime
import math
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import freezegun
import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.recording import Recorder, minutes
from blueplane_doctor.recording import recorder as recorder_module
from blueplane_doctor.recording.minutes import EXPIRY_SECONDS, PREFIX
from blueplane_doctor.recording.recorder import EXIT_SECONDS, MINUTES_KEPT
from tests.recording.helpers import NOWHERE, recorded, restartable, run_python, wait_for

Make = Callable[..., Recorder]


class Clock:
    """A time that tests set."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_counts_percentiles_and_states_are_exact(any_server: RunningServer) -> None:
    with redis.Redis.from_url(any_server.url) as client:
        client.flushall()
    recorder = Recorder(any_server.url)
    chance = random.Random(1)
    durations = [chance.lognormvariate(-4, 1) for _ in range(500)]
    for number, seconds in enumerate(durations):
        recorder.write("cursor_raw_traces", 10, seconds, number % 50 != 0)
    recorder.write("claude_raw_traces", 3, 0.25, True)
    for number in range(20):
        recorder.hook("cursor/stop", number != 0)
    recorder.monitor("db", 2, 5, True)
    recorder.monitor("db", None, None, False)
    recorder.close()
    found = recorded(any_server.url)
    writes = found.writes["cursor_raw_traces"]
    assert (writes.ok, writes.failed, writes.rows) == (490, 10, 4900)
    assert writes.p95_ms == pytest.approx(sorted(durations)[math.floor(0.95 * 499)] * 1000, rel=0.01)
    assert writes.mean_ms == pytest.approx(sum(durations) / 500 * 1000, abs=0.001)
    assert abs(writes.last_failed_ms / 1000 - time.time()) < 60
    assert (found.writes_ok, found.writes_failed) == (491, 10)
    assert found.write_success_rate == round(491 / 501, 5)
    assert (found.hooks["cursor/stop"].ok, found.hooks["cursor/stop"].failed) == (19, 1)
    assert found.hook_success_rate("cursor") == 0.95
    monitor = found.monitors["db"]
    assert (monitor.sessions, monitor.events, monitor.ok, monitor.errors) == (2, 5, 1, 1)
    assert (found.dropped, recorder.dropped) == (0, 0)


def test_every_key_has_the_prefix_and_an_expiry(store: redis.Redis, valkey: RunningServer, make_recorder: Make) -> None:
    clock = Clock(1_800_000_000)
    recorder = make_recorder(valkey.url, clock=clock)
    for _ in range(3):
        recorder.write("t", 1, 0.01, True)
        recorder.hook("h", False)
        recorder.monitor("m", 1, 1, True)
        clock.now += 60
    recorder.close()
    keys = store.keys()
    assert len(keys) == 6
    for key in keys:
        assert key.startswith(PREFIX)
        assert EXPIRY_SECONDS - 60 < store.ttl(key) <= EXPIRY_SECONDS


def test_one_transaction_a_flush_and_none_when_nothing_happens(
    store: redis.Redis, valkey: RunningServer, make_recorder: Make
) -> None:
    recorder = make_recorder(valkey.url, flush_seconds=0.02)
    recorder.write("t", 1, 0.01, True)
    wait_for(lambda: recorded(valkey.url).writes_ok)
    before = store.info("commandstats").get("cmdstat_exec", {}).get("calls", 0)
    time.sleep(0.2)
    assert store.info("commandstats")["cmdstat_exec"]["calls"] == before
    for _ in range(1000):
        recorder.write("t", 1, 0.01, True)
    recorder.close()
    assert store.info("commandstats")["cmdstat_exec"]["calls"] - before <= 3
    assert recorded(valkey.url).writes_ok == 1001


def test_timing_measures_the_block_and_its_outcome(
    store: redis.Redis, valkey: RunningServer, make_recorder: Make
) -> None:
    recorder = make_recorder(valkey.url)
    with recorder.timing("t", 4):
        time.sleep(0.02)
    error = ValueError("of the host")
    with pytest.raises(ValueError) as caught, recorder.timing("t", 4):
        raise error
    assert caught.value is error
    with recorder.timing("t", 4) as timing:
        timing.ok = False
    with pytest.raises(KeyboardInterrupt), recorder.timing("t", 4):
        raise KeyboardInterrupt
    recorder.close()
    writes = recorded(valkey.url).writes["t"]
    assert (writes.ok, writes.failed, writes.rows) == (1, 2, 4)
    assert writes.mean_ms >= 20 / 3


UNFIT: list[Any] = [None, 3, "", "x" * 81, b"bytes", ["list"], "\ud800"]


@pytest.mark.parametrize("name", UNFIT)
def test_unfit_names_are_dropped_and_counted_and_harm_nothing(
    name: Any, store: redis.Redis, valkey: RunningServer, make_recorder: Make
) -> None:
    recorder = make_recorder(valkey.url)
    recorder.write("t", 1, 0.01, True)
    recorder.write(name, 1, 0.01, True)
    recorder.hook(name, True)
    recorder.monitor(name, 1, 1, True)
    recorder.close()
    found = recorded(valkey.url)
    assert (found.writes_ok, found.hooks, found.monitors, found.dropped) == (1, {}, {}, 3)


@pytest.mark.parametrize(
    ("rows", "seconds"), [("x", 0.1), (None, 0.1), (1, None), (1, "x"), (math.nan, 0.1), (math.inf, 0.1), (1, 1j)]
)
def test_unfit_numbers_are_dropped_and_counted(
    rows: Any, seconds: Any, store: redis.Redis, valkey: RunningServer, make_recorder: Make
) -> None:
    recorder = make_recorder(valkey.url)
    recorder.write("t", rows, seconds, True)
    recorder.write("t", 1, 0.1, True)
    recorder.close()
    found = recorded(valkey.url)
    assert (found.writes["t"].ok, found.writes["t"].rows, found.dropped) == (1, 1, 1)


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, 0.0, -3, 1e300])
def test_odd_durations_are_still_writes(
    seconds: float, store: redis.Redis, valkey: RunningServer, make_recorder: Make
) -> None:
    recorder = make_recorder(valkey.url)
    recorder.write("t", 2**70, seconds, True)
    recorder.write("u", 1, 0.1, True)
    recorder.close()
    found = recorded(valkey.url)
    assert (found.writes["t"].ok, found.writes["u"].ok, found.dropped) == (1, 1, 0)


def test_names_are_bounded(store: redis.Redis, valkey: RunningServer, make_recorder: Make) -> None:
    recorder = make_recorder(valkey.url, flush_seconds=60)
    for number in range(200):
        recorder.write(f"t{number}", 1, 0.01, True)
        recorder.hook(f"h{number}", True)
        recorder.monitor(f"m{number}", 1, 1, True)
    recorder.close()
    found = recorded(valkey.url)
    kept = (len(found.writes), len(found.hooks), len(found.monitors))
    assert kept == (minutes.TABLES, minutes.HOOKS, minutes.MONITORS)
    assert found.dropped == 600 - sum(kept)


@pytest.mark.slow
def test_names_are_bounded_over_flushes_that_redis_did_not_take(store: redis.Redis, make_recorder: Make) -> None:
    recorder = make_recorder(NOWHERE, clock=Clock(0), flush_seconds=0.02)
    for number in range(minutes.TABLES * 4):
        recorder.write(f"t{number}", 1, 0.01, True)
        time.sleep(0.005)
    wait_for(lambda: recorder.dropped >= minutes.TABLES)


@pytest.mark.slow
def test_without_redis_it_drops_counts_and_costs_no_time(make_recorder: Make) -> None:
    clock = Clock(0)
    recorder = make_recorder(NOWHERE, clock=clock, flush_seconds=0.02)
    for _ in range(MINUTES_KEPT * 3):
        recorder.write("t", 1, 0.01, True)
        clock.now += 60
        time.sleep(0.03)
    wait_for(lambda: recorder.dropped >= MINUTES_KEPT)
    began = time.monotonic()
    recorder.close()
    assert time.monotonic() - began < EXIT_SECONDS + 1
    assert recorder.dropped == MINUTES_KEPT * 3


def test_what_is_recorded_after_the_end_is_dropped(
    store: redis.Redis, valkey: RunningServer, make_recorder: Make
) -> None:
    recorder = make_recorder(valkey.url)
    recorder.close()
    recorder.write("t", 1, 0.01, True)
    recorder.close()
    assert recorder.dropped == 1


def test_a_wrong_url_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="scheme"):
        Recorder("not a url")


@pytest.mark.slow
def test_a_server_that_accepts_and_never_answers_does_not_delay_the_end() -> None:
    with restartable() as server:
        recorder = Recorder(server.url)
        recorder.write("t", 1, 0.01, True)
        server.signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            recorder.close()
            assert time.monotonic() - began < EXIT_SECONDS + 0.5
        finally:
            server.signal(signal.SIGCONT)


@pytest.mark.slow
def test_a_server_that_freezes_and_goes_on_gets_everything_once(make_recorder: Make) -> None:
    with restartable() as server:
        recorder = make_recorder(server.url)
        recorder.write("t", 1, 0.01, True)
        wait_for(lambda: recorded(server.url).writes_ok == 1)
        server.signal(signal.SIGSTOP)
        try:
            for _ in range(30):  # one delivery is sent and gets no answer; the server will find it in its buffer
                recorder.write("t", 1, 0.01, True)
                time.sleep(0.05)
        finally:
            server.signal(signal.SIGCONT)
        wait_for(lambda: recorded(server.url).writes_ok == 31)
        recorder.close()
        assert (recorded(server.url).writes_ok, recorder.dropped) == (31, 0)


@pytest.mark.slow
def test_a_restart_of_redis_loses_nothing(make_recorder: Make) -> None:
    with restartable("--appendonly", "yes", "--appendfsync", "always") as server:
        recorder = make_recorder(server.url)
        recorder.write("t", 1, 0.01, True)
        wait_for(lambda: recorded(server.url).writes_ok == 1)
        server.stop()
        for _ in range(20):
            recorder.write("t", 1, 0.01, True)
            time.sleep(0.01)
        server.start()
        wait_for(lambda: recorded(server.url).writes_ok == 21)
        assert recorder.dropped == 0


def test_a_full_redis_gets_it_when_there_is_room_again(make_recorder: Make) -> None:
    with restartable("--maxmemory-policy", "noeviction") as server, redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(redis.OutOfMemoryError):
            client.set("x", "y")
        recorder = make_recorder(server.url)
        for _ in range(10):
            recorder.write("t", 1, 0.01, True)
            time.sleep(0.02)
        assert client.dbsize() == 0
        client.config_set("maxmemory", 0)
        wait_for(lambda: recorded(server.url).writes_ok == 10)
        assert recorder.dropped == 0


@pytest.mark.slow
def test_a_redis_that_stays_full_costs_bounded_memory_and_is_counted(make_recorder: Make) -> None:
    with restartable("--maxmemory", "1", "--maxmemory-policy", "noeviction") as server:
        clock = Clock(0)
        recorder = make_recorder(server.url, clock=clock, flush_seconds=0.02)
        for _ in range(MINUTES_KEPT * 4):
            recorder.write("t", 1, 0.01, True)
            clock.now += 60
            time.sleep(0.03)
        wait_for(lambda: recorder.dropped >= MINUTES_KEPT - 1)
        with redis.Redis.from_url(server.url) as client:
            client.config_set("maxmemory", 0)
        recorder.close()
        found = recorded(server.url, now=clock.now, minutes=MINUTES_KEPT * 4 + 1)
        assert found.writes_ok + recorder.dropped == MINUTES_KEPT * 4
        assert found.dropped == recorder.dropped > 0


def test_a_user_with_few_rights_can_record(store: redis.Redis, valkey: RunningServer, make_recorder: Make) -> None:
    rights = "-@all +multi +exec +hincrby +hset +hget +expire %RW~blueplane:health:*"  # as docs/RECORDING.md says
    store.execute_command("ACL", "SETUSER", "writer", "on", ">pw", *rights.split())
    try:
        recorder = make_recorder(f"unix://writer:pw@{valkey.url.removeprefix('unix://')}")
        recorder.write("t", 1, 0.01, True)
        recorder.close()
        assert recorded(valkey.url).writes_ok == 1
    finally:
        store.execute_command("ACL", "DELUSER", "writer")


def test_something_else_under_our_key_costs_only_that_minute(
    store: redis.Redis, valkey: RunningServer, make_recorder: Make
) -> None:
    store.set(f"{PREFIX}recorded:100", "of somebody else")
    clock = Clock(6000)
    recorder = make_recorder(valkey.url, clock=clock, flush_seconds=60)
    recorder.write("t", 1, 0.01, True)
    clock.now += 60
    recorder.write("t", 1, 0.01, True)
    recorder.close()
    assert store.get(f"{PREFIX}recorded:100") == "of somebody else"
    assert store.hget(f"{PREFIX}recorded:101", "w|ok|t") == "1"
    assert recorder.dropped == 1


@pytest.mark.slow
def test_a_clock_that_steps_back_adds_to_the_earlier_minute(
    store: redis.Redis, valkey: RunningServer, make_recorder: Make
) -> None:
    clock = Clock(6000)
    recorder = make_recorder(valkey.url, clock=clock)
    for now in (6000, 6060, 6010, 5990, 6061):
        clock.now = now
        recorder.write("t", 1, 0.01, True)
        time.sleep(0.08)
    recorder.close()
    assert [store.hget(f"{PREFIX}recorded:{minute}", "w|ok|t") for minute in (99, 100, 101)] == ["1", "2", "2"]
    assert all(store.ttl(key) > 0 for key in store.scan_iter())


def test_a_clock_gone_mad_costs_no_memory(make_recorder: Make) -> None:
    clock = Clock(0)
    recorder = make_recorder(NOWHERE, clock=clock, flush_seconds=60)
    for number in range(1000):
        clock.now = number * 977 * 60
        recorder.write("t", 1, 0.01, True)
    clock.now = math.nan
    recorder.write("t", 1, 0.01, True)
    assert len(recorder._live) <= MINUTES_KEPT
    assert recorder.dropped == 1001 - MINUTES_KEPT


@pytest.mark.parametrize(
    "edge", ["2026-03-01T12:01:00", "2026-03-02T00:00:00", "2027-01-01T00:00:00"], ids=["minute", "day", "year"]
)
def test_boundaries_fall_between_the_right_events(
    edge: str, store: redis.Redis, valkey: RunningServer, make_recorder: Make
) -> None:
    moment = datetime.datetime.fromisoformat(edge).replace(tzinfo=datetime.UTC)
    with freezegun.freeze_time(moment - datetime.timedelta(milliseconds=1)) as frozen:
        recorder = make_recorder(valkey.url, flush_seconds=60)
        recorder.write("t", 1, 0.01, True)
        frozen.move_to(moment)
        recorder.write("t", 1, 0.01, True)
        recorder.write("t", 1, 0.01, True)
        recorder.close()
    minute = int(moment.timestamp()) // 60
    assert store.hget(f"{PREFIX}recorded:{minute - 1}", "w|ok|t") == "1"
    assert store.hget(f"{PREFIX}recorded:{minute}", "w|ok|t") == "2"
    assert recorded(valkey.url, now=moment.timestamp(), minutes=1).writes_ok == 3
    assert recorded(valkey.url, now=moment.timestamp() + 60, minutes=0).writes_ok is None


WORKER = """
import sys
from blueplane_doctor.recording import Recorder
recorder = Recorder(sys.argv[1])
for number in range(5000):
    recorder.write("t", 2, 0.001 * (number % 100 + 1), number % 10 != 0)
    recorder.hook("cursor/stop", True)
"""


@pytest.mark.slow
def test_processes_side_by_side_add_up(store: redis.Redis, valkey: RunningServer) -> None:
    threads = [threading.Thread(target=run_python, args=(WORKER, valkey.url)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = recorded(valkey.url)
    assert (found.writes_ok, found.writes_failed, found.writes["t"].rows) == (18_000, 2_000, 36_000)
    assert found.hooks["cursor/stop"].ok == 20_000
    assert found.write_p95_ms == pytest.approx(95, rel=0.0101)


def test_threads_side_by_side_add_up(store: redis.Redis, valkey: RunningServer, make_recorder: Make) -> None:
    recorder = make_recorder(valkey.url, flush_seconds=0.001)

    def work() -> None:
        for _ in range(5000):
            recorder.write("t", 1, 0.01, True)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    assert recorded(valkey.url).writes_ok == 20_000


STEADY = """
import sys, time
from blueplane_doctor.recording import Recorder
recorder = Recorder(sys.argv[1])
while True:
    recorder.write("t", 1, 0.001, True)
    print(time.time(), flush=True)
    time.sleep(0.01)
"""


@pytest.mark.slow
def test_a_killed_process_loses_at_most_its_last_second(store: redis.Redis, valkey: RunningServer) -> None:
    import subprocess
    import sys

    with subprocess.Popen([sys.executable, "-c", STEADY, valkey.url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        times = [float(process.stdout.readline()) for _ in range(250)]
        process.kill()
        times += [float(line) for line in process.stdout.read().split("\n")[:-1]]
    kept = recorded(valkey.url).writes_ok
    assert kept is not None
    lost = len(times) - kept
    assert lost == 0 or times[-1] - times[-lost] <= 1.25  # a second, and what a busy machine takes to flush


def test_the_end_of_a_process_delivers_the_rest(store: redis.Redis, valkey: RunningServer) -> None:
    run_python(
        "import sys; from blueplane_doctor.recording import Recorder\n"
        "r = Recorder(sys.argv[1], flush_seconds=60); r.write('t', 7, 0.01, True)",
        valkey.url,
    )
    assert recorded(valkey.url).writes["t"].rows == 7


def test_a_process_without_redis_ends_quietly() -> None:
    ended = run_python(
        "import sys; from blueplane_doctor.recording import Recorder\n"
        "r = Recorder(sys.argv[1]); r.write('t', 7, 0.01, True); print('done')",
        NOWHERE,
    )
    assert (ended.stdout, ended.stderr) == ("done\n", "")


FORK = """
import os, sys
from blueplane_doctor.recording import Recorder
recorder = Recorder(sys.argv[1], flush_seconds=60)
recorder.write("t", 1, 0.01, True)
child = os.fork()
recorder.write("t", 10, 0.01, True)
if child == 0:
    recorder.hook("child", True)
    grandchild = os.fork()
    if grandchild == 0:
        recorder.write("t", 100, 0.01, False)
        sys.exit(0)
    os.waitpid(grandchild, 0)
else:
    os.waitpid(child, 0)
"""

WORKERS = """
import multiprocessing, sys
from blueplane_doctor.recording import Recorder
recorder = Recorder(sys.argv[1], flush_seconds=60)

def work(number):
    recorder.write("t", 1, 0.01, True)

if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=work, args=(n,)) for n in range(3)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    recorder.write("t", 1, 0.01, True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_takes_nothing_over_and_records_on_its_own(store: redis.Redis, valkey: RunningServer) -> None:
    run_python(FORK, valkey.url)
    found = recorded(valkey.url)
    assert (found.writes["t"].ok, found.writes["t"].rows, found.writes["t"].failed) == (3, 21, 1)
    assert found.hooks["child"].ok == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_workers_of_multiprocessing_deliver_at_their_end(store: redis.Redis, valkey: RunningServer) -> None:
    run_python(WORKERS, valkey.url)
    assert recorded(valkey.url).writes_ok == 4


@pytest.mark.parametrize("made", ["MinuteBucket", "Counts"])
def test_what_a_signal_handler_records_while_the_first_event_is_recorded_stays(
    made: str, store: redis.Redis, valkey: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handler runs where the first event of a minute, or of a name, makes its entry."""
    make = getattr(recorder_module, made)
    recorder = Recorder(valkey.url)
    events = ["of the handler"]

    def interrupted() -> object:
        if events:
            events.pop()
            recorder.hook("stop", True)
        return make()

    monkeypatch.setattr(recorder_module, made, interrupted)
    recorder.hook("stop", True)
    recorder.close()
    assert not events
    assert recorded(valkey.url).hooks["stop"].ok == 2


@pytest.mark.slow
def test_a_signal_handler_may_record_while_recording(store: redis.Redis, valkey: RunningServer) -> None:
    code = """
import signal, sys, time
from blueplane_doctor.recording import Recorder
recorder = Recorder(sys.argv[1])
handled = 0
def handler(*_):
    global handled
    handled += 1
    recorder.hook("signal", True)
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
until = time.monotonic() + 0.5
while time.monotonic() < until:
    recorder.hook("main", True)
signal.setitimer(signal.ITIMER_REAL, 0)
print(handled)
"""
    handled = int(run_python(code, valkey.url).stdout)
    assert handled > 10
    assert recorded(valkey.url).hooks["signal"].ok == handled
