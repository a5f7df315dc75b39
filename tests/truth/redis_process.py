"""A Redis-compatible server that a test owns: its folder stays, so that it can be stopped, killed and started again."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.waiting import PATIENCE_SECONDS

PORT_ATTEMPTS = 5
NOBODY = 1
"""A port that only root could open and no one does: a connection to it is refused at once."""

_GUARD = '"$@" >/dev/null 2>&1 </dev/null & child=$!; echo "$child"; cat >/dev/null; kill -9 "$child"; wait "$child"'
"""A shell that kills its child when standard input ends: also when the test process itself was killed."""


class RedisProcess:
    """A server on a free loopback port. It reads redis.conf in its folder, so that CONFIG REWRITE works."""

    def __init__(self, program: Path, folder: Path, options: Mapping[str, str]) -> None:
        self.program = program
        self.folder = folder
        self.port = 0
        self.pid = 0
        self._guard: subprocess.Popen[bytes] | None = None
        self.data.mkdir(parents=True)
        self._start_on_a_free_port(options)

    @property
    def url(self) -> str:
        """The URL that examines this server."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def data(self) -> Path:
        """The server's working folder, where it saves. A test that removes it makes saving fail."""
        return self.folder / "data"

    @property
    def config_file(self) -> Path:
        """The file that the server is started with, and that CONFIG REWRITE writes."""
        return self.folder / "redis.conf"

    def client(self, *, timeout: float = 10.0) -> Any:
        """A client that asks once: a refusal is an answer. Its type is loose, for redis-py's own is wrong for us."""
        return redis.Redis(
            port=self.port,
            decode_responses=True,
            encoding_errors="replace",
            socket_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
        )

    def _start_on_a_free_port(self, options: Mapping[str, str]) -> None:
        for attempt in range(1, PORT_ATTEMPTS + 1):
            self.port = free_port()
            self._write_config(options)
            try:
                self.start()
                return
            except RuntimeError:
                if attempt == PORT_ATTEMPTS:
                    raise

    def _write_config(self, options: Mapping[str, str]) -> None:
        settings = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.data),
            "save": "3600 1",  # keeps the queue through a restart, and never saves during a test
            "appendonly": "no",
            "repl-diskless-sync-delay": "0",
            "logfile": str(self.folder / "server.log"),
            **options,
        }
        lines = [f"{name} {value}\n" for name, value in settings.items()]
        self.config_file.write_text("".join(lines))

    def start(self) -> None:
        """Start the server with its configuration file. Raises RuntimeError if it does not answer."""
        self.launch()
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self.client(timeout=1) as client:
            while time.monotonic() < deadline:
                with contextlib.suppress(redis.RedisError):
                    # On a port that another program took first, that program would answer.
                    if client.info("server")["process_id"] == self.pid and client.ping():
                        return
                if not self._child_runs():
                    break
                time.sleep(0.005)
        self.kill()
        raise RuntimeError(f"{self.program.name} did not start: see {self.folder}/server.log")

    def launch(self) -> None:
        """Start the process and do not wait until it answers."""
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, "sh", str(self.program), str(self.config_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._guard.stdout is not None
        self.pid = int(self._guard.stdout.readline())

    def _child_runs(self) -> bool:
        try:
            os.kill(self.pid, 0)
            status = Path(f"/proc/{self.pid}/status").read_text()
        except ProcessLookupError:
            return False
        except OSError:
            return True  # no /proc here: the deadline decides
        return "\nState:\tZ" not in status

    def shut_down(self) -> None:
        """Stop in good order: the server saves what its settings say."""
        with self.client() as client, contextlib.suppress(redis.ConnectionError):
            client.shutdown()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._child_runs() and time.monotonic() < deadline:
            time.sleep(0.005)
        self.kill()

    def restart(self) -> None:
        """Stop in good order and start again on the same port."""
        self.shut_down()
        self.start()

    def kill(self) -> None:
        """End the process at once, as a crash does."""
        guard = self._guard
        if guard is None:
            return
        self._guard = None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        assert guard.stdin is not None and guard.stdout is not None
        guard.stdin.close()
        guard.wait()
        guard.stdout.close()


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def running_redis(program: Path, folder: Path, options: Mapping[str, str]) -> Iterator[RedisProcess]:
    """The server, ended on leaving."""
    process = RedisProcess(program, folder, options)
    try:
        yield process
    finally:
        process.kill()
