"""The service in a server of our own, which keeps hostile callers out."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from blueplane_doctor import __version__
from blueplane_doctor.errors import DoctorError
from blueplane_doctor.http_server import server
from blueplane_doctor.http_server.guard import Access, SpecialPaths
from blueplane_doctor.http_server.listening import ListenAddress
from blueplane_doctor.http_server.problems import problem
from blueplane_doctor.model import Status
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.routes import make_router, unanswered

_ABOUT = "The health of a Blueplane telemetry pipeline, from memory: asking often costs the pipeline nothing."
_PROBES = ("/healthz", "/readyz")
PATHS = SpecialPaths(
    open=_PROBES,  # probes cannot log in, and these two say nothing of the pipeline
    unlimited=(*_PROBES, "/health"),  # whoever is asked too often must not be taken for dead; these are in memory
    linked=("/",),
)


def serve(
    service: HealthService,
    unhealthy_at: Status,
    address: ListenAddress,
    access: Access,
    say: Callable[[str], None],
    beside: Callable[[str], AbstractContextManager[None]],
) -> None:
    """Serve until a signal asks for the end, as http_server.server says; 503 from `unhealthy_at` on."""
    application = server.Application(_create_app(service, unhealthy_at), PATHS, service.end_streams)
    server.serve(application, address, access, say, beside)


def _create_app(service: HealthService, unhealthy_at: Status) -> FastAPI:
    app = FastAPI(
        title="blueplane-doctor",
        version=__version__,
        description=_ABOUT,
        docs_url=None,  # its page loads scripts from the network
        redoc_url=None,
    )
    app.include_router(make_router(service, unhealthy_at))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DoctorError, _unanswered)
    return app


async def _invalid(request: Request, error: Any) -> Response:
    """Which parameter is wrong and how; not what was sent."""
    first = error.errors()[0]
    where = " ".join(map(str, first["loc"]))
    return problem(422, f"{where}: {first['msg']}", "see /openapi.json")


async def _unanswered(request: Request, error: Any) -> Response:
    """Of a page that cannot be drawn now."""
    return unanswered(error)
