"""A server of our own: the router behind the guard, on a socket bound before anything starts."""

import contextlib
import errno
import gc
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from blueplane_doctor import __version__
from blueplane_doctor.errors import UsageError
from blueplane_doctor.model import Status
from blueplane_doctor.service.answers import problem
from blueplane_doctor.service.guard import MOST_HEADER_BYTES, Guard, is_loopback
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.routes import make_router

MOST_CONNECTIONS = 512
SWITCH_SECONDS = 0.0005
"""For which a thread that reads the stream may keep an answer waiting; Python's default is ten times that."""
GOODBYE_SECONDS = 3
ABOUT = "The health of a Blueplane telemetry pipeline, from memory: asking often costs the pipeline nothing."


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


@dataclass(frozen=True)
class Options:
    """How a server of our own behaves."""

    unhealthy_at: Status
    """The colour from which on answers are 503."""
    token: str | None
    host_names: Sequence[str]
    """Names that the Host header may hold beside localhost and addresses."""
    requests_per_second: float


def serve(service: HealthService, place: Place, options: Options, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. Raises UsageError when it cannot listen there."""
    with _bound(place) as listener:
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
        with _process_for_serving():
            _Server(config, service, lambda: say(f"blueplane-doctor: listening on {_url(listener)}")).run([listener])


def create_app(service: HealthService, options: Options) -> Guard:
    """The ASGI application."""
    app = FastAPI(
        title="blueplane-doctor",
        version=__version__,
        description=ABOUT,
        docs_url=None,  # its page loads scripts from the network
        redoc_url=None,
    )
    app.include_router(make_router(service, options.unhealthy_at))
    app.add_exception_handler(RequestValidationError, _invalid)
    return Guard(
        app,
        host_names=options.host_names,
        token=options.token,
        requests_per_second=options.requests_per_second,
    )


async def _invalid(request: Request, error: Any) -> Response:
    """Which parameter is wrong and how; not what was sent."""
    first = error.errors()[0]
    where = " ".join(map(str, first["loc"]))
    return problem(422, f"{where}: {first['msg']}", "see /openapi.json")


@contextlib.contextmanager
def _process_for_serving() -> Iterator[None]:
    """Threads take turns quickly, and signals that uvicorn raises again once it has ended change nothing."""
    interval = sys.getswitchinterval()
    handlers = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        for number, handler in handlers.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """Says when it listens; ends the live pages' streams before it waits for connections to end."""

    def __init__(self, config: uvicorn.Config, service: HealthService, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._service = service
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # what was imported stays: looking through it again only keeps answers waiting
        self._started()
        _notify("READY=1")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        _notify("STOPPING=1")
        self._service.end_streams()
        await super().shutdown(sockets)


def _notify(state: str) -> None:
    """Tell systemd, as sd_notify does."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    address = "\0" + address[1:] if address[0] == "@" else address
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
        link.connect(address)
        link.sendall(state.encode())


@contextlib.contextmanager
def _bound(place: Place) -> Iterator[socket.socket]:
    try:
        listener = _listening(place)
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


def _listening(place: Place) -> socket.socket:
    """A left-over unix socket of a dead server is replaced, nothing else."""
    if place.uds:
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISSOCK(place.uds.stat().st_mode) and not _answers(place.uds):
                place.uds.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    else:
        family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        # asyncio sends small writes at once only on sockets that name TCP; otherwise answers wait 40 ms for an ACK.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    mask = os.umask(0o177)  # a unix socket is for this user alone
    try:
        listener.bind(str(place.uds) if place.uds else (place.host, place.port))
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


def _url(listener: socket.socket) -> str:
    name = listener.getsockname()
    if isinstance(name, str):
        return f"unix:{name}"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"http://{host}:{name[1]}"
