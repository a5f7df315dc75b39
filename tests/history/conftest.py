"""Servers that keep a history: both plain ones, and Redis with the TimeSeries module."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from tests.servers import require_server

TIMESERIES = "redis-7.4 with TimeSeries"
BACKENDS = {"valkey-9.1": "stream", "redis-7.0": "stream", TIMESERIES: "timeseries"}
_QUICK_FIRST = ["valkey-9.1", *(pytest.param(name, marks=pytest.mark.slow) for name in ("redis-7.0", TIMESERIES))]


def run_backend(name: str) -> AbstractContextManager[RunningServer]:
    """A server of that kind; without its program the test is skipped, but in CI fails."""
    if name != TIMESERIES:
        return run_server(require_server(name))
    program = require_server("redis-7.4")
    return run_server(program, arguments=("--loadmodule", str(Path(program).parent / "redistimeseries.so")))


@pytest.fixture(scope="session", params=_QUICK_FIRST)
def history_server(request: pytest.FixtureRequest) -> Iterator[tuple[str, RunningServer]]:
    """The store that is expected there, and the server."""
    with run_backend(request.param) as server:
        yield BACKENDS[request.param], server


@pytest.fixture
def client(history_server: tuple[str, RunningServer]) -> Iterator[redis.Redis]:
    """To look at what is really there; the server is emptied before."""
    with redis.Redis.from_url(history_server[1].url) as client:
        client.flushall()
        yield client


@pytest.fixture
def storage(history_server: tuple[str, RunningServer], client: redis.Redis) -> Iterator[HealthMetricsStorage]:
    """An empty history on each of them."""
    found = HealthMetricsStorage(history_server[1].url)
    yield found
    found.close()
