"""The process: it tells systemd when it is ready and when it ends, and ends well whoever is still there."""

import signal
import socket
from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from tests.service.support import serving

pytestmark = pytest.mark.slow


def test_systemd_is_told(healthy: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(15)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with serving(healthy) as service:
            assert manager.recv(100) == b"READY=1"
            assert service.get("/healthz").status_code == 200
        assert manager.recv(100) == b"STOPPING=1"


def test_a_manager_that_is_gone_does_no_harm(healthy: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    with serving(healthy) as service:
        assert service.get("/healthz").status_code == 200


def test_live_pages_and_idle_connections_do_not_keep_it_from_ending(healthy: Pipeline) -> None:
    with serving(healthy) as service, service.client.stream("GET", "/live/events") as events:
        lines = events.iter_lines()
        assert next(lines) == "retry: 1000"
        host, port = service.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))):
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(8) == 0
        assert "event: report" in list(lines)
