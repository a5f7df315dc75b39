"""The router: every endpoint of the service."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from blueplane_doctor.errors import DoctorError, SourceError
from blueplane_doctor.model import Status
from blueplane_doctor.service import bodies, live
from blueplane_doctor.service.answers import Part, Plain, Snapshot, dumped, given, problem, render
from blueplane_doctor.service.bodies import ENDPOINTS, ROOT, Body, Problem
from blueplane_doctor.service.guard import Hot
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.lookups import (
    HistoryQuestion,
    Looked,
    Lookups,
    Recalled,
    Terms,
    Unanswered,
    read_history,
    read_trace,
)
from blueplane_doctor.service.metrics import text

TRACE = f"{ROOT}/trace/"
HISTORY_TERMS = Terms(fresh=15.0, served=900.0)
"""The history gains a value a minute, and what is past stays true while Redis is away."""
TRACE_TERMS = Terms(fresh=1.0, served=5.0)
_SPAN = r"^[0-9]{1,9}(\.[0-9]{1,3})?[smhd]$"

Responses = dict[int | str, dict[str, Any]]
_NOT_MODIFIED: Responses = {304: {"description": "The caller has it already (If-None-Match)"}}


def make_router(
    service: HealthService, unhealthy_at: Status = Status.RED, recalled: Recalled | None = None
) -> APIRouter:
    """All endpoints over one service, which starts and stops with the application.

    Look-ups are put into `recalled`, where `hot` finds them.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            lookups.close()
            service.stop()

    lookups = Lookups()
    router = APIRouter(lifespan=lifespan)
    for path, (model, body) in ENDPOINTS.items():
        router.add_api_route(
            path,
            _endpoint(service, unhealthy_at, body),
            summary=model.__doc__,
            name=PurePosixPath(path).name,
            operation_id=path.strip("/").replace("/", "_"),
            response_class=JSONResponse,
            responses={
                200: {"model": model, "description": "Healthy (green, yellow or orange, as the service is set)"},
                503: {"model": model, "description": "Unhealthy: red, or not known"},
                **_NOT_MODIFIED,
            },
        )
    _add_lookups(router, service, lookups, recalled or Recalled())
    _add_probes(router, service)
    live.add(router, service)
    return router


def _endpoint(service: HealthService, unhealthy_at: Status, body: Callable[[Snapshot], Body]) -> Callable[..., Any]:
    async def endpoint(request: Request) -> Response:
        return response(_answer(service, unhealthy_at, body, request.headers.get("if-none-match")))

    return endpoint


def _answer(
    service: HealthService, unhealthy_at: Status, body: Callable[[Snapshot], Body], if_none_match: str | None
) -> Plain:
    snapshot = service.current()
    rendered = snapshot.rendered.get(body)
    if rendered is None:
        content, status, part = body(snapshot)
        fine = 0 <= status.severity < unhealthy_at.severity  # no verdict is no good news
        rendered = snapshot.rendered[body] = render(content, 200 if fine else 503, part)
    return given(rendered, if_none_match)


def hot(service: HealthService, unhealthy_at: Status, recalled: Recalled) -> Hot:
    """Answers from memory, without the framework's detours."""

    def answer(path: str, query: bytes, if_none_match: str | None) -> Plain | None:
        if path in ENDPOINTS:
            return _answer(service, unhealthy_at, ENDPOINTS[path][1], if_none_match)
        if path.startswith(TRACE) and (away := _outage(service)):
            return _told(away)
        known = recalled.get(path, query)
        return given(known, if_none_match) if known else None

    return answer


