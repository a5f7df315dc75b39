"""The bodies of the JSON endpoints, by the metric names of the requirements, and what OpenAPI says of them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from blueplane_doctor.model import Status
from blueplane_doctor.service.snapshot import AREAS, CUSTODY_RECORDS, Part, Snapshot, moment


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


HealthStatus = Literal["green", "yellow", "orange", "red", "unknown"]


class Brief(Answer):
    """Health in one word."""

    health_status: HealthStatus
    summary: str = Field(examples=["Every check that ran is green"])


class Overall(Brief):
    """The worst of all, and each area's status."""

    areas: dict[str, str] = Field(
        examples=[{"queue": "green", "database": "green", "capture": "green", "chain": "green"}]
    )
    counts: dict[str, int] = Field(examples=[{"red": 0, "orange": 0, "yellow": 0, "green": 27}])
    custody_measured_at: str = Field(examples=["2026-03-14T09:26:48.000Z"])
    """When the stream was last walked through."""


class Area(Answer):
    """What the answers on one area have."""

    health_status: HealthStatus
    cause: str = Field(examples=[""])
    """Why it is unknown."""


class Queue(Area):
    """The queue's metrics."""

    queue_depth: int | None = Field(examples=[12])
    pending_messages: int | None = Field(examples=[3])
    oldest_pending_age_ms: int | None = Field(examples=[180])
    consumer_count: int | None = Field(examples=[2])
    processing_rate_events_per_sec: float | None = Field(examples=[4.5])
    dlq_size: int | None = Field(examples=[0])
    dlq_recent_entries: int | None = Field(examples=[0])
    enqueue_rate_events_per_sec: float | None = Field(examples=[4.5])
    consumer_lag_ms: int | None = Field(examples=[180])


class Database(Area):
    """The database's metrics; what only the recorder can measure is null without it."""

    write_success_count: int | None = Field(examples=[1200])
    write_failure_count: int | None = Field(examples=[0])
    write_success_rate: float | None = Field(examples=[100.0])
    write_latency_p95_ms: float | None = Field(examples=[4.2])
    write_throughput_events_per_sec: float | None = Field(examples=[4.5])
    last_successful_write_timestamp: str | None = Field(examples=["2026-03-14T09:26:52Z"])
    last_failed_write_timestamp: str | None = Field(examples=[None])
    db_size_mb: float | None = Field(examples=[48.2])
    wal_size_mb: float | None = Field(examples=[0.4])


class Hooks(BaseModel):
    """Cursor's hooks."""

    total_executions: int | None = Field(examples=[340])
    success_count: int | None
    failure_count: int | None
    success_rate: float | None
    last_execution_timestamp: str | None = Field(examples=["2026-03-14T09:26:50Z"])
    hooks_active: dict[str, bool] | None = Field(examples=[{"afterFileEdit": False, "beforeSubmitPrompt": True}])


class Monitor(BaseModel):
    """Cursor's database monitor."""

    active: bool | None = Field(examples=[True])
    sessions_monitored: int | None = Field(examples=[1])
    events_captured: int | None = Field(examples=[210])
    last_activity_timestamp: str | None = Field(examples=["2026-03-14T09:26:50Z"])
    errors_count: int | None = Field(examples=[0])
    ingest_rate_events_per_min: float | None = Field(examples=[31.0])


class Capture(Area):
    """The metrics of what comes in from the editors."""

    cursor_hooks: Hooks
    database_monitor: Monitor
    capture_rate_events_per_min: float | None = Field(examples=[31.0])


class Chain(Area):
    """The chain of custody."""

    chain_status: Literal["healthy", "degraded", "broken", "unknown"]
    messages_enqueued_last_hour: int | None = Field(examples=[4100])
    messages_written_last_hour: int | None = Field(examples=[4088])
    messages_in_dlq: int | None = Field(examples=[0])
    chain_break_count: int | None = Field(examples=[0])
    last_chain_break_timestamp: str | None = Field(examples=[None])
    success_rate: float | None = Field(examples=[100.0])


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


Body = tuple[dict[str, Any], Status, Part]
"""A body without its age, the status that it is served with, and the evidence that its age is told by."""


def overall(snapshot: Snapshot) -> Body:
    """The worst of all, and each area's."""
    report = snapshot.report
    body, status, part = brief(snapshot)
    body["areas"] = {
        name: snapshot.area_status(name).value for name in sorted({*AREAS, *(f.area for f in report.findings)})
    }
    body |= {"counts": report.counts, "custody_measured_at": moment(snapshot.custody.taken_at)}
    return body, status, part


def brief(snapshot: Snapshot) -> Body:
    """What callers of today's `/health` know."""
    body = {"health_status": snapshot.status.value, "summary": _worst_summary(snapshot)}
    return body, snapshot.status, snapshot.quick


def findings(snapshot: Snapshot) -> Body:
    """Every finding, worst first."""
    report = snapshot.report.model_dump(mode="json", include={"findings", "counts"})
    return {"health_status": snapshot.status.value, **report}, snapshot.status, snapshot.quick


def area(model: type[Area], name: str, snapshot: Snapshot) -> Body:
    """One health record's metrics, those that the model names."""
    record = snapshot.report.metrics.get(name) or {}
    status = snapshot.area_status(name)
    body = _picked(record, model) | {"health_status": status.value, "cause": snapshot.cause(name)}
    if "chain_status" in body:
        body["chain_status"] = body["chain_status"] or "unknown"
    return body, status, snapshot.custody if name in CUSTODY_RECORDS else snapshot.quick


def _picked(record: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """What a record holds of the model's own fields, nested ones too; null for the others."""
    picked: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name in Area.model_fields:
            continue
        value, kind = record.get(name), field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            value = _picked(value or {}, kind)
        picked[name] = value
    return picked


def _worst_summary(snapshot: Snapshot) -> str:
    first = next(iter(snapshot.report.findings), None)
    if first is None:
        return "No check was run"
    if snapshot.status is Status.UNKNOWN and first.status is not Status.RED:
        return f"Not known: {next((f.cause for f in snapshot.report.findings if f.cause), 'nothing was judged')}"
    return first.summary if first.status is not Status.GREEN else "Every check that ran is green"


ROOT = "/api/v1/health"
ENDPOINTS: dict[str, tuple[type[Answer], Callable[[Snapshot], Body]]] = {
    ROOT: (Overall, overall),
    f"{ROOT}/queue": (Queue, partial(area, Queue, "queue")),
    f"{ROOT}/database": (Database, partial(area, Database, "database")),
    f"{ROOT}/capture": (Capture, partial(area, Capture, "capture")),
    f"{ROOT}/chain": (Chain, partial(area, Chain, "chain")),
    f"{ROOT}/findings": (Findings, findings),
    "/health": (Brief, brief),
}
"""What is answered from memory: its description, and how it is made of a snapshot."""
