"""The process: it tells systemd when it is ready and when it ends, and ends well whoever is still there."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from blueplane_doctor.demo import faults
from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.demo.simulator import Pipeline
from tests.service.support import CALM, serving
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow


def test_systemd_is_told(healthy: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with serving(healthy) as service:
            assert manager.recv(100) == b"READY=1"
            assert service.get("/healthz").status_code == 200
        assert manager.recv(100) == b"STOPPING=1"


def test_a_manager_that_is_gone_or_reads_nothing_does_no_harm(
    healthy: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    with serving(healthy) as service:
        assert service.get("/healthz").status_code == 200
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other,
    ):
        manager.bind(str(tmp_path / "notify"))
        other.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                other.sendto(b"x", str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with serving(healthy) as service:
            assert service.get("/healthz").status_code == 200


def test_live_pages_and_idle_connections_do_not_keep_it_from_ending(healthy: Pipeline) -> None:
    with serving(healthy) as service, service.client.stream("GET", "/live/events") as events:
        lines = events.iter_lines()
        assert next(lines) == "retry: 1000"
        host, port = service.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))):
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(PATIENCE_SECONDS) == 0
        assert "event: report" in list(lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_no_signal_leaves_the_socket_behind(number: signal.Signals, healthy: Pipeline, tmp_path: Path) -> None:
    """Sent as soon as the socket is there, which is long before the service answers, and once more when it does."""
    path = tmp_path / "doctor.sock"
    command = [sys.executable, "-m", "blueplane_doctor", "--home", str(healthy.home)]
    command += ["--redis-url", healthy.redis_url, *CALM, "serve", "--uds", str(path)]
    for until_ready in (False, True):
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        while not path.exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.001)
        if until_ready:
            assert "listening on" in process.stderr.readline()
        process.send_signal(number)
        try:
            assert process.wait(PATIENCE_SECONDS) == 0
        finally:
            process.kill()
            rest = process.stderr.read()
            process.stderr.close()
        assert "Traceback" not in rest
        assert not path.exists()


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
