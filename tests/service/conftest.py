"""A healthy pipeline behind a running service."""

from collections.abc import Iterator

import pytest

from blueplane_doctor.demo import faults
from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.demo.simulator import Pipeline
from tests.servers import require_server
from tests.service.support import Served, serving


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One healthy pipeline for a module's tests, which only read, on a server that nobody else empties."""
    home = tmp_path_factory.mktemp("served") / ".blueplane"
    with run_server(require_server("valkey-9.1")) as server, Pipeline(server.url, home) as pipeline:
        faults.healthy(pipeline)
        yield pipeline


@pytest.fixture(scope="module")
def served(healthy: Pipeline) -> Iterator[Served]:
    """A service over it, ready."""
    with serving(healthy) as service:
        service.ready()
        yield service
