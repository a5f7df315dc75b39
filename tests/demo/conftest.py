"""A server of each kind for the tests of the demo, and a simulated pipeline on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.demo.simulator import Pipeline


@pytest.fixture(scope="session")
def embedded_server(valkey: RunningServer) -> RunningServer:
    return valkey


def emptied(server: RunningServer) -> str:
    """The URL of the server, after everything in it was removed."""
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    return server.url


@pytest.fixture
def pipeline(embedded_server: RunningServer, tmp_path: Path) -> Iterator[Pipeline]:
    with Pipeline(emptied(embedded_server), tmp_path / ".blueplane") as pipeline:
        yield pipeline


@pytest.fixture
def pipeline_on_any_server(any_server: RunningServer, tmp_path: Path) -> Iterator[Pipeline]:
    with Pipeline(emptied(any_server), tmp_path / ".blueplane") as pipeline:
        yield pipeline
