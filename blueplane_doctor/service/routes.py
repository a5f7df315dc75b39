"""The router: every endpoint, and which shape it shows."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from blueplane_doctor.errors import DoctorError, SourceError
from blueplane_doctor.model import Status
from blueplane_doctor.service import live, lookup_sources, metrics, schemas, shapes
from blueplane_doctor.service.answers import Answerer, Plain, dumped, given, render
from blueplane_doctor.service.guard import Hot
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.lookups import Busy, Looked, Lookups, Slow, Terms
from blueplane_doctor.service.recalled import Recalled
from blueplane_doctor.service.snapshot import Part

ROOT = "/api/v1/health"
TRACE = f"{ROOT}/trace/"
HISTORY_TERMS = Terms(fresh=15.0, served=900.0)
"""The history gains a value a minute, and what is past stays true while Redis is away."""
TRACE_TERMS = Terms(fresh=1.0, served=5.0)
_SHAPES: dict[str, tuple[Callable[..., shapes.Shape], type[schemas.Answer], str]] = {
    ROOT: (shapes.overall, schemas.Overall, "The worst of all, and each area's status."),
    f"{ROOT}/queue": (shapes.queue, schemas.Queue, "The queue's metrics."),
    f"{ROOT}/database": (shapes.database, schemas.Database, "The database's metrics."),
    f"{ROOT}/capture": (shapes.capture, schemas.Capture, "The metrics of what comes in from the editors."),
    f"{ROOT}/chain": (shapes.chain, schemas.Chain, "The chain of custody."),
    f"{ROOT}/findings": (shapes.findings, schemas.Findings, "Every finding, worst first."),
    "/health": (shapes.brief, schemas.Brief, "Health in one word."),
}


def make_router(
    service: HealthService, *, unhealthy_at: Status = Status.RED, recalled: Recalled | None = None
) -> APIRouter:
    """All endpoints over one service, which starts and stops with the application.

    Look-ups are put into `recalled`, for a server that looks there first.
    """

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
    _add_lookups(router, service, lookups, recalled or Recalled())
    _add_probes(router, service)
    metrics.add(router, service)
    live.add(router, service)
    return router


def _endpoint(service: HealthService, answerer: Answerer, shape: Callable[..., shapes.Shape]) -> Callable[..., Any]:
    async def endpoint(request: Request) -> Response:
        return _response(answerer.answer(request.headers.get("if-none-match"), service.current(), shape))

    return endpoint


def hot(service: HealthService, unhealthy_at: Status, recalled: Recalled) -> Hot:
    """The answers from memory, for a server that gives them without the framework's detours."""
    answerer = Answerer(unhealthy_at)

    def answer(path: str, query: bytes, if_none_match: str | None) -> Plain | None:
        if path in _SHAPES:
            return answerer.answer(if_none_match, service.current(), _SHAPES[path][0])
        if path.startswith(TRACE) and (away := _outage(service)):
            return _problem(503, away.message, away.hint, retry=1)
        known = recalled.get((path, query))
        return given(known, if_none_match) if known else None

    return answer


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


def _add_lookups(router: APIRouter, service: HealthService, lookups: Lookups, recalled: Recalled) -> None:
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
                HISTORY_TERMS,
                away=_outage(service) if service.settings.history_url is None else None,
            )

        return await _looked_up(request, read, HISTORY_TERMS, recalled)

    @router.get(
        TRACE + "{id}",
        summary="One message followed hop by hop, by event_id, stream ID or Claude uuid.",
        operation_id="api_v1_health_trace",
        responses={200: {"model": schemas.TraceAnswer}, **problems},
        response_class=JSONResponse,
    )
    async def trace(
        request: Request, id: Annotated[str, Path(min_length=1, max_length=200, examples=["1795358119306-0"])]
    ) -> Response:
        async def read() -> Looked:
            _refuse_in_an_outage(service)  # what Redis said a moment ago must not outlive it
            return await lookups.get(("trace", id), read_now, TRACE_TERMS)

        def read_now() -> dict[str, Any]:
            _refuse_in_an_outage(service)  # it may have begun while others were waited for
            return lookup_sources.read_trace(service.settings, id)

        return await _looked_up(request, read, TRACE_TERMS, recalled)


_SPAN = r"^[0-9]{1,9}(\.[0-9]{1,3})?[smhd]$"


def _outage(service: HealthService) -> SourceError | None:
    """The error for whoever asks Redis while it is known not to answer: nobody is to wait for it."""
    snapshot = service.current()
    if snapshot.report.metrics.get("queue") is None and service.refreshes["custody"]:
        return SourceError(snapshot.cause("queue") or "Redis cannot be reached", "ask again when it is back")
    return None


def _refuse_in_an_outage(service: HealthService) -> None:
    if away := _outage(service):
        raise away


async def _looked_up(request: Request, read: Callable[[], Any], terms: Terms, recalled: Recalled) -> Response:
    try:
        looked = await read()
        value = looked.unwrap()
    except Busy:
        return _response(_problem(429, "too many look-ups at the same time", "ask again in a moment", retry=1))
    except Slow:
        return _response(_problem(503, "it is still being looked up", "ask again in a moment", retry=1))
    except lookup_sources.CannotAsk as error:
        return _response(_problem(422, error.message, error.hint))
    except lookup_sources.NotThere as error:
        return _response(_problem(404, error.message, error.hint))
    except DoctorError as error:
        return _response(_problem(503, error.message, error.hint, retry=1))
    answer = render(value, 200, Part(looked.at, looked.at + terms.served))
    recalled.keep((request.scope["path"], request.scope["query_string"]), answer)
    return _response(given(answer, request.headers.get("if-none-match")))


def _response(plain: Plain) -> Response:
    return Response(plain.body, plain.code, plain.headers)


def _problem(code: int, error: str, hint: str, *, retry: int = 0) -> Plain:
    headers = {"Cache-Control": "no-store", "Content-Type": "application/json"}
    headers |= {"Retry-After": str(retry)} if retry else {}
    return Plain(code, headers, dumped({"error": error, "hint": hint}))


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
