"""`/metrics`: the report as the Prometheus format renders it, and how fresh it is."""

import time
from typing import Any

from fastapi import APIRouter, Request, Response

from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.prometheus import PREFIX, render
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.snapshot import Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def add(router: APIRouter, service: HealthService) -> None:
    """Add the endpoint. It answers 200 whatever it has to say: a scrape that fails says nothing."""
    responses: dict[int | str, dict[str, Any]] = {
        200: {"description": "Gauges", "content": {"text/plain": {"example": "blueplane_doctor_report_status 0.0\n"}}}
    }

    @router.get(
        "/metrics",
        summary="All metrics in Prometheus' text format.",
        operation_id="metrics",
        responses=responses,
        response_class=Response,
    )
    async def metrics(request: Request) -> Response:
        return Response(text(service), headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE)


def text(service: HealthService) -> str:
    """The whole answer."""
    snapshot = service.current()
    rendered = snapshot.rendered.get("metrics")
    if rendered is None:
        rendered = snapshot.rendered["metrics"] = render(snapshot.report, View())
    return str(rendered) + freshness(service, snapshot, time.time())


def freshness(service: HealthService, snapshot: Snapshot, now: float) -> str:
    """What only a service that goes on running can tell."""
    quick, custody = snapshot.quick.age_ms(now) / 1000, snapshot.custody.age_ms(now) / 1000
    lines = _family("report_age_seconds", "gauge", "Since the quick look was made.", {"": quick})
    lines += _family("custody_age_seconds", "gauge", "Since the stream was walked through.", {"": custody})
    counts = {f'{{look="{name}"}}': float(count) for name, count in sorted(service.refreshes.items())}
    lines += _family("refreshes_total", "counter", "Looks that have ended.", counts)
    return "\n".join(lines) + "\n"


def _family(name: str, kind: str, told: str, values: dict[str, float]) -> list[str]:
    full = PREFIX + name
    return [
        f"# HELP {full} {told}",
        f"# TYPE {full} {kind}",
        *[f"{full}{labels} {value}" for labels, value in values.items()],
    ]
