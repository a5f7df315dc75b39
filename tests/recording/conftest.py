"""Fixtures of the recording tests: an empty store, and a recorder that is closed afterwards."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.recording import Recorder


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
