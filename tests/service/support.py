"""A service in a process of its own, and words that many tests of it use."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from blueplane_doctor.demo.simulator import Pipeline
from tests.waiting import PATIENCE_SECONDS, wait_until

CALM = ("--ignore", "server", "--ignore", "redis-durability")
"""The simulated pipeline has no server process and saves nothing: not what these tests are about."""
LIMIT_SECONDS = 15.0
"""Within which an outage must show: 3 s, and five times as long where others use the processors."""


@dataclass(frozen=True)
class Served:
    """A running service."""

    url: str
    process: "subprocess.Popen[str]"
    client: httpx.Client

    def get(self, path: str, **more: Any) -> httpx.Response:
        """One answer."""
        return self.client.get(path, **more)

    def status(self, path: str = "/api/v1/health") -> str:
        """The health status that an endpoint gives."""
        return str(self.get(path).json()["health_status"])

    def ready(self) -> None:
        """Wait for the first verdict."""
        wait_until(lambda: self.get("/readyz").status_code == 200, "not ready")

    def resources(self) -> tuple[int, int]:
        """Threads and open files of the process."""
        process = psutil.Process(self.process.pid)
        return process.num_threads(), process.num_fds()


@contextlib.contextmanager
def serving(
    pipeline: Pipeline,
    *options: str,
    before: Sequence[str] = CALM,
    redis_url: str = "",
    complaints: Sequence[str] = (),
) -> Iterator[Served]:
    """`blueplane-doctor serve` on a free port, until the block ends; it must then end well.

    `complaints`: lines that may each be on stderr, once.
    """
    command = [sys.executable, "-m", "blueplane_doctor", "--home", str(pipeline.home)]
    command += ["--redis-url", redis_url or pipeline.redis_url, *before, "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"NO_PROXY": "*"})
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        assert "listening on" in said, said + process.stderr.read()
        url = said.split()[-1]
        transport = httpx.HTTPTransport(uds=url.removeprefix("unix:")) if url.startswith("unix:") else None
        base = "http://localhost" if transport else url
        with httpx.Client(base_url=base, timeout=PATIENCE_SECONDS, trust_env=False, transport=transport) as client:
            yield Served(base, process, client)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            rest = process.stderr.read()
            process.stderr.close()
    lines = rest.splitlines()
    assert (code, [line for line in lines if line not in complaints]) == (0, []), (code, rest)
    assert len(lines) == len(set(lines))


@contextlib.contextmanager
def locked(database: Path) -> Iterator[None]:
    """A database that nobody else can read until the block ends."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False)) as lock:
        # Beside a write-ahead log nobody heeds the lock, and it goes only in a moment without readers.
        wait_until(lambda: _without_log(lock), "always somebody reads")
        lock.execute("BEGIN EXCLUSIVE")
        lock.execute("CREATE TABLE other (id)")  # only a journal beside the file makes readers heed the lock
        yield
        lock.execute("ROLLBACK")


def _without_log(connection: sqlite3.Connection) -> bool:
    try:
        return bool(connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",))
    except sqlite3.OperationalError as error:
        assert "locked" in str(error)
        return False
