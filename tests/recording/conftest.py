"""Fixtures of the recording tests: an empty store, and a recorder that is closed afterwards."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.recording import Recorder, reading


@pytest.fixture
def store(valkey: RunningServer) -> Iterator[redis.Redis]:
    """A client of the embedded server, emptied before."""
    with redis.Redis.from_url(valkey.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def make_recorder() -> Iterator[Callable[..., Recorder]]:
    """Makes recorders that flush often; they are closed afterwards."""
    made: list[Recorder] = []

    def make(url: str, **options: Any) -> Recorder:
        made.append(Recorder(url, **{"flush_seconds": 0.05, **options}))
        return made[-1]

    yield make
    for recorder in made:
        recorder.close()


@pytest.fixture(autouse=True)
def plain_names(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The short names that these tests record under are taken for known ones.

    That names which the contract does not know are hidden is for test_reading.py to show.
    """
    if request.path.name not in ("test_recorder.py", "test_instrumentation.py", "test_instrumented_faults.py"):
        return
    names = frozenset(("t", "u", "a", "b", "db", "m", "mine", "signal", "child", "parent", "late", "early", "x"))
    for known in ("TABLES", "MONITORS", "HOOK_NAMES"):
        monkeypatch.setattr(reading, known, getattr(reading, known) | names)
