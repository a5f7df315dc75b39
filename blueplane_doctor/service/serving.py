"""A server of our own: the router behind the guard, in a process that is prepared for it."""

import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from blueplane_doctor import __version__
from blueplane_doctor.model import Status
from blueplane_doctor.service.answers import problem
from blueplane_doctor.service.guard import MOST_HEADER_BYTES, Guard
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.listening import ListenAddress, bound, url_of
from blueplane_doctor.service.routes import make_router

MOST_CONNECTIONS = 512
SWITCH_SECONDS = 0.0005
"""For which a thread that reads the stream may keep an answer waiting; Python's default is ten times that."""
SHUTDOWN_SECONDS = 3
"""For which connections are waited for at the end."""
ABOUT = "The health of a Blueplane telemetry pipeline, from memory: asking often costs the pipeline nothing."


@dataclass(frozen=True)
class ServeOptions:
    """How a server of our own behaves."""

    unhealthy_at: Status
    """The colour from which on answers are 503."""
    token: str | None
    host_names: Sequence[str]
    """Names that the Host header may hold beside localhost and addresses."""
    requests_per_second: float


def serve(service: HealthService, address: ListenAddress, options: ServeOptions, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. Raises UsageError when it cannot listen there."""
    with bound(address) as listener:
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
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        with _process_for_serving():
            _Server(config, service, lambda: say(f"blueplane-doctor: listening on {url_of(listener)}")).run([listener])


def create_app(service: HealthService, options: ServeOptions) -> Guard:
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
    handlers = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        handlers[number] = signal.signal(number, lambda *_: None)
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
