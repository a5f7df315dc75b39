"""The router: every endpoint, and which shape it shows."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from blueplane_doctor.errors import DoctorError, SourceError
from blueplane_doctor.model import Status
from blueplane_doctor.service import live, lookup_sources, metrics, schemas, shapes
from blueplane_doctor.service.answers import Answerer, Plain, dumped, etag_of, same
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.lookups import Busy, Looked, Lookups
from blueplane_doctor.service.snapshot import Part, moment

ROOT = "/api/v1/health"
HISTORY_FRESH_SECONDS, HISTORY_SERVED_SECONDS = 15.0, 900.0
"""The history gains a value a minute, and what is past stays true while Redis is away."""
TRACE_FRESH_SECONDS, TRACE_SERVED_SECONDS = 1.0, 5.0
_SHAPES: dict[str, tuple[Callable[..., shapes.Shape], type[schemas.Answer], str]] = {
    ROOT: (shapes.overall, schemas.Overall, "The worst of all, and each area's status."),
    f"{ROOT}/queue": (shapes.queue, schemas.Queue, "The queue's metrics."),
    f"{ROOT}/database": (shapes.database, schemas.Database, "The database's metrics."),
    f"{ROOT}/capture": (shapes.capture, schemas.Capture, "The metrics of what comes in from the editors."),
    f"{ROOT}/chain": (shapes.chain, schemas.Chain, "The chain of custody."),
    f"{ROOT}/findings": (shapes.findings, schemas.Findings, "Every finding, worst first."),
    "/health": (shapes.brief, schemas.Brief, "Health in one word."),
}


def make_router(service: HealthService, *, unhealthy_at: Status = Status.RED) -> APIRouter:
    """All endpoints over one service, which starts and stops with the application."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            lookups.close()
            service.stop()

    lookups, answerer = Lookups(), Answerer(unhealthy_at)
    router = APIRouter(lifespan=lifespan)
    for path, (shape, model, summary) in _SHAPES.items():
        router.add_api_route(path, _endpoint(service, answerer, shape), **_described(path, model, summary))
    _add_lookups(router, service, lookups)
    _add_probes(router, service)
    metrics.add(router, service)
    live.add(router, service)
    return router


def _endpoint(service: HealthService, answerer: Answerer, shape: Callable[..., shapes.Shape]) -> Callable[..., Any]:
    async def endpoint(request: Request) -> Response:
        plain = answerer.answer(request.headers.get("if-none-match"), service.current(), shape)
        return Response(plain.body, plain.code, plain.headers)

    return endpoint


def hot_paths(service: HealthService, unhealthy_at: Status) -> dict[str, Callable[[str | None], Plain]]:
    """The answers from memory by their path, for a server that gives them without the framework's detours."""
    answerer = Answerer(unhealthy_at)

    def hot(shape: Callable[..., shapes.Shape]) -> Callable[[str | None], Plain]:
        return lambda if_none_match: answerer.answer(if_none_match, service.current(), shape)

    return {path: hot(shape) for path, (shape, _, _) in _SHAPES.items()}


def _described(path: str, model: type[schemas.Answer], summary: str) -> dict[str, Any]:
    return {
        "methods": ["GET"],
        "summary": summary,
        "name": PurePosixPath(path).name,
        "operation_id": path.strip("/").replace("/", "_"),
        "response_class": JSONResponse,
        "responses": {
            200: {"model": model, "description": "Healthy (green, yellow or orange, as the service is set)"},
            304: {"description": "The caller has it already (If-None-Match)"},
            503: {"model": model, "description": "Unhealthy: red, or not known"},
        },
    }


