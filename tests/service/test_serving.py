"""The service in a server of our own: probes are always answered, and it ends well whoever is still there."""

import signal
import socket
from pathlib import Path

import psutil
import pytest

from blueplane_doctor.demo import faults
from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.service.serving import PATHS
from tests.service.support import serving
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow


def test_live_pages_and_idle_connections_do_not_keep_it_from_ending(healthy: Pipeline) -> None:
    with serving(healthy) as service, service.client.stream("GET", "/live/events") as events:
        lines = events.iter_lines()
        assert next(lines) == "retry: 1000"
        host, port = service.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))):
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(PATIENCE_SECONDS) == 0
        assert "event: report" in list(lines)


def test_beyond_the_rate_is_429(healthy: Pipeline) -> None:
    with serving(healthy, "--rate", "5") as service:
        service.ready()  # /readyz is 503 until the first verdict is there
        codes = [service.get("/api/v1/health").status_code for _ in range(40)]
        probes = {service.get(path).status_code for path in PATHS.unlimited for _ in range(10)}
    assert codes.count(429) >= 5
    assert probes == {200}, "whoever is asked too often must not be taken for dead"


def test_threads_are_as_many_after_an_outage_with_many_clients_as_before(tmp_path: Path) -> None:
    """300 clients ask for everything while Redis is there, hangs, and returns."""
    home = tmp_path / ".blueplane"
    paths = ("/", "/live", "/api/v1/health", "/api/v1/health/trace/none", "/metrics")
    with run_server() as server, Pipeline(server.url, home) as pipeline:
        faults.healthy(pipeline)
        with serving(pipeline, "--rate", "100000") as service:
            service.ready()
            before = service.resources()[0]
            redis_process = psutil.Process(server.pid)
            for hangs in (False, True, False):
                if hangs:
                    redis_process.suspend()
                else:
                    redis_process.resume()
                ask_together(service.url, paths)
            wait_until(lambda: service.status() == "green", "not green again")
            wait_until(lambda: service.resources()[0] == before, f"other than {before} threads")


def ask_together(url: str, paths: tuple[str, ...]) -> None:
    """300 requests that are all open at the same time, each answered with some code."""
    host, port = url.removeprefix("http://").split(":")
    connections = []
    for number in range(300):
        connection = socket.create_connection((host, int(port)), 30)
        path = paths[number % len(paths)]
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        connections.append(connection)
    for connection in connections:
        assert connection.recv(8) == b"HTTP/1.1"
        connection.close()
