"""Redis behind Sentinel, in a Cluster, with TLS: servers to test on, and what is needed to start them."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.judging.diagnose import diagnose
from blueplane_doctor.model import Report, Status
from blueplane_doctor.settings.values import load
from tests.helpers import finding
from tests.servers import require_server
from tests.waiting import PATIENCE_SECONDS

SLOTS = 16_384
QUEUE, LETTERS = "telemetry:message_queue", ("telemetry:dlq", "telemetry:message_queue:dlq")
GROUPS = ("processors", "claude_processors")
SECRET = "pass word/@:"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(fine: Any, seconds: float = PATIENCE_SECONDS) -> None:
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
        process.wait(PATIENCE_SECONDS)


@contextlib.contextmanager
def cluster(size: int = 3) -> Iterator[list[RunningServer]]:
    """The nodes of a cluster, all masters; each knows the whole of it."""
    program = require_server("valkey-9.1")
    with ExitStack() as stack:
        buses = [free_port() for _ in range(size)]
        nodes = [
            stack.enter_context(
                run_server(program, tcp=True, arguments=("--cluster-enabled", "yes", "--cluster-port", str(bus)))
            )
            for bus in buses
        ]
        clients = [stack.enter_context(redis.Redis.from_url(node.url)) for node in nodes]
        share = -(-SLOTS // size)
        for number, client in enumerate(clients):
            first, last = number * share, min(SLOTS, (number + 1) * share) - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            for other, bus in zip(nodes, buses, strict=True):
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", port_of(other), bus)
        for client in clients:
            wait_for(lambda c=client: b"cluster_state:ok" in c.execute_command("CLUSTER", "INFO"))
        yield nodes


def fill(client: Any) -> None:
    """Five messages that wait, one dead letter in each stream."""
    for group in GROUPS:
        client.xgroup_create(QUEUE, group, id="0", mkstream=True)
    for number in range(5):
        client.xadd(QUEUE, {"event_id": f"e{number}", "platform": "cursor", "payload": "{}"})
    for stream in LETTERS:
        client.xadd(stream, {"message_id": "1-1"})


def seen(url: str, home: Path, **flags: Any) -> Report:
    """The report, which must have counted all that `fill` made."""
    report = diagnose(load({"home": home, "redis_url": url, **flags}).settings)
    queue = report.metrics["queue"]
    assert queue, finding(report, "queue-depth").cause
    assert (queue["stream_length"], queue["queue_depth"], queue["dlq_size"]) == (5, 5, 2)
    assert finding(report, "redis-reachable").status is Status.GREEN
    assert SECRET not in report.model_dump_json()
    return report
