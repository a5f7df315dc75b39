"""Custody at size: throughput beside its floor, memory, large messages, and what a busy writer notices of it."""

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from threading import Event, Thread

import redis

from benchmarks.measure import Run, figure, paired, run
from benchmarks.scene import QUEUE, fields, make
from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.examination import Examination
from blueplane_doctor.settings.values import load
from blueplane_doctor.sources import entries

SIZES = (200_000, 1_000_000)
FLOOR_PAGE = 1_000
"""Messages of a page of the floor."""


def main() -> None:
    """Print the figures; sizes may be given as arguments."""
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    idle = _idle()
    peaks = [_throughput(size, idle) for size in sizes]
    if len(peaks) > 1:
        figure(f"peak memory, {sizes[-1]:,} / {sizes[0]:,} messages", peaks[-1] / peaks[0], "x", "at most 1.1")
    _heavy(idle)
    _busy_writer()


def _doctor(url: str, home: Path) -> Run:
    command = [sys.executable, "-m", "blueplane_doctor", "--home", str(home), "--redis-url", url, "--timeout", "3000"]
    done = run([*command, "--select", "chain"], {**os.environ, "HOME": str(home)})
    assert "Custody is healthy" in done.output, done.output
    return done


def _idle() -> float:
    """Peak of the same process with nothing to read, in MB."""
    with tempfile.TemporaryDirectory() as folder, run_server() as server:
        make(server.url, Path(folder, "telemetry.db"), 1, 1)
        return _doctor(server.url, Path(folder)).peak_mb


def _throughput(messages: int, idle: float) -> float:
    with tempfile.TemporaryDirectory() as folder, run_server() as server:
        home = Path(folder)
        make(server.url, home / "telemetry.db", messages, messages)
        script = str(Path(__file__).with_name("floor.py"))
        floor = [sys.executable, script, server.url, str(home / "telemetry.db"), str(FLOOR_PAGE)]
        both = paired(lambda: run(floor), lambda: _doctor(server.url, home), 3 if messages <= SIZES[0] else 1)
        figure(f"{messages:,} messages against as many rows", messages / both.second.wall, "a second")
        figure(f"throughput / floor, {messages:,} messages (wall)", both.ratio, "x", "at least 0.65")
        figure(f"throughput / floor, {messages:,} messages (processor)", both.cpu_ratio, "x")
        figure(
            f"peak memory over the idle process, {messages:,} messages", both.second.peak_mb - idle, "MB", "at most 100"
        )
        return both.second.peak_mb


def _heavy(idle: float) -> None:
    """10 000 messages, of which 100 carry 2 MB."""
    with tempfile.TemporaryDirectory() as folder, run_server() as server:
        home = Path(folder)
        make(server.url, home / "telemetry.db", 10_000, 10_000, 100, 2_000_000)
        figure("10 000 messages with 100 of 2 MB: largest reply", _largest_reply(server.url, home), "MB", "at most 64")
        peak = _doctor(server.url, home).peak_mb - idle
        figure("the same: peak memory over the idle process", peak, "MB", "at most 100")


def _largest_reply(url: str, home: Path) -> float:
    largest = 0
    learn = entries.PageSize.learn

    def watched(self: entries.PageSize, page: list[entries.RawEntry]) -> int:
        nonlocal largest
        size = 0
        for _, flat in page:
            size += sum(map(len, flat))
        largest = max(largest, size)
        return learn(self, page)

    entries.PageSize.learn = watched  # type: ignore[method-assign]
    try:
        examination = Examination(load({"home": home, "redis_url": url, "timeout": 600}).settings)
        examination.ledger()
        examination.close()
    finally:
        entries.PageSize.learn = learn  # type: ignore[method-assign]
    return largest / 1_000_000


def _busy_writer() -> None:
    """A writer that adds as fast as it can, alone and beside the doctor, in turns."""
    with (
        tempfile.TemporaryDirectory() as folder,
        run_server(arguments=("--slowlog-log-slower-than", "10000")) as server,
    ):
        home = Path(folder)
        make(server.url, home / "telemetry.db", 100_000, 100_000)
        with redis.Redis.from_url(server.url) as client:
            client.slowlog_reset()
            shares = []
            for _ in range(7):
                before = _rate(server, 4)
                beside = _rate_beside(server, home, 8)
                after = _rate(server, 4)
                shares.append(2 * beside / (before + after))
            figure("a busy writer beside the doctor / alone", median(shares), "x", "at least 0.95")
            figure("entries of SLOWLOG (10 ms)", client.slowlog_len(), "", "0")
            for entry in client.slowlog_get():
                figure(f"one of them: {entry['command'].decode()[:40]}", entry["duration"] / 1000, "ms")


def _rate_beside(server: RunningServer, home: Path, seconds: float) -> float:
    stop = Event()

    def examine() -> None:
        while not stop.is_set():
            _doctor(server.url, home)

    thread = Thread(target=examine)
    thread.start()
    try:
        return _rate(server, seconds)
    finally:
        stop.set()
        thread.join()


def _rate(server: RunningServer, seconds: float) -> float:
    """Messages a second that one writer adds to another stream of the same server, which is trimmed as it grows."""
    message = fields(0)
    end = time.perf_counter() + seconds
    added = 0
    with redis.Redis.from_url(server.url) as client:
        while time.perf_counter() < end:
            client.xadd(f"{QUEUE}:bench", message, maxlen=1_000, approximate=True)
            added += 1
    return added / seconds


if __name__ == "__main__":
    main()
