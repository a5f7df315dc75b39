"""The live page: the report's own parts, kept up to date by server-sent events."""

import asyncio
import contextlib
from base64 import b64encode
from collections.abc import AsyncIterator
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from blueplane_doctor.service.answers import Snapshot, dumped, etag_of, problem, same
from blueplane_doctor.service.health_service import HealthService

if TYPE_CHECKING:
    from jinja2 import Template

MOST_WATCHERS = 64
"""Streams of events that are open at once."""
BEAT_SECONDS = 2.0
"""The longest silence between two events; live.js takes 3 s for an outage of the service."""


def add(router: APIRouter, service: HealthService) -> None:
    """Add the page, its changing part, and the events that say when to fetch it."""
    watchers: set[asyncio.Event] = set()

    @router.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        html = await asyncio.to_thread(_drawn, service, service.current(), whole=True)
        headers = {"Content-Security-Policy": _template()[1], "Cache-Control": "no-store"}
        return Response(html, headers=headers, media_type="text/html")

    @router.get("/live", include_in_schema=False)
    async def fragment(request: Request) -> Response:
        html = await asyncio.to_thread(_fragment, service)
        etag = etag_of(html)
        if same(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers={"ETag": etag})
        return Response(html, headers={"ETag": etag, "Cache-Control": "no-cache"}, media_type="text/html")

    @router.get("/live/events", include_in_schema=False)
    async def events(request: Request) -> Response:
        if len(watchers) >= MOST_WATCHERS:
            refusal = problem(429, "too many live pages are open", "close some", {"Retry-After": "10"})
            return Response(refusal.body, refusal.code, refusal.headers)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_events(service, watchers), headers=headers, media_type="text/event-stream")


async def _events(service: HealthService, watchers: set[asyncio.Event]) -> AsyncIterator[bytes]:
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closing
            loop.call_soon_threadsafe(woken.set)

    ignore = service.listen(wake)
    watchers.add(woken)
    try:
        yield b"retry: 1000\n\n"
        while service.streaming and service.running:
            snapshot = service.current()
            said = dumped({"version": snapshot.version, "status": snapshot.status.value})
            yield b"event: report\ndata: %s\n\n" % said
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), BEAT_SECONDS)
            woken.clear()
    finally:
        watchers.discard(woken)
        ignore()


def _fragment(service: HealthService) -> bytes:
    snapshot = service.current()
    if "fragment" not in snapshot.rendered:
        snapshot.rendered["fragment"] = _drawn(service, snapshot, whole=False)
    html: bytes = snapshot.rendered["fragment"]
    return html


def _drawn(service: HealthService, snapshot: Snapshot, *, whole: bool) -> bytes:
    html = _template()[0].render(report=snapshot.report, open=False, charts=service.recent.charts(), whole=whole)
    return html.encode("utf-8", "replace")


@cache
def _template() -> "tuple[Template, str]":
    """And its content security policy."""
    from markupsafe import Markup

    from blueplane_doctor.reports.html import own_file, template

    environment = template().environment.overlay()
    script, style = own_file(environment, "live.js"), own_file(environment, "live.css")
    environment.globals = environment.globals | {"live_script": Markup(script), "live_style": Markup(style)}
    policy = (
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        f"script-src {_hash(script)}; style-src '{environment.globals['style_hash']}' {_hash(style)}; img-src data:"
    )
    return environment.get_template("live.html.j2", globals=environment.globals), policy


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
