"""What the recording tests share: reading back, waiting, a server that can be stopped, child processes."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import redis

from blueplane_doctor.demo.servers import embedded_server_program, private_folder
from blueplane_doctor.recording.reading import Recorded, read_recorded
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.redis_source import RedisSource
from tests.waiting import PATIENCE_SECONDS

NOWHERE = "unix:///nowhere/redis.sock"


def recorded(url: str, now: float | None = None, minutes: int = 5) -> Recorded:
    """What the doctor reads back."""
    source = RedisSource(url, Deadline(10))
    try:
        return read_recorded(source, int((time.time() if now is None else now) * 1000), minutes)
    finally:
        source.close()


def wait_for(condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """The first true value of a condition; fails the test when there is none in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


def run_python(code: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code in a Python process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


class Restartable:
    """A server on one address that can be stopped, started again with its data, frozen and killed."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        self.folder = folder
        self.url = f"unix://{folder}/redis.sock"
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        listen = ["--port", "0", "--unixsocket", str(self.folder / "redis.sock"), "--dir", str(self.folder)]
        self._process = subprocess.Popen(
            [str(embedded_server_program()), *listen, "--save", "", *self._arguments], stdout=subprocess.DEVNULL
        )
        wait_for(self._answers)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process
        self._process.send_signal(number)

    def stop(self) -> None:
        """End it, as a restart does."""
        if self._process:
            self._process.terminate()
            self._process.wait(PATIENCE_SECONDS)

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False


@contextlib.contextmanager
def restartable(*arguments: str) -> Iterator[Restartable]:
    """A started server with its data on disk; gone afterwards."""
    import shutil

    folder = private_folder()
    server = Restartable(folder, arguments)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
