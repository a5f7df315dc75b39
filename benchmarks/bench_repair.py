"""Repair: a plan for 10 000 messages beside a plain run, and 1 000 messages delivered again beside a busy writer."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from benchmarks.measure import Run, figure, paired, run
from benchmarks.scene import GROUPS, QUEUE, fields, make
from blueplane_doctor.demo.foundation import consumer_name
from blueplane_doctor.demo.servers import run_server, stand_in_server
from blueplane_doctor.demo.simulator import Pipeline

MESSAGES = 10_000
STUCK = 1_000
ROWS = 100_000
PAIRS = 7
ROUNDS = 3
ALONE_SECONDS = 4.0
BATCH = 50
PAUSE_SECONDS = 0.4


def hold(url: str, first: int, count: int, pid: int) -> None:
    """Add Cursor's messages and let the writer of that server hold them for ten minutes, as behind a poison."""
    with redis.Redis.from_url(url) as client:
        ids = []
        for number in range(first, first + 2 * count):
            if number % 3 != 2 and len(ids) < count:  # every third message of the scene is of Claude Code
                ids.append(client.xadd(QUEUE, fields(number)))  # type: ignore[arg-type]
        for group in GROUPS:
            client.xreadgroup(group, consumer_name(group, pid), {QUEUE: ">"}, count=count)
            client.xgroup_delconsumer(QUEUE, group, "consumer-1")  # who read the rest of the scene
        client.xack(QUEUE, GROUPS[1], *ids)
        client.xclaim(QUEUE, GROUPS[0], consumer_name(GROUPS[0], pid), 0, ids, idle=600_000, justid=True)


def work(url: str, home: str) -> None:
    """A busy writer: adds messages and writes them, with all others that come, until its standard input ends."""
    with Pipeline(url, Path(home), pid=int(Path(home, "server.pid").read_text())) as pipeline:
        pipeline.max_length = 10**9  # what is stuck must not be trimmed while the writer is timed alone
        os.set_blocking(0, False)
        while sys.stdin.buffer.read(1) is None:
            pipeline.enqueue_cursor(BATCH)
            # As the real ones do: they read on at once while there is anything to read.
            pipeline.drain(*pipeline.writer_groups)
            time.sleep(PAUSE_SECONDS)  # without one, more would come during a plan than the stream may hold
            sys.stdout.write(".")
            sys.stdout.flush()


@contextmanager
def busy_writer(url: str, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The writer in a process of its own, which tells each batch by a byte."""
    command = [sys.executable, "-m", "benchmarks.bench_repair", url, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdin
        os.set_blocking(process.stdout.fileno(), False)
        try:
            yield process
        finally:
            process.stdin.close()
            process.wait(30)


def batches(process: "subprocess.Popen[bytes]") -> int:
    """Batches that the writer has done since it was asked last."""
    assert process.stdout
    return len(process.stdout.read() or b"")


def main() -> None:
    """Print the figures of repair."""
    with tempfile.TemporaryDirectory() as folder, run_server() as server, stand_in_server() as blueplane:
        environment = {**os.environ, "HOME": folder}
        home = Path(folder, ".blueplane")
        home.mkdir()
        (home / "server.pid").write_text(str(blueplane.pid))
        _scene(server.url, home, blueplane.pid)
        doctor = [
            sys.executable,
            "-m",
            "blueplane_doctor",
            "--home",
            str(home),
            "--redis-url",
            server.url,
            "--timeout",
            "90",
        ]

        def plain() -> Run:
            return run([*doctor, "--format", "table", "--fail-on", "never"], environment)

        def plan() -> Run:
            done = run([*doctor, "repair"], environment)
            assert f"{STUCK:,} messages (" in done.output, done.output
            return done

        both = paired(plan, plain, PAIRS)
        figure("plan for 10 000 messages, 1 000 of them stuck / plain run", both.ratio, "x", "at most 1.3")
        figure("the same in processor time", both.cpu_ratio, "x")
        _delivered(doctor, environment, server.url, home, blueplane.pid)


def _scene(url: str, home: Path, pid: int) -> None:
    """A stream of 10 000 messages, the last 1 000 of them stuck, and their database; nothing of before stays."""
    for file in home.glob("telemetry.db*"):
        file.unlink()
    make(url, home / "telemetry.db", MESSAGES - STUCK, ROWS)
    hold(url, 10 * MESSAGES, STUCK, pid)


def _delivered(doctor: list[str], environment: dict[str, str], url: str, home: Path, pid: int) -> None:
    """1 000 messages delivered again, several times, while a writer works on."""
    seconds = []
    processor = []
    shares = []
    for number in range(ROUNDS):
        if number:
            _scene(url, home, pid)
        with busy_writer(url, home) as writer:
            time.sleep(1)
            batches(writer)
            time.sleep(ALONE_SECONDS)
            alone = batches(writer) / ALONE_SECONDS
            identity = run([*doctor, "repair"], environment).output.partition("Plan ")[2][:4]
            batches(writer)
            began = time.monotonic()
            done = run([*doctor, "repair", "--apply", identity, "--yes"], environment)
            beside = batches(writer) / (time.monotonic() - began)
        assert f"{STUCK:,} rows are there" in done.output, done.output
        seconds.append(done.wall)
        processor.append(done.cpu)
        shares.append(beside / alone)
    figure("1 000 messages delivered again, seen and examined", statistics.median(seconds), "s", "under 5")
    figure("the same in processor time", statistics.median(processor), "s")
    figure("a writer beside it / alone", statistics.median(shares), "x", "at least 0.95")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        work(sys.argv[1], sys.argv[2])
    else:
        main()
