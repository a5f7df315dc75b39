"""The router: every endpoint of the service."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from blueplane_doctor.errors import DoctorError
from blueplane_doctor.http_server.lookups import Lookups, Unanswered
from blueplane_doctor.http_server.problems import problem, to_bytes
from blueplane_doctor.model import Status
from blueplane_doctor.service import bodies, live
from blueplane_doctor.service.answers import Rendered, render, respond
from blueplane_doctor.service.bodies import ENDPOINTS, ROOT, Body, Problem
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.metrics import to_prometheus
from blueplane_doctor.service.questions import HistoryQuestion, read_history, read_trace
from blueplane_doctor.service.snapshot import Freshness, Snapshot

_KEEP_HISTORY_SECONDS = 15.0
"""The history gains a value a minute."""
_KEEP_TRACE_SECONDS = 2.5
"""Shorter than a quick look holds: an answer of Redis must not be kept longer."""
_SPAN = r"^[0-9]{1,9}(\.[0-9]{1,3})?[smhd]$"

_Responses = dict[int | str, dict[str, Any]]
_NOT_MODIFIED: _Responses = {304: {"description": "The caller has it already (If-None-Match)"}}
_PROBLEMS: _Responses = _NOT_MODIFIED | {code: {"model": Problem} for code in (404, 422, 429, 503)}


def make_router(service: HealthService, unhealthy_at: Status = Status.RED) -> APIRouter:
    """All endpoints over one service, which starts and stops with the application."""
    lookups = Lookups()
    recent = live.Recent()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        following = asyncio.create_task(recent.follow(service))
        try:
            yield
        finally:
            following.cancel()
            lookups.close()
            service.stop()

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
    _add_lookups(router, service, lookups)
    _add_probes(router, service)
    live.add(router, service, recent)
    return router


def _endpoint(service: HealthService, unhealthy_at: Status, body: Callable[[Snapshot], Body]) -> Callable[..., Any]:
    async def endpoint(request: Request) -> Response:
        snapshot = service.current()
        rendered = snapshot.once((body, unhealthy_at), lambda: _rendered(snapshot, unhealthy_at, body))
        return respond(rendered, request.headers.get("if-none-match"))

    return endpoint


def _rendered(snapshot: Snapshot, unhealthy_at: Status, body: Callable[[Snapshot], Body]) -> Rendered:
    content, status, freshness = body(snapshot)
    healthy = 0 <= status.severity < unhealthy_at.severity  # `unknown` is below 0: no verdict is no good news
    return render(content, 200 if healthy else 503, freshness)


def _add_lookups(router: APIRouter, service: HealthService, lookups: Lookups) -> None:
    async def answer(request: Request, read: Callable[[], dict[str, Any]], keep_seconds: float) -> Response:
        key = (request.url.path, request.url.query)
        try:
            result = await lookups.get(key, read, keep_seconds)
        except DoctorError as error:
            return unanswered(error)
        rendered = render(result.value, 200, Freshness(result.read_at, result.stale_after))
        return respond(rendered, request.headers.get("if-none-match"))

    @router.get(
        f"{ROOT}/history",
        summary="One recorded metric's steps.",
        operation_id="api_v1_health_history",
        responses={200: {"model": bodies.History}, **_PROBLEMS},
        response_class=JSONResponse,
    )
    async def history(
        request: Request,
        metric: Annotated[str, Query(min_length=1, max_length=200, examples=["queue.queue_depth"])],
        since: Annotated[str, Query(max_length=16, pattern=_SPAN, examples=["24h"])] = "24h",
        step: Annotated[str, Query(max_length=16, pattern=_SPAN, examples=["5m"])] = "5m",
    ) -> Response:
        try:
            question = HistoryQuestion.of(metric, since, step)
        except Unanswered as error:
            return unanswered(error)
        return await answer(request, lambda: read_history(service.settings, question), _KEEP_HISTORY_SECONDS)

    @router.get(
        f"{ROOT}/trace/{{id}}",
        summary="One message followed hop by hop, by event_id, stream ID or Claude uuid.",
        operation_id="api_v1_health_trace",
        responses={200: {"model": bodies.TraceAnswer}, **_PROBLEMS},
        response_class=JSONResponse,
    )
    async def trace(
        request: Request, id: Annotated[str, Path(min_length=1, max_length=200, examples=["1795358119306-0"])]
    ) -> Response:
        return await answer(request, lambda: read_trace(service.settings, id), _KEEP_TRACE_SECONDS)


def unanswered(error: DoctorError) -> Response:
    """Why there is no answer, with HTTP's code for it, and when to ask again."""
    code = 503
    if isinstance(error, Unanswered):
        code = error.code
    headers = {}
    if code in (429, 503):
        headers = {"Retry-After": "1"}
    return problem(code, error.message, error.hint, headers)


def _add_probes(router: APIRouter, service: HealthService) -> None:
    no_store = {"Cache-Control": "no-store"}
    responses: _Responses = {200: {"model": bodies.Probe}, 503: {"model": bodies.Probe}}
    example = "blueplane_doctor_report_status 0.0\n"
    gauges: _Responses = {200: {"description": "Gauges", "content": {"text/plain": {"example": example}}}}

    def probe(ok: bool) -> Response:
        if ok:
            return Response(to_bytes({"status": "ok"}), 200, no_store, "application/json")
        return Response(to_bytes({"status": "not ready"}), 503, no_store, "application/json")

    @router.get("/healthz", summary="Whether this service lives.", operation_id="healthz", responses=responses)
    async def healthz() -> Response:
        return probe(service.running)

    @router.get("/readyz", summary="Whether it has examined the pipeline.", operation_id="readyz", responses=responses)
    async def readyz() -> Response:
        return probe(service.ready())

    @router.get(
        "/metrics",
        summary="All metrics in Prometheus' text format.",
        operation_id="metrics",
        responses=gauges,
        response_class=Response,
    )
    async def metrics() -> Response:
        """Always 200, whatever it has to say: a scrape that fails says nothing."""
        text = to_prometheus(service)
        return Response(text, headers=no_store, media_type="text/plain; version=0.0.4; charset=utf-8")