def _add_lookups(router: APIRouter, service: HealthService, lookups: Lookups, recalled: Recalled) -> None:
    problems: Responses = _NOT_MODIFIED | {code: {"model": Problem} for code in (404, 422, 429, 503)}

    async def answered(request: Request, looking: Awaitable[Looked]) -> Response:
        try:
            looked = await looking
            answer = render(looked.unwrap(), 200, Part(looked.at, looked.served_until))
        except DoctorError as error:
            return response(_told(error))
        recalled.keep(request.scope["path"], request.scope["query_string"], answer)
        return response(given(answer, request.headers.get("if-none-match")))

    @router.get(
        f"{ROOT}/history",
        summary="One recorded metric's steps.",
        operation_id="api_v1_health_history",
        responses={200: {"model": bodies.History}, **problems},
        response_class=JSONResponse,
    )
    async def history(
        request: Request,
        metric: Annotated[str, Query(min_length=1, max_length=200, examples=["queue.queue_depth"])],
        since: Annotated[str, Query(max_length=16, pattern=_SPAN, examples=["24h"])] = "24h",
        step: Annotated[str, Query(max_length=16, pattern=_SPAN, examples=["5m"])] = "5m",
    ) -> Response:
        async def looking() -> Looked:
            question = HistoryQuestion.of(metric, since, step)
            away = _outage(service) if service.settings.history_url is None else None
            return await lookups.get(
                question, lambda: read_history(service.settings, question), HISTORY_TERMS, away=away
            )

        return await answered(request, looking())

    @router.get(
        TRACE + "{id}",
        summary="One message followed hop by hop, by event_id, stream ID or Claude uuid.",
        operation_id="api_v1_health_trace",
        responses={200: {"model": bodies.TraceAnswer}, **problems},
        response_class=JSONResponse,
    )
    async def trace(
        request: Request, id: Annotated[str, Path(min_length=1, max_length=200, examples=["1795358119306-0"])]
    ) -> Response:
        async def looking() -> Looked:
            if away := _outage(service):  # what Redis said a moment ago must not outlive it
                raise away
            return await lookups.get(("trace", id), read, TRACE_TERMS)

        def read() -> dict[str, Any]:
            if away := _outage(service):  # it may have begun while others were waited for
                raise away
            return read_trace(service.settings, id)

        return await answered(request, looking())


def _outage(service: HealthService) -> SourceError | None:
    """While Redis is known not to answer, nobody is to wait for it."""
    snapshot = service.current()
    if snapshot.report.metrics.get("queue") is None and service.refreshes["custody"]:
        return SourceError(snapshot.cause("queue") or "Redis cannot be reached", "ask again when it is back")
    return None


def _told(error: DoctorError) -> Plain:
    code = error.code if isinstance(error, Unanswered) else 503
    return problem(code, error.message, error.hint, {"Retry-After": "1"} if code in (429, 503) else None)


def response(plain: Plain) -> Response:
    """The framework's."""
    return Response(plain.body, plain.code, plain.headers)


def _add_probes(router: APIRouter, service: HealthService) -> None:
    no_store = {"Cache-Control": "no-store"}
    responses: Responses = {200: {"model": bodies.Probe}, 503: {"model": bodies.Probe}}
    example = "blueplane_doctor_report_status 0.0\n"
    gauges: Responses = {200: {"description": "Gauges", "content": {"text/plain": {"example": example}}}}

    def probed(fine: bool) -> Response:
        body = dumped({"status": "ok" if fine else "not ready"})
        return Response(body, 200 if fine else 503, no_store, "application/json")

    @router.get("/healthz", summary="Whether this service lives.", operation_id="healthz", responses=responses)
    async def healthz() -> Response:
        return probed(service.running)

    @router.get("/readyz", summary="Whether it has examined the pipeline.", operation_id="readyz", responses=responses)
    async def readyz() -> Response:
        return probed(service.ready())

    @router.get(
        "/metrics",
        summary="All metrics in Prometheus' text format.",
        operation_id="metrics",
        responses=gauges,
        response_class=Response,
    )
    async def metrics() -> Response:
        """Always 200, whatever it has to say: a scrape that fails says nothing."""
        return Response(text(service), headers=no_store, media_type="text/plain; version=0.0.4; charset=utf-8")
