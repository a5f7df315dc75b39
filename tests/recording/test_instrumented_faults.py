"""What a server under `blueplane-doctor instrument` lives through: Redis gone, Redis full, clocks that jump.

Each runs in a process of its own against a server of its own; what it recorded is counted to the last write.
"""

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.recording.minutes import PREFIX, key_of
from blueplane_doctor.recording.recorder import MINUTES_KEPT
from tests.connection.servers import free_port
from tests.recording.helpers import Restartable, recorded, restartable, wait_for
from tests.recording.stand_in import CLOCK, StandIn

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
PATIENCE = 60

UNTIL_TOLD = """
import select
written = 0
print("begun", flush=True)
while not select.select([sys.stdin], [], [], 0.002)[0]:
    written += CursorRawTracesWriter()._batch_insert(["row"])
    assert CursorRawTracesWriter()._batch_insert(["fail"]) == 0
    assert MessageQueueWriter().enqueue({"hook_type": "stop"}, "cursor", "s") is True
print(written)
"""
FROZEN_CLOCK = f"""
import freezegun
freezegun.configure(default_ignore_list=["selectors"])  # else threads, as the recorder's, have the real time
frozen = freezegun.freeze_time("2026-03-01T12:00:00").start()
{CLOCK}
"""
AS_TOLD = """
import json
for line in sys.stdin:
    moment, good, failed = json.loads(line)
    stand_in_clock.frozen.move_to(moment)
    for _ in range(good):
        assert CursorRawTracesWriter()._batch_insert(["row"]) == 1
        assert MessageQueueWriter().enqueue({"hook_type": "stop"}, "cursor", "s") is True
    for _ in range(failed):
        assert CursorRawTracesWriter()._batch_insert(["fail"]) == 0
    print("done", flush=True)
"""


class Told:
    """A running stand-in whose time and writes a test decides, line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def write(self, moment: str, good: int, failed: int = 0) -> None:
        """At this moment, so many writes and hooks that succeed, and writes that fail."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([moment, good, failed]) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def end(self) -> None:
        """Let it end by itself; it must not have noticed anything."""
        out, err = self._process.communicate(timeout=PATIENCE)
        assert (self._process.returncode, out, err) == (0, "", "")


@contextlib.contextmanager
def told(folder: Path, url: str) -> Iterator[Told]:
    """A stand-in with a frozen clock, gone afterwards."""
    server = StandIn(folder)
    server.add("stand_in_clock", FROZEN_CLOCK)
    with server.start(url, AS_TOLD) as process:
        try:
            yield Told(process)
        finally:
            process.kill()


@contextlib.contextmanager
def killed(server: Restartable) -> Iterator[None]:
    """Redis is killed, and started again on the same port."""
    server.signal(signal.SIGKILL)
    server.stop()
    yield
    server.start()


@contextlib.contextmanager
def full(server: Restartable) -> Iterator[None]:
    """Redis refuses every write, and has been seen to refuse one of the recorder's; then memory is freed."""
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(redis.OutOfMemoryError):
            client.set("x", "y")
        client.config_resetstat()
        yield
        wait_for(lambda: client.info("errorstats").get("errorstat_OOM"), PATIENCE)
        client.config_set("maxmemory", 0)


Fault = Callable[[Restartable], contextlib.AbstractContextManager[None]]
faults = pytest.mark.parametrize("fault", [killed, full])


@contextlib.contextmanager
def on_a_port(*arguments: str) -> Iterator[tuple[Restartable, str]]:
    """A server that can be stopped, and the address of its port."""
    port = free_port()
    with restartable(*arguments, "--maxmemory-policy", "noeviction", "--port", str(port)) as server:
        yield server, f"redis://127.0.0.1:{port}"


@pytest.mark.slow
@faults
def test_while_it_writes_redis_goes_and_comes_back_and_nothing_is_lost(fault: Fault, tmp_path: Path) -> None:
    with on_a_port(*DURABLE) as (server, url), StandIn(tmp_path).start(url, UNTIL_TOLD) as process:
        try:
            assert process.stdout and process.stdout.readline() == "begun\n"
            before = wait_for(lambda: recorded(server.url).writes_ok, PATIENCE)
            with fault(server):
                time.sleep(1.5)  # long enough for a flush to fail
            wait_for(lambda: (recorded(server.url).writes_ok or 0) > before, PATIENCE)
            out, err = process.communicate("end\n", timeout=PATIENCE)
        finally:
            process.kill()
        assert (process.returncode, err) == (0, "")
        found = recorded(server.url)
        writes, hook = found.writes["cursor_raw_traces"], found.hooks["cursor/stop"]
        assert (writes.ok, writes.rows, writes.failed, hook.ok, hook.failed) == (*[int(out)] * 4, 0)
        assert found.dropped == 0


