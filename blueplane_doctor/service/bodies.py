"""The bodies of the JSON endpoints, by the metric names of the requirements, and what OpenAPI says of them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from blueplane_doctor.discovery import find_monitors
from blueplane_doctor.model import Status
from blueplane_doctor.service.answers import timestamp
from blueplane_doctor.service.area_bodies import body_of
from blueplane_doctor.service.snapshot import AREAS, CUSTODY_RECORDS, Freshness, Snapshot

HealthStatus = Literal["green", "yellow", "orange", "red", "unknown"]


class Answer(BaseModel):
    """What every answer has."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    age_ms: int = Field(examples=[412], ge=0)
    """Milliseconds since the evidence was read."""
    status: Literal["healthy", "unhealthy"]
    """As the HTTP code says it: unhealthy is 503."""
    measured_at: str = Field(examples=["2026-03-14T09:26:53.000Z"])
    """When the evidence was read."""
    stale_after: str = Field(examples=["2026-03-14T09:26:55.800Z"])
    """From when on this answer must not be taken for the state of things."""


class Brief(Answer):
    """Health in one word, for callers of today's `/health`."""

    health_status: HealthStatus
    summary: str = Field(examples=["Every check that ran is green"])


class Overall(Brief):
    """The worst of all, and each area's status."""

    areas: dict[str, str] = Field(examples=[{"queue": "green", "database": "red"}])
    counts: dict[str, int] = Field(examples=[{"red": 1, "green": 27}])
    custody_measured_at: str = Field(examples=["2026-03-14T09:26:48.000Z"])
    """When the stream was last walked through."""


class Area(Answer):
    """What the answers on one area have."""

    health_status: HealthStatus
    cause: str = Field(examples=[""])
    """Why it is unknown."""


class Findings(Answer):
    """Every finding, worst first, as in the JSON report."""

    health_status: HealthStatus
    counts: dict[str, int]
    findings: list[dict[str, Any]]


class History(Answer):
    """One metric's recorded steps; null where nothing was recorded."""

    metric: str = Field(examples=["queue.queue_depth"])
    step_seconds: int = Field(examples=[60])
    points: list[tuple[int, float | None]] = Field(examples=[[[1773480360, 12.0], [1773480420, None]]])


class TraceAnswer(Answer):
    """One message's way, hop by hop."""

    id: str
    state: str = Field(examples=["written"])
    hops: list[dict[str, Any]]
    advice: str
    partial: bool


class Problem(BaseModel):
    """Why a request got no answer."""

    error: str = Field(examples=["there is no history in Redis at localhost:6379"])
    hint: str = Field(examples=["start it with `blueplane-doctor record`"])


class Probe(BaseModel):
    """A probe's answer."""

    status: Literal["ok", "not ready"]


Body = tuple[dict[str, Any], Status, Freshness]
"""A body without its age, the status that it is served with, and what tells its age."""


def _overall(snapshot: Snapshot) -> Body:
    report = snapshot.report
    body, status, freshness = _brief(snapshot)
    areas = sorted({*AREAS, *(finding.area for finding in report.findings)})
    body["areas"] = {name: snapshot.area_status(name).value for name in areas}
    body |= {"counts": report.counts, "custody_measured_at": timestamp(snapshot.custody.taken_at)}
    return body, status, freshness


def _brief(snapshot: Snapshot) -> Body:
    body = {"health_status": snapshot.status.value, "summary": _worst_summary(snapshot)}
    return body, snapshot.status, snapshot.quick


def _findings(snapshot: Snapshot) -> Body:
    report = snapshot.report.model_dump(mode="json", include={"findings", "counts"})
    return {"health_status": snapshot.status.value, **report}, snapshot.status, snapshot.quick


def _area(model: type[Area], name: str, snapshot: Snapshot) -> Body:
    record = snapshot.report.metrics.get(name) or {}
    status = snapshot.area_status(name)
    body = {"health_status": status.value, "cause": snapshot.cause(name), **_picked(record, model)}
    if "chain_status" in body:
        body["chain_status"] = body["chain_status"] or "unknown"
    if name in CUSTODY_RECORDS:
        return body, status, snapshot.custody
    return body, status, snapshot.quick


def _picked(record: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    picked: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name in Area.model_fields:
            continue
        value = record.get(name)
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            value = _picked(value or {}, kind)
        picked[name] = value
    return picked


def _worst_summary(snapshot: Snapshot) -> str:
    findings = snapshot.report.findings
    if not findings:
        return "No check was run"
    worst = findings[0]
    if snapshot.status is Status.UNKNOWN and worst.status is not Status.RED:
        causes = [finding.cause for finding in findings if finding.cause]
        return f"Not known: {causes[0] if causes else 'nothing was judged'}"
    if worst.status is Status.GREEN:
        return "Every check that ran is green"
    return worst.summary


def _area_endpoint(name: str) -> tuple[type[Answer], Callable[[Snapshot], Body]]:
    model = body_of(name, find_monitors()[name].record, Area)
    return model, partial(_area, model, name)


ROOT = "/api/v1/health"
ENDPOINTS: dict[str, tuple[type[Answer], Callable[[Snapshot], Body]]] = {
    ROOT: (Overall, _overall),
    f"{ROOT}/queue": _area_endpoint("queue"),
    f"{ROOT}/database": _area_endpoint("database"),
    f"{ROOT}/capture": _area_endpoint("capture"),
    f"{ROOT}/chain": _area_endpoint("chain"),
    f"{ROOT}/findings": (Findings, _findings),
    "/health": (Brief, _brief),
}
"""What is answered from memory."""
