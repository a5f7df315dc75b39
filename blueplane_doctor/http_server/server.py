"""The server: an application behind the guard, in a process that is prepared for it."""

import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from blueplane_doctor.http_server.complaints import Complaints, bounded, watch_loop
from blueplane_doctor.http_server.connections import Door, Protocol, limits_now
from blueplane_doctor.http_server.guard import MOST_HEADER_BYTES, Access, Guard, SpecialPaths
from blueplane_doctor.http_server.listening import ListenAddress, bound, url_of

_SWITCH_SECONDS = 0.0005
"""For which another thread may keep an answer waiting; Python's default is ten times that."""
_SHUTDOWN_SECONDS = 3
"""For which connections are waited for at the end."""
_M_ARENA_MAX = -8
"""Of mallopt(3), in glibc's malloc.h."""


class Application(NamedTuple):
    """What is served."""

    app: ASGIApp
    paths: SpecialPaths
    end_streams: Callable[[], None]
    """Lets answers without an end end; called before the server waits for connections to end."""


def serve(
    application: Application,
    address: ListenAddress,
    access: Access,
    say: Callable[[str], None],
    beside: Callable[[str], contextlib.AbstractContextManager[None]],
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP. Raises UsageError when it cannot listen there.

    `beside` is given the URL at which the server can be asked, and runs as long as it listens.
    """
    stopping = _Stopping()
    complain = Complaints()
    # Signals are taken before anything is bound: one that ended the process later would leave a unix socket behind.
    with (
        _process_for_serving(stopping),
        bounded(complain),
        bound(address) as listener,
        beside(url_of(listener)),
    ):
        config = uvicorn.Config(
            Guard(application.app, access, application.paths),
            log_config=None,
            log_level="critical",
            access_log=False,  # paths of requests may hold IDs
            server_header=False,
            proxy_headers=False,  # a header could name any peer; rates and limits are counted by the socket's
            ws="none",
            http=Protocol,
            loop="asyncio",
            lifespan="on",
            h11_max_incomplete_event_size=MOST_HEADER_BYTES,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
        server = _Server(config, application, listener, stopping, complain)
        server.announce = lambda: say(f"blueplane-doctor: listening on {url_of(listener)}")
        server.run([])


class _Stopping:
    """Whether a signal has asked for the end. It may come before the server is there."""

    def __init__(self) -> None:
        self.requested = False

    def __call__(self, *_: object) -> None:
        self.requested = True


@contextlib.contextmanager
def _process_for_serving(stopping: _Stopping) -> Iterator[None]:
    """Threads take turns quickly, and signals end the service in good order."""
    _share_memory()
    interval = sys.getswitchinterval()
    handlers = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
            handlers[number] = signal.signal(number, stopping)
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _share_memory() -> None:
    """Let all threads take memory from one arena. glibc gives each one of its own, and none of them gives it back.

    One thread computes at a time here, so that they do not wait for each other.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


class _Server(uvicorn.Server):
    """Accepts through a door of our own."""

    announce: Callable[[], None]

    def __init__(
        self,
        config: uvicorn.Config,
        application: Application,
        listener: socket.socket,
        stopping: _Stopping,
        complain: Complaints,
    ) -> None:
        super().__init__(config)
        self._application = application
        self._stopping = stopping
        self._complain = complain
        self._door = Door(listener, self._new_protocol, limits_now(), complain)

    def _new_protocol(self, peer: str, on_end: Callable[[Protocol], None]) -> Protocol:
        return Protocol(self.config, self.server_state, self.lifespan.state, peer, on_end)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are taken already; uvicorn would raise them once more when it has ended."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        watch_loop(self._complain)
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # what was imported stays: looking through it again only keeps answers waiting
        self._door.open()
        self.announce()
        _notify("READY=1")

    async def on_tick(self, counter: int) -> bool:
        self.should_exit = self.should_exit or self._stopping.requested
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        _notify("STOPPING=1")
        self._door.close()
        self._application.end_streams()
        await super().shutdown(sockets)


def _notify(state: str) -> None:
    """Tell systemd, as sd_notify does."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address[0] == "@":  # a name without a file, which Linux writes with a NUL
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
        link.setblocking(False)  # a manager that hangs must not keep the service from answering
        link.connect(address)
        link.send(state.encode())
