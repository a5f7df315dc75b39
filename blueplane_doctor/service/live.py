"""The live page: the report's own parts, kept up to date by server-sent events."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from blueplane_doctor.service.answers import dumped, etag_of, same
from blueplane_doctor.service.charts import charts
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.snapshot import Snapshot

if TYPE_CHECKING:
    from jinja2 import Template

MOST_WATCHERS = 64
"""Streams of events that are open at once."""
BEAT_SECONDS = 2.0
"""The longest silence between two events: the page takes a longer one for an outage of the service."""


def add(router: APIRouter, service: HealthService) -> None:
    """Add the page, its changing part, and the events that say when to fetch it."""
    watchers = Watchers(service)

    @router.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        html = await asyncio.to_thread(_page, service, service.current())
        return Response(html, headers=_headers(), media_type="text/html")

    @router.get("/live", include_in_schema=False)
    async def fragment(request: Request) -> Response:
        html = await asyncio.to_thread(_fragment, service, service.current())
        etag = etag_of(html)
        if same(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers={"ETag": etag})
        return Response(html, headers={"ETag": etag, "Cache-Control": "no-cache"}, media_type="text/html")

    @router.get("/live/events", include_in_schema=False)
    async def events(request: Request) -> Response:
        if watchers.number >= MOST_WATCHERS:
            body = dumped({"error": "too many live pages are open", "hint": "close some"})
            return Response(body, 429, {"Retry-After": "10"}, "application/json")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(watchers.events(), headers=headers, media_type="text/event-stream")


class Watchers:
    """Everybody who has the page open; woken together after every snapshot."""

    def __init__(self, service: HealthService) -> None:
        self._service = service
        self.number = 0

    async def events(self) -> AsyncIterator[bytes]:
        """One event a snapshot, and comments in between; ends with the service."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closing
                loop.call_soon_threadsafe(woken.set)

        ignore = self._service.listen(wake)
        self.number += 1
        try:
            yield b"retry: 1000\n\n"
            while self._service.streaming and self._service.running:
                yield _event(self._service.current())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), BEAT_SECONDS)
                woken.clear()
        finally:
            self.number -= 1
            ignore()


def _event(snapshot: Snapshot) -> bytes:
    return b"event: report\ndata: %s\n\n" % dumped({"version": snapshot.version, "status": snapshot.status.value})


def _page(service: HealthService, snapshot: Snapshot) -> bytes:
    return _template().render(**_shown(service, snapshot), whole=True).encode("utf-8", "replace")


def _fragment(service: HealthService, snapshot: Snapshot) -> bytes:
    kept = snapshot.rendered.get("fragment")
    if kept is None:
        kept = _template().render(**_shown(service, snapshot), whole=False).encode("utf-8", "replace")
        snapshot.rendered["fragment"] = kept
    assert isinstance(kept, bytes)
    return kept


def _shown(service: HealthService, snapshot: Snapshot) -> dict[str, Any]:
    return {"report": snapshot.report, "open": False, "charts": charts(service.recent)}


@cache
def _template() -> "Template":
    """In the report's own environment, with its filters, its style, and the live page's script."""
    from base64 import b64encode
    from hashlib import sha256

    from markupsafe import Markup

    from blueplane_doctor.reports.html import own_file, template

    environment = template().environment.overlay()
    script, style = own_file(environment, "live.js"), own_file(environment, "live.css")
    environment.globals = environment.globals | {"live_script": Markup(script), "live_style": Markup(style)}
    digests = {
        name: b64encode(sha256(text.encode()).digest()).decode() for name, text in (("js", script), ("css", style))
    }
    environment.globals |= {"live_hashes": digests}
    return environment.get_template("live.html.j2", globals=environment.globals)


def _headers() -> dict[str, str]:
    hashes = _template().globals["live_hashes"]
    report_style = _template().globals["style_hash"]
    policy = (
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        f"script-src 'sha256-{hashes['js']}'; style-src '{report_style}' 'sha256-{hashes['css']}'; img-src data:"
    )
    return {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
