"""A server of our own: uvicorn on a socket that is bound before anything starts, and ended in good order."""

import contextlib
import errno
import gc
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blueplane_doctor.errors import UsageError
from blueplane_doctor.service.app import Options, create_app
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.limits import MOST_CONNECTIONS, MOST_HEADER_BYTES
from blueplane_doctor.service.notify import notify
from blueplane_doctor.service.security import is_loopback

if TYPE_CHECKING:
    import uvicorn

SWITCH_SECONDS = 0.0005
"""How long a thread that reads the stream may keep an answer waiting at a time (Python's default is ten times that)."""
GOODBYE_SECONDS = 3


@dataclass(frozen=True)
class Place:
    """Where to listen: an address, or a unix socket."""

    host: str = "127.0.0.1"
    port: int = 8788
    uds: Path | None = None

    def check(self, token: str | None) -> None:
        """Raises UsageError for an address that others can reach without a token."""
        if self.uds is None and token is None and not is_loopback(self.host):
            raise UsageError(
                f"--host {self.host}: others could ask without a password",
                "give --token-file FILE, or listen on 127.0.0.1 behind a proxy of yours",
            )


def serve(service: HealthService, place: Place, options: Options, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. Raises UsageError when it cannot listen there."""
    import uvicorn

    place.check(options.token)
    with bound(place) as listener:
        config = uvicorn.Config(
            create_app(service, options),
            log_level="critical",
            access_log=False,  # paths of requests may hold IDs
            server_header=False,
            proxy_headers=False,
            ws="none",
            http="h11",
            loop="asyncio",
            lifespan="on",
            limit_concurrency=MOST_CONNECTIONS,
            h11_max_incomplete_event_size=MOST_HEADER_BYTES,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=GOODBYE_SECONDS,
        )
        server = _server(config, service, lambda: say(f"blueplane-doctor: listening on {address(listener)}"))
        with _process_for_serving():
            server.run([listener])


@contextlib.contextmanager
def _process_for_serving() -> Iterator[None]:
    """Threads that take turns quickly; and signals that uvicorn raises again once it has ended change nothing."""
    interval = sys.getswitchinterval()
    handlers = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _server(config: "uvicorn.Config", service: HealthService, started: Callable[[], None]) -> "uvicorn.Server":
    import uvicorn

    class Server(uvicorn.Server):
        """Says when it listens, and ends the live pages' streams before it waits for connections to end."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            gc.collect()
            gc.freeze()  # what was imported stays: looking through it again and again only keeps answers waiting
            started()
            notify("READY=1")

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            notify("STOPPING=1")
            service.end_streams()
            await super().shutdown(sockets)

    return Server(config)


@contextlib.contextmanager
def bound(place: Place) -> Iterator[socket.socket]:
    """A listening socket. Raises UsageError."""
    try:
        listener = _unix(place.uds) if place.uds else _tcp(place)
    except OSError as error:
        where = f"--uds {place.uds}" if place.uds else f"{place.host}:{place.port}"
        hint = "another program listens there: choose another --port" if error.errno == errno.EADDRINUSE else ""
        raise UsageError(f"cannot listen on {where}: {error.strerror or error}", hint) from None
    try:
        yield listener
    finally:
        listener.close()
        if place.uds:
            place.uds.unlink(missing_ok=True)


def _tcp(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    # asyncio sends small writes at once only on sockets that name TCP; otherwise answers wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((place.host, place.port))
        listener.listen(1024)
    except BaseException:
        listener.close()
        raise
    return listener


def _unix(path: Path) -> socket.socket:
    """A socket that only this user may use; a left-over one of a dead server is replaced, nothing else."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
            path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
        listener.listen(1024)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0


def address(listener: socket.socket) -> str:
    """Where it listens, as a URL."""
    name = listener.getsockname()
    if isinstance(name, str):
        return f"unix:{name}"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"http://{host}:{name[1]}"
