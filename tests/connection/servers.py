"""Redis behind Sentinel, in a Cluster, with TLS: servers to test on, and what is needed to start them."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer
from tests.servers import require_server


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(fine: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(redis.RedisError):
            if fine():
                return
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def port_of(server: RunningServer) -> int:
    return int(server.url.rsplit(":", 1)[1].split("/")[0])


def certificates(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    program = shutil.which("openssl")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("needs openssl")
        pytest.skip("needs openssl")
    certificate, key = folder / "server.crt", folder / "server.key"
    command = [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return certificate, key


@contextlib.contextmanager
def sentinel(folder: Path, master_port: int, name: str = "main", quorum: int = 1) -> Iterator[int]:
    """A sentinel that watches this server; its port."""
    port = free_port()
    settings = folder / f"sentinel-{port}.conf"
    settings.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {name} 127.0.0.1 {master_port} {quorum}\n"
        f"sentinel down-after-milliseconds {name} 2500\nsentinel failover-timeout {name} 2000\n"
    )
    process = subprocess.Popen(
        [str(require_server("valkey-9.1")), str(settings), "--sentinel"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with redis.Redis(port=port) as client:
            wait_for(client.ping)
        yield port
    finally:
        process.terminate()
        process.wait(10)