def _add_lookups(router: APIRouter, service: HealthService, lookups: Lookups) -> None:
    problems: dict[int | str, dict[str, Any]] = {
        304: {"description": "The caller has it already (If-None-Match)"},
        404: {"model": schemas.Problem},
        422: {"model": schemas.Problem},
        429: {"model": schemas.Problem},
        503: {"model": schemas.Problem},
    }

    @router.get(
        f"{ROOT}/history",
        summary="One recorded metric's steps.",
        operation_id="api_v1_health_history",
        responses={200: {"model": schemas.History}, **problems},
        response_class=JSONResponse,
    )
    async def history(
        request: Request,
        metric: Annotated[str, Query(min_length=1, max_length=200, examples=["queue.queue_depth"])],
        since: Annotated[str, Query(max_length=16, pattern=_SPAN, examples=["24h"])] = "24h",
        step: Annotated[str, Query(max_length=16, pattern=_SPAN, examples=["5m"])] = "5m",
    ) -> Response:
        async def read() -> Looked:
            question = lookup_sources.HistoryQuestion.of(metric, since, step)
            return await lookups.get(
                question,
                lambda: lookup_sources.read_history(service.settings, question),
                fresh=HISTORY_FRESH_SECONDS,
                serve=HISTORY_SERVED_SECONDS,
            )

        return await _looked_up(request, read, HISTORY_SERVED_SECONDS)

    @router.get(
        f"{ROOT}/trace/{{id}}",
        summary="One message followed hop by hop, by event_id, stream ID or Claude uuid.",
        operation_id="api_v1_health_trace",
        responses={200: {"model": schemas.TraceAnswer}, **problems},
        response_class=JSONResponse,
    )
    async def trace(
        request: Request, id: Annotated[str, Path(min_length=1, max_length=200, examples=["1795358119306-0"])]
    ) -> Response:
        async def read() -> Looked:
            _refuse_in_an_outage(service)
            return await lookups.get(
                ("trace", id),
                lambda: lookup_sources.read_trace(service.settings, id),
                fresh=TRACE_FRESH_SECONDS,
                serve=TRACE_SERVED_SECONDS,
            )

        return await _looked_up(request, read, TRACE_SERVED_SECONDS)


_SPAN = r"^[0-9]{1,9}(\.[0-9]{1,3})?[smhd]$"


def _refuse_in_an_outage(service: HealthService) -> None:
    """What Redis said a moment ago must not outlive it, and nobody is to wait for one that is known not to answer."""
    snapshot = service.current()
    if snapshot.report.metrics.get("queue") is None and service.refreshes["custody"]:
        raise SourceError(snapshot.cause("queue") or "Redis cannot be reached", "ask again when it is back")


async def _looked_up(request: Request, read: Callable[[], Any], served: float) -> Response:
    try:
        looked = await read()
        value = looked.unwrap()
    except Busy:
        return _problem(429, "too many look-ups at the same time", "ask again in a moment", retry=1)
    except lookup_sources.CannotAsk as error:
        return _problem(422, error.message, error.hint)
    except lookup_sources.NotThere as error:
        return _problem(404, error.message, error.hint)
    except DoctorError as error:
        return _problem(503, error.message, error.hint, retry=1)
    part = Part(looked.at, looked.at + served)
    times = {"status": "healthy", "measured_at": moment(part.taken_at), "stale_after": moment(part.stale_after)}
    rest = dumped(times | value)
    headers = {"ETag": etag_of(rest), "Cache-Control": "no-cache"}
    if same(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(b'{"age_ms":%d,%s' % (part.age_ms(time.time()), rest[1:]), 200, headers, "application/json")


def _problem(code: int, error: str, hint: str, *, retry: int = 0) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": str(retry)} if retry else {})
    return Response(dumped({"error": error, "hint": hint}), code, headers, "application/json")


def _add_probes(router: APIRouter, service: HealthService) -> None:
    responses: dict[int | str, dict[str, Any]] = {200: {"model": schemas.Probe}, 503: {"model": schemas.Probe}}

    def probed(fine: bool) -> Response:
        body = dumped({"status": "ok" if fine else "not ready"})
        return Response(body, 200 if fine else 503, {"Cache-Control": "no-store"}, "application/json")

    @router.get("/healthz", summary="Whether this service lives.", operation_id="healthz", responses=responses)
    async def healthz() -> Response:
        return probed(service.running)

    @router.get("/readyz", summary="Whether it has examined the pipeline.", operation_id="readyz", responses=responses)
    async def readyz() -> Response:
        return probed(service.ready())
