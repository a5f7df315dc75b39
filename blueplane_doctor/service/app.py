"""The application of a server of our own: the router behind the guard."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from blueplane_doctor import __version__
from blueplane_doctor.model import Status
from blueplane_doctor.service.guard import Guard
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.limits import Rate
from blueplane_doctor.service.security import HostCheck, TokenCheck

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

    from blueplane_doctor.service.recalled import Recalled

MOST_REQUESTS_PER_SECOND = 1_000.0
ABOUT = "The health of a Blueplane telemetry pipeline, from memory: asking often costs the pipeline nothing."


@dataclass(frozen=True)
class Options:
    """How a server of our own behaves."""

    unhealthy_at: Status = Status.RED
    """The colour from which on answers are 503."""
    token: str | None = None
    host_names: Sequence[str] = field(default_factory=tuple)
    """Names that the Host header may hold beside localhost and addresses."""
    requests_per_second: float = MOST_REQUESTS_PER_SECOND


def create_app(service: HealthService, options: Options | None = None) -> Guard:
    """An ASGI application."""
    from blueplane_doctor.service.recalled import Recalled
    from blueplane_doctor.service.routes import hot

    options, recalled = options or Options(), Recalled()
    return Guard(
        make_application(service, options, recalled),
        hosts=HostCheck(options.host_names),
        token=TokenCheck(options.token),
        rate=Rate(options.requests_per_second),
        hot=hot(service, options.unhealthy_at, recalled),
    )


def make_application(service: HealthService, options: Options, recalled: "Recalled") -> "FastAPI":
    """The FastAPI application without its guard."""
    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError

    from blueplane_doctor.service.routes import make_router

    app = FastAPI(
        title="blueplane-doctor",
        version=__version__,
        description=ABOUT,
        docs_url=None,  # its page loads scripts from the network
        redoc_url=None,
    )
    app.include_router(make_router(service, unhealthy_at=options.unhealthy_at, recalled=recalled))
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


async def _invalid(request: "Request", error: Exception) -> "Response":
    """Which parameter is wrong and how; not what was sent."""
    from fastapi import Response

    from blueplane_doctor.service.answers import dumped

    problems: list[dict[str, Any]] = list(getattr(error, "errors", list)())
    first = problems[0] if problems else {"loc": ("query",), "msg": "invalid"}
    where = " ".join(str(part) for part in first["loc"])
    return Response(
        dumped({"error": f"{where}: {first['msg']}", "hint": "see /openapi.json"}), 422, None, "application/json"
    )
