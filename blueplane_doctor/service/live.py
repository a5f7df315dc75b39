"""The live page: the report's own parts and charts of the last minutes, kept up to date by server-sent events."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from markupsafe import Markup
from starlette.types import Receive, Scope, Send

from blueplane_doctor.http_server.problems import problem, to_bytes
from blueplane_doctor.http_server.workers import Workers
from blueplane_doctor.metrics import CHARTED, Metric
from blueplane_doctor.reports.html import own_file, policy_hash, template
from blueplane_doctor.service.answers import etag_of, names_tag
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.snapshot import Snapshot

if TYPE_CHECKING:
    from jinja2 import Template

_DRAWING_THREADS = 2
MOST_WATCHERS = 64
"""Streams of events that are open at once."""
_BEAT_SECONDS = 2.0
"""The longest silence between two events; live.js takes 3 s for an outage of the service."""
_POLL_SECONDS = 0.2
"""How often a stream asks whether there is a new snapshot: it is in memory, so that asking costs microseconds."""
_SAMPLE_SECONDS = 1.0
SAMPLES = 900
"""A quarter of an hour at one a second."""
WIDTH = 300.0
HEIGHT = 60.0
# One for two units of the width: more could not be seen.
MOST_POINTS = 150


class Chart(NamedTuple):
    """One metric's last minutes."""

    metric: str
    """Its path in the catalogue."""
    label: str
    unit: str
    lines: list[str]
    """Points for SVG; a line ends where nothing was known."""
    latest: float | None
    highest: float | None
    seconds: int
    """From the first value to the last."""


class Recent:
    """A ring of samples."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, float | None]]] = deque(maxlen=SAMPLES)

    async def follow(self, service: HealthService) -> None:
        """Keep the service's snapshots, one a second, until this is cancelled."""
        while True:
            self.add(service.current())
            await asyncio.sleep(_SAMPLE_SECONDS)

    def add(self, snapshot: Snapshot) -> None:
        """Keep one value of each metric; a second sample of the same quick look replaces the first."""
        moment = snapshot.quick.taken_at
        if self._samples and self._samples[-1][0] >= moment:
            self._samples.pop()
        values = {metric.path: _number(snapshot.report.metrics, metric.path) for metric in CHARTED}
        self._samples.append((moment, values))

    def charts(self) -> list[Chart]:
        """One for each metric that is drawn."""
        samples = list(self._samples)
        every = max(1, len(samples) // MOST_POINTS)
        # The newest one in any case: the figure beside the chart is its value.
        shown = samples[::every] + samples[-1:]
        charts = []
        for metric in CHARTED:
            points = [(moment, values[metric.path]) for moment, values in shown]
            charts.append(_chart(metric, points))
        return charts


def _number(metrics: Mapping[str, Any], path: str) -> float | None:
    record, _, name = path.partition(".")
    value = (metrics.get(record) or {}).get(name)
    return float(value) if isinstance(value, int | float) else None


def _chart(metric: Metric, points: list[tuple[float, float | None]]) -> Chart:
    if not points:
        return Chart(metric.path, metric.label, metric.unit, [], None, None, 0)
    first = points[0][0]
    last, latest = points[-1]
    span = max(last - first, 1.0)
    highest = max((value for _, value in points if value is not None), default=None)
    height_of_one = HEIGHT / (highest or 1)
    lines: list[list[str]] = [[]]
    for moment, value in points:
        if value is None:
            lines.append([])  # a gap: the next point begins another line
        else:
            x = WIDTH * (moment - first) / span
            y = HEIGHT - height_of_one * value  # SVG counts downwards
            lines[-1].append(f"{x:.1f},{y:.1f}")
    drawn = []
    for line in lines:
        if line:
            drawn.append(" ".join(line))
    return Chart(metric.path, metric.label, metric.unit, drawn, latest, highest, round(span))


def add(router: APIRouter, service: HealthService, recent: Recent) -> None:
    """Add the page, its changing part, and the events that say when to fetch it."""
    watchers = _Watchers(service)
    pages = Pages(recent)

    @router.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        html = await pages.get(service.current(), whole=True)
        headers = {"Content-Security-Policy": _template()[1], "Cache-Control": "no-store"}
        return Response(html, headers=headers, media_type="text/html")

    @router.get("/live", include_in_schema=False)
    async def fragment(request: Request) -> Response:
        html = await pages.get(service.current(), whole=False)
        etag = etag_of(html)
        if names_tag(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers={"ETag": etag})
        return Response(html, headers={"ETag": etag, "Cache-Control": "no-cache"}, media_type="text/html")

    @router.get("/live/events", include_in_schema=False)
    async def events(request: Request) -> Response:
        return watchers


class _Watchers(Response):
    """The answer to every live page. It counts them where it begins to send: nothing is awaited in between."""

    def __init__(self, service: HealthService) -> None:
        super().__init__()
        self._service = service
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._open >= MOST_WATCHERS:
            refusal = problem(429, "too many live pages are open", "close some", {"Retry-After": "10"})
            await refusal(scope, receive, send)
            return
        self._open += 1
        # nginx would keep events back until its buffer is full.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        events = StreamingResponse(_events(self._service), headers=headers, media_type="text/event-stream")
        try:
            await events(scope, receive, send)
        finally:
            self._open -= 1


async def _events(service: HealthService) -> AsyncIterator[bytes]:
    version = None
    silent_until = 0.0
    yield b"retry: 1000\n\n"
    while service.streaming and service.running:
        snapshot = service.current()
        now = time.monotonic()
        if snapshot.version != version or now >= silent_until:
            version = snapshot.version
            silent_until = now + _BEAT_SECONDS
            data = to_bytes({"version": version, "status": snapshot.status.value})
            yield b"event: report\ndata: %s\n\n" % data
        await asyncio.sleep(_POLL_SECONDS)


class Pages:
    """The page and its changing part, drawn once for each snapshot however many ask. For one event loop."""

    def __init__(self, recent: Recent) -> None:
        self._recent = recent
        self._workers = Workers(_DRAWING_THREADS, "blueplane-draw")

    async def get(self, snapshot: Snapshot, *, whole: bool) -> bytes:
        """The HTML; `whole`: the page, else only the part that changes."""
        key = ("page", whole)

        def draw() -> bytes:
            return snapshot.once(key, lambda: _drawn(snapshot, self._recent, whole=whole))

        if snapshot.has_made(key):
            return draw()
        return await self._workers.run(draw)


def _drawn(snapshot: Snapshot, recent: Recent, *, whole: bool) -> bytes:
    html = _template()[0].render(report=snapshot.report, open=False, charts=recent.charts(), whole=whole)
    return html.encode("utf-8", "replace")


@cache
def _template() -> "tuple[Template, str]":
    """The page, and its content security policy."""
    environment = template().environment.overlay()
    script = own_file(environment, "live.js")
    style = own_file(environment, "live.css")
    environment.globals = environment.globals | {"live_script": Markup(script), "live_style": Markup(style)}
    policy = (
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        f"script-src '{policy_hash(script)}'; style-src '{environment.globals['style_hash']}' '{policy_hash(style)}'; "
        "img-src data:"
    )
    return environment.get_template("live.html.j2", globals=environment.globals), policy