@pytest.mark.slow
def test_a_redis_that_comes_back_empty_gets_what_it_was_not_given_before(tmp_path: Path) -> None:
    noon = "2026-03-01T12:00:00"
    with on_a_port() as (server, url), told(tmp_path, url) as stand_in:
        stand_in.write(noon, 5)
        wait_for(lambda: ok_and_dropped(server, noon) == (5, 0), PATIENCE)
        with killed(server):
            stand_in.write(noon, 7)
        wait_for(lambda: ok_and_dropped(server, noon) == (7, 0), PATIENCE)
        stand_in.write(noon, 2)
        stand_in.end()
        assert ok_and_dropped(server, noon) == (9, 0)


@pytest.mark.slow
@faults
def test_what_is_recorded_in_a_long_absence_is_kept_as_far_as_there_is_room_and_the_rest_is_counted(
    fault: Fault, tmp_path: Path
) -> None:
    away = range(4 * MINUTES_KEPT)
    last = "2026-03-01T13:00:00"
    with on_a_port(*DURABLE) as (server, url), told(tmp_path, url) as stand_in:
        stand_in.write("2026-03-01T11:59:00", 5)
        wait_for(lambda: ok_and_dropped(server, last) == (5, 0), PATIENCE)
        with fault(server):
            for minute in away:
                stand_in.write(f"2026-03-01T12:{minute:02}:30", 3)
        stand_in.write(last, 2)
        stand_in.end()
        found = recorded(server.url, moment_of(last), minutes=120)
        writes, hooks, dropped = found.writes_ok or 0, found.hooks["cursor/stop"].ok, found.dropped or 0
        assert writes + hooks + dropped == 2 * (5 + 3 * len(away) + 2)
        assert writes >= 5 + 2
        assert dropped > 0


def ok_and_dropped(server: Restartable, now: str) -> tuple[int | None, int | None]:
    """Writes recorded in the two hours before a moment, and events dropped."""
    found = recorded(server.url, moment_of(now), minutes=120)
    return found.writes_ok, found.dropped


def moment_of(text: str) -> float:
    """Seconds since 1970."""
    return datetime.fromisoformat(text + "+00:00").timestamp()


PLANS = {
    "a second back": ["2026-03-01T12:00:30", "2026-03-01T12:00:29", "2026-03-01T12:00:31"],
    "over a minute": ["2026-03-01T12:05:00", "2026-03-01T12:04:59", "2026-03-01T12:05:01"],
    "an hour back": ["2026-03-01T12:05:00", "2026-03-01T11:05:00", "2026-03-01T11:06:00", "2026-03-01T12:05:10"],
    "over a day": ["2026-03-02T00:00:01", "2026-03-01T23:59:59", "2026-03-02T00:00:02"],
    "to 1970": ["2026-03-01T12:05:00", "1970-01-01T00:00:20", "1970-01-01T00:01:20", "2026-03-01T12:05:10"],
    "minute boundary": ["2026-03-01T12:00:59", "2026-03-01T12:01:00", "2026-03-01T12:01:01"],
    "day boundary": ["2026-03-01T23:59:59", "2026-03-02T00:00:00", "2026-03-02T00:00:01"],
    "month boundary": ["2026-02-28T23:59:59", "2026-03-01T00:00:01"],
    "year boundary": ["2026-12-31T23:59:59", "2027-01-01T00:00:01"],
}


@pytest.mark.slow
@pytest.mark.parametrize("flushed", [False, True], ids=["in one flush", "each flushed"])
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_whatever_the_clock_does_every_write_lands_in_its_minute(
    plan: list[str], flushed: bool, tmp_path: Path, store: redis.Redis, valkey: RunningServer
) -> None:
    expected: dict[int, tuple[int, int]] = {}
    with told(tmp_path, valkey.url) as stand_in:
        for number, moment in enumerate(plan):
            good, failed = 10**number, number
            stand_in.write(moment, good, failed)
            minute = int(moment_of(moment)) // 60
            before = expected.get(minute, (0, 0))
            expected[minute] = (before[0] + good, before[1] + failed)
            if flushed:
                wait_for(lambda: counted(store) == expected, PATIENCE)
        stand_in.end()
    assert counted(store) == expected
    for minute, (good, failed) in expected.items():
        assert store.hget(key_of(minute), "h|ok|cursor/stop") == str(good)
        bins = store.hgetall(key_of(minute, "cursor_raw_traces"))
        assert sum(map(int, bins.values())) == good + failed
    assert all(store.ttl(key) > 0 for key in store.scan_iter())


def counted(store: redis.Redis) -> dict[int, tuple[int, int]]:
    """Writes that succeeded and failed, by every minute that stands in Redis, whichever it is."""
    keys = [key for key in store.scan_iter(f"{PREFIX}recorded:*") if not key.endswith(":cursor_raw_traces")]
    found = {key.removeprefix(f"{PREFIX}recorded:"): store.hgetall(key) for key in keys}
    assert not any(int(fields.get("d", 0)) for fields in found.values())
    return {
        int(minute): (int(fields.get("w|ok|cursor_raw_traces", 0)), int(fields.get("w|failed|cursor_raw_traces", 0)))
        for minute, fields in found.items()
    }
