"""The lock of the sampler: one recorder at a time, and never for ever."""

import time
from collections.abc import Callable, Iterator
from threading import Event

import pytest
import redis

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.history.endpoint import history_endpoint
from blueplane_doctor.judging.sampler import RecorderLock, wait_until

MakeLock = Callable[..., RecorderLock]


@pytest.fixture
def lock(valkey: RunningServer) -> Iterator[MakeLock]:
    """Makes locks of as many recorders as a test needs, each over a connection of its own."""
    connections: list[Connection] = []

    def make(seconds: float = 60) -> RecorderLock:
        connections.append(Connection(history_endpoint(valkey.url)))
        return RecorderLock(connections[-1], "test-lock:", seconds)

    yield make
    for connection in connections:
        connection.close()


def test_one_holds_it_and_may_hold_it_on(lock: MakeLock) -> None:
    first, second = lock(), lock()
    assert first.hold()
    assert not second.hold()
    assert first.hold()
    first.release()
    assert second.hold()
    second.release()


def test_only_the_owner_releases(lock: MakeLock) -> None:
    first, second = lock(), lock()
    assert first.hold()
    second.release()
    assert not second.hold()
    first.release()


def test_holding_on_makes_it_last_longer(lock: MakeLock, valkey: RunningServer) -> None:
    first = lock(50)
    with redis.Redis.from_url(valkey.url) as client:
        first.hold()
        client.pexpire(first.key, 1000)
        first.hold()
        assert client.pttl(first.key) > 40_000
    first.release()


def test_a_dead_owner_loses_it(lock: MakeLock) -> None:
    dead, heir = lock(0.2), lock()
    assert dead.hold()
    assert not heir.hold()
    time.sleep(0.3)
    assert heir.hold()
    dead.release()
    assert not dead.hold()
    heir.release()


def test_a_turn_that_the_clock_has_moved_far_away_is_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set back by a year while the next minute is waited for: nothing would be recorded until the year is over."""
    clock = iter([1000.0, 1000.0, 999.5, 1000.0 - 365 * 86_400])
    monkeypatch.setattr("blueplane_doctor.judging.sampler.time.time", lambda: next(clock))
    naps: list[float] = []
    stop = Event()
    monkeypatch.setattr(stop, "wait", naps.append)
    assert wait_until(1020.0, stop)
    assert naps == [20.0, 20.5]
