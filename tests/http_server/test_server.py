"""The process: it tells systemd when it is ready and when it ends, and no signal leaves anything behind."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from tests.service.support import CALM, serving
from tests.waiting import PATIENCE_SECONDS

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
