"""The service under load: answers while it examines, while Redis hangs; beside prometheus-redis-exporter; at rest.

It takes about six minutes, three of them at rest at the end.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import psutil
import redis

from benchmarks.measure import figure
from benchmarks.scene import QUEUE, fields, make_database, make_stream
from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import Sample, minute_of

MESSAGES = 10_000
RATE = 200
CONNECTIONS = 20
SECONDS = 3.0
"""Of one round: 600 answers, of which six are slower than the p99."""
ROUNDS = 3
CROWD = 200
ROOT = "/api/v1/health"
IDLE_SECONDS = 180  # one of the rare custody looks at rest is among them


@contextlib.contextmanager
def service(home: Path, url: str) -> Iterator[tuple[int, int]]:
    """Its process id and port, once it is ready."""
    command = [
        sys.executable,
        "-m",
        "blueplane_doctor",
        "--home",
        str(home),
        "--redis-url",
        url,
        "serve",
        "--port",
        "0",
    ]
    # Into a file: nobody reads a pipe while the service runs, and a full one would stop it.
    log = home / "serve.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(command, stderr=stderr)
    port = _port_in(log)
    for _ in range(200):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
            break
        time.sleep(0.1)
    try:
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(10)


def _port_in(log: Path) -> int:
    """The port of the address that the service says it listens on, once it does."""
    for _ in range(300):
        match = re.search(r"http://\S+?:(\d+)", log.read_text())
        if match:
            return int(match[1])
        time.sleep(0.1)
    raise SystemExit(f"the service did not say where it listens: {log.read_text()}")


async def load(port: int, path: str, seconds: float, rate: float = RATE, connections: int = CONNECTIONS) -> list[float]:
    """Milliseconds of each answer, by an open loop: one that is late is counted from when it was due."""
    taken: list[float] = []
    began = time.perf_counter()

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        turn = 0
        while (due := began + 0.2 + (number + turn * connections) / rate) < began + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            taken.append((time.perf_counter() - due) * 1000)
            turn += 1
        writer.close()

    await asyncio.gather(*(one(number) for number in range(connections)))
    return taken


FLOOR = """
import asyncio, sys
async def one(reader, writer):
    while await reader.readuntil(b"\\r\\n\\r\\n"):
        writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n{}")
async def main():
    server = await asyncio.start_server(one, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def floor(seconds: float) -> float:
    """The p99 of a server that does nothing: what this machine and this client cost by themselves."""
    process = subprocess.Popen(
        [sys.executable, "-c", FLOOR], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout
    try:
        return percentile(asyncio.run(load(int(process.stdout.readline()), "/", seconds)), 0.99)
    finally:
        process.terminate()
        process.wait()


def percentile(values: list[float], share: float) -> float:
    """The value below which that share lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def paths(url: str) -> list[str]:
    """Every endpoint, with something there to answer."""
    with redis.Redis.from_url(url) as client:
        newest = client.xrevrange(QUEUE, count=1)[0][0].decode()
    storage = HealthMetricsStorage(url)
    now = minute_of(time.time())
    for minute in range(60):
        storage.write(Sample(now - 60 * minute, {"queue.queue_depth": float(minute)}))
    storage.close()
    names = ("", "/queue", "/database", "/capture", "/chain", "/findings")
    return [
        *(ROOT + name for name in names),
        f"{ROOT}/history?metric=queue.queue_depth&since=1h",
        f"{ROOT}/trace/{newest}",
    ]


def measured(port: int, path: str, seconds: float, label: str) -> None:
    """Print the median of three p99s: a neighbour's work in the middle of one is not the service's."""
    nothing = statistics.median(floor(seconds / 3) for _ in range(ROUNDS))
    taken = statistics.median(percentile(asyncio.run(load(port, path, seconds)), 0.99) for _ in range(ROUNDS))
    name = f"p99 {path.split('?')[0][:40]}, {label}"
    figure(name, taken, "ms", f"under 10 (a server that does nothing: {nothing:.1f})")


def busy(url: str, until: float) -> None:
    """Something new again and again, so that the stream is walked through as often as its cost allows."""
    with redis.Redis.from_url(url) as client:
        while time.monotonic() < until:
            client.xadd(QUEUE, fields(1), maxlen=MESSAGES, approximate=True)
            time.sleep(0.2)


def under_load(port: int, server_pid: int, url: str) -> None:
    """All endpoints: with a custody look every few seconds, then while Redis hangs."""
    chosen = paths(url)
    feeder = Thread(target=busy, args=(url, time.monotonic() + len(chosen) * ROUNDS * (1.4 * SECONDS + 1)), daemon=True)
    feeder.start()
    for path in chosen:
        measured(port, path, SECONDS, "examining 10 000")
    feeder.join()
    os.kill(server_pid, signal.SIGSTOP)
    try:
        for path in chosen:
            measured(port, path, SECONDS / 2, "Redis hangs")
    finally:
        os.kill(server_pid, signal.SIGCONT)
    time.sleep(4)
    taken = asyncio.run(load(port, ROOT, SECONDS, rate=CROWD, connections=CROWD))
    figure(f"p99 with {CROWD} clients, one request a second each", percentile(taken, 0.99), "ms")


def exporter(port: int, url: str) -> None:
    """`/metrics` beside the exporter's, in turns, on the same Redis."""
    program = shutil.which("prometheus-redis-exporter")
    if program is None:
        print("prometheus-redis-exporter is not installed: not compared")
        return
    with socket.create_server(("127.0.0.1", 0)) as probe:
        theirs = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [program, "-redis.addr", url, "-web.listen-address", f"127.0.0.1:{theirs}", "-check-single-streams", QUEUE],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(2)
        times: dict[int, list[float]] = {port: [], theirs: []}
        for _ in range(200):
            for one in times:
                began = time.perf_counter()
                with urllib.request.urlopen(f"http://127.0.0.1:{one}/metrics") as answer:
                    answer.read()
                times[one].append((time.perf_counter() - began) * 1000)
                time.sleep(0.01)
        figure("/metrics, median", statistics.median(times[port]), "ms")
        figure("prometheus-redis-exporter /metrics, median", statistics.median(times[theirs]), "ms", "no faster")
        figure("/metrics, p99", percentile(times[port], 0.99), "ms")
        figure("prometheus-redis-exporter /metrics, p99", percentile(times[theirs], 0.99), "ms")
    finally:
        process.terminate()
        process.wait(10)


def idle(pid: int) -> None:
    """What the service uses while nobody asks and nothing moves."""
    process = psutil.Process(pid)
    before = process.cpu_times()
    time.sleep(IDLE_SECONDS)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    figure(f"processor, idle for {IDLE_SECONDS} s", 100 * used / IDLE_SECONDS, "%", "at most 2")
    figure("memory", process.memory_info().rss / 1e6, "MB", "at most 120")


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, run_server(tcp=True) as server:
        os.environ["HOME"] = folder
        make_stream(server.url, MESSAGES)
        make_database(Path(folder) / "telemetry.db", MESSAGES, MESSAGES)
        with service(Path(folder), server.url) as (pid, port):
            time.sleep(3)
            exporter(port, server.url)
            under_load(port, server.pid, server.url)
            figure("memory after all that", psutil.Process(pid).memory_info().rss / 1e6, "MB", "at most 120")
        # Another one, for the first is still busy with what came last. It takes the longest, so it comes last.
        with service(Path(folder), server.url) as (pid, _):
            time.sleep(3)
            idle(pid)


if __name__ == "__main__":
    main()
