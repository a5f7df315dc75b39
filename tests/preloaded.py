"""The command as a process of its own, without what its start costs: a process that has imported it forks for each run.

    subprocess.run([*preloaded_doctor(), "--format", "json"])

Most of the processor time of a short run is the import of its modules. Here one process for each worker of the tests
imports them once, and a run is a fork of it: with its own streams, environment, working folder, process id and exit
code. What a start itself does, and how a run takes signals, is for tests that start the real command.
"""

import atexit
import contextlib
import functools
import gc
import marshal
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, NamedTuple

import blueplane_doctor.__main__
from blueplane_doctor.__main__ import main, start_light

_CLIENT = Path(__file__).with_name("preloaded_client.py")
_REPOSITORY = Path(__file__).parents[1]
_STREAMS = 3
LENGTH_BYTES = 8
"""Of the number that a request begins with: the length of what follows."""
_STARTING = ("PYTHON", "LC_", "LANG", "TZ")
"""Beginnings of the variables that Python reads when it starts: with others than ours, the real command is started."""
_PACKAGES = ("checks", "commands", "lookup", "monitoring", "repair", "reports", "repair.targets", "sources")
_HEAVY = ("serve", "demo", "instrument")
"""Commands that are not run this way: they import half of the world."""


class Request(NamedTuple):
    """One run, as the client asks for it."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str
    streams: list[int]
    """Descriptors of standard input, output and error."""


class Preloaded:
    """Listens for clients; each is answered with how its run ended, and a client that goes away ends its run."""

    def __init__(self, path: str) -> None:
        """`path`: of the unix socket to listen on."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(64)
        self._runs: dict[int, socket.socket] = {}
        """Of each run's process id the connection of its client."""
        self._selector = selectors.DefaultSelector()
        self._ended, writing = os.pipe()
        for descriptor in (self._ended, writing):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _nothing)  # without a handler nothing is written to the pipe
        for waited_for in (self._listener, self._ended, sys.stdin):
            self._selector.register(waited_for, selectors.EVENT_READ)

    def next_run(self) -> Request:
        """Serve; returns in the process of a run, which this has to become."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is sys.stdin:  # whoever started us is gone
                    self._end()
                elif key.fileobj is self._listener:
                    request = self._begin()
                    if request is not None:
                        return request
                elif key.fileobj == self._ended:
                    self._reap()
                else:
                    os.kill(key.data, signal.SIGKILL)
                    self._selector.unregister(key.fileobj)

    def _begin(self) -> Request | None:
        """Fork for a new client; the request is given in the new process alone."""
        client, _ = self._listener.accept()
        request = _received(client)
        if request is None:
            client.close()
            return None
        pid = os.fork()
        if pid == 0:
            self._forget()
            client.close()
            return request
        for stream in request.streams:
            os.close(stream)
        self._runs[pid] = client
        self._selector.register(client, selectors.EVENT_READ, pid)
        return None

    def _reap(self) -> None:
        """Tell the clients of ended runs how these ended."""
        os.read(self._ended, 4096)
        while self._runs:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            client = self._runs.pop(pid)
            if client in self._selector.get_map():
                self._selector.unregister(client)
            with contextlib.suppress(OSError):  # it is gone
                client.sendall(b"%d" % os.waitstatus_to_exitcode(status))
            client.close()

    def _forget(self) -> None:
        """In a run's process: nothing of this is left open."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        self._listener.close()
        for client in self._runs.values():
            client.close()

    def _end(self) -> None:
        for pid in self._runs:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(Path(self._listener.getsockname()).parent)
        os._exit(0)


def _nothing(*_: object) -> None:
    """A signal handler."""


def _received(client: socket.socket) -> Request | None:
    """The client's request; None from one that went away."""
    head, streams, _, _ = socket.recv_fds(client, LENGTH_BYTES, _STREAMS)
    with client.makefile("rb") as rest:
        content = rest.read(int.from_bytes(head))
    if len(streams) < _STREAMS or not content:
        return None
    return Request(*marshal.loads(content), list(streams))


def become(request: Request) -> None:
    """Make this the process of that run, with the program about to begin."""
    os.chdir(request.folder)
    for descriptor, stream in enumerate(request.streams):
        os.dup2(stream, descriptor)
        os.close(stream)
    ours = _read_at_the_start(os.environ)
    os.environ.clear()
    os.environ.update(request.environment)
    if _read_at_the_start(os.environ) != ours:
        os.execv(sys.executable, [sys.executable, "-m", "blueplane_doctor", *request.arguments])
    sys.argv[:] = [blueplane_doctor.__main__.__file__, *request.arguments]


def _read_at_the_start(environment: Any) -> dict[str, str]:
    """Those of the variables that count when Python starts, but for where it finds our modules."""
    counting = {name: value for name, value in environment.items() if name.startswith(_STARTING)}
    counting.pop("PYTHONPATH", None)
    return counting


def preload() -> None:
    """Import what runs of the command import; nothing of it may start a thread or read the environment."""
    start_light()
    import_module("blueplane_doctor.cli")
    for name in _PACKAGES:
        package = import_module(f"blueplane_doctor.{name}")
        for module in iter_modules(package.__path__):
            if module.name not in _HEAVY:
                import_module(f"{package.__name__}.{module.name}")


def preloaded_doctor() -> Sequence[str]:
    """What to start in place of the command."""
    return [sys.executable, "-I", "-S", str(_CLIENT), _listening().path]


def session_of_runs() -> int:
    """The session that all runs belong to: what is left in it beside its leader was left by a run."""
    return _listening().process.pid


class _Listening(NamedTuple):
    path: str
    process: "subprocess.Popen[bytes]"


@functools.cache
def _listening() -> _Listening:
    """A preloaded process, which ends with this one."""
    path = f"{tempfile.mkdtemp(prefix='bp')}/preloaded.sock"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.preloaded", path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # a pipe as well: what Python found out of its streams holds for those of the runs
        cwd=_REPOSITORY,
        start_new_session=True,
    )
    assert process.stdout is not None
    atexit.register(process.communicate)
    assert process.stdout.readline() == b"ready\n"
    return _Listening(path, process)


def _main() -> None:
    preload()
    preloaded = Preloaded(sys.argv[1])
    gc.freeze()  # what is here stays, and its pages are not copied by a run that looks for garbage
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    become(preloaded.next_run())
    try:
        main()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code)  # the interpreter's own end takes each object down, which costs as much as the run


if __name__ == "__main__":
    _main()
