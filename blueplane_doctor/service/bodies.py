"""The bodies of the JSON endpoints, by the metric names of the requirements, and what OpenAPI says of them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from blueplane_doctor.metrics import METRICS, STATE, TIME, Metric
from blueplane_doctor.model import Status
from blueplane_doctor.plugins.discovery import find_monitors
from blueplane_doctor.records.base import Record
from blueplane_doctor.reports.before_stream import before_stream
from blueplane_doctor.service.snapshot import AREAS, CUSTODY_RECORDS, Freshness, Snapshot
from blueplane_doctor.text.quantities import FRACTION
from blueplane_doctor.text.times import iso_of_seconds

_EXAMPLES = {"ms": 180, FRACTION: 1.0, "MB": 48.2, TIME: "2026-03-14T09:26:52Z", "events/s": 4.5, "events/min": 270.0}
"""By unit, for the document; other numbers are counts."""
_COUNT_EXAMPLE = 12

_HealthStatus = Literal["green", "yellow", "orange", "red", "unknown"]


class Answer(BaseModel):
    """What every answer has."""

    model_config = ConfigDict(extra="forbid")

    age_ms: int = Field(description="Milliseconds since the evidence was read.", examples=[412], ge=0)
    status: Literal["healthy", "unhealthy"] = Field(description="As the HTTP code says it: unhealthy is 503.")
    measured_at: str = Field(description="When the evidence was read.", examples=["2026-03-14T09:26:53.000Z"])
    stale_after: str = Field(
        description="From when on this answer must not be taken for the state of things.",
        examples=["2026-03-14T09:26:55.800Z"],
    )


class Brief(Answer):
    """Health in one word, for callers of today's `/health`."""

    health_status: _HealthStatus
    summary: str = Field(description="The headline, and the first cause.", examples=["the pipeline is healthy"])
    since: str | None = Field(
        description="Since when the worst of the causes is there; null where that is not known.", examples=[None]
    )
    since_bound: str = Field(
        description="`at the earliest` or `at the latest` where `since` is only a bound; else empty.", examples=[""]
    )
    causes: list[dict[str, Any]] = Field(description="The causes, worst first, as in the JSON report.", examples=[[]])


class Overall(Brief):
    """The worst of all, and each area's status."""

    areas: dict[str, str] = Field(examples=[{"queue": "green", "database": "red"}])
    counts: dict[str, int] = Field(examples=[{"red": 1, "green": 27}])
    custody_measured_at: str = Field(
        description="When the stream was last walked through.", examples=["2026-03-14T09:26:48.000Z"]
    )


class Area(Answer):
    """What the answers on one area have; the metrics of its health record are added for each."""

    health_status: _HealthStatus
    cause: str = Field(description="Why it is not green: its worst finding, or why none was judged.", examples=[""])


class BeforeStream(BaseModel):
    """What one kind of source holds, before the stream."""

    source: str = Field(description="`transcripts` (Claude's) or `cursor`.", examples=["transcripts"])
    since: str = Field(description="What changed within this time is compared.", examples=["24h"])
    states: dict[str, int] = Field(
        description="Lines or items by what became of them.", examples=[{"written": 4812, "missing": 192}]
    )
    missing: int = Field(description="Those that should be in the pipeline and are nowhere.", examples=[192])
    equation: str = Field(examples=["5,004 lines = 4,812 written + 192 missing"])


class Findings(Answer):
    """Every cause and every finding, worst first, as in the JSON report."""

    health_status: _HealthStatus
    since: str | None
    since_bound: str
    causes: list[dict[str, Any]]
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
    hint: str = Field(examples=["start it with blueplane-doctor record"])


class Probe(BaseModel):
    """A probe's answer."""

    status: Literal["ok", "not ready"]


def body_of(area: str) -> type[Area]:
    """The body for an area: the metrics of its health record that HTTP answers hold, null where one is not known."""
    metrics = {}
    for metric in METRICS:
        if metric.http:
            field, _, _ = metric.path.partition(".{")  # what follows are names, not fields
            metrics[field] = metric
    record = find_monitors()[area].record
    return create_model(area.capitalize(), __base__=Area, __doc__=_first_line(record), **_fields(record, area, metrics))


def _fields(record: type[Record], path: str, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    """Type and description of the fields that are among the metrics; records in it become bodies of their own."""
    fields: dict[str, Any] = {}
    for name, field in record.model_fields.items():
        field_path = f"{path}.{name}"
        kind: Any = field.annotation
        if isinstance(kind, type) and issubclass(kind, Record):
            below = _fields(kind, field_path, metrics)
            if below:
                fields[name] = (create_model(kind.__name__, __doc__=_first_line(kind), **below), ...)
        elif field_path in metrics:
            fields[name] = _field(kind, metrics[field_path])
    return fields


def _field(kind: Any, metric: Metric) -> tuple[Any, Any]:
    if metric.unit == STATE:
        return Literal[tuple(metric.states)], Field(description=f"{metric.help}.")
    return kind | None, Field(description=metric.help, examples=[_example(kind, metric)])


def _example(kind: object, metric: Metric) -> object:
    if kind in (bool, bool | None):
        return True
    if metric.labels:
        return {"afterFileEdit": False, "beforeSubmitPrompt": True}
    return _EXAMPLES.get(metric.unit, _COUNT_EXAMPLE)


def _first_line(record: type[Record]) -> str:
    return (record.__doc__ or "").partition("\n")[0]


Body = tuple[dict[str, Any], Status, Freshness]
"""A body without its age, the status that it is served with, and what tells its age."""


def _overall(snapshot: Snapshot) -> Body:
    report = snapshot.report
    body, status, freshness = _brief(snapshot)
    areas = sorted({*AREAS, *(finding.area for finding in report.findings)})
    body["areas"] = {name: snapshot.area_status(name).value for name in areas}
    body |= {"counts": report.counts, "custody_measured_at": iso_of_seconds(snapshot.custody.taken_at)}
    return body, status, freshness


def _brief(snapshot: Snapshot) -> Body:
    body = {"health_status": snapshot.status.value, "summary": snapshot.summary}
    body |= snapshot.report.model_dump(include={"since", "since_bound", "causes"})
    return body, snapshot.status, snapshot.quick


def _findings(snapshot: Snapshot) -> Body:
    report = snapshot.report.model_dump(include={"since", "since_bound", "causes", "findings", "counts"})
    return {"health_status": snapshot.status.value, **report}, snapshot.status, snapshot.quick


def _area(name: str, model: type[Area], snapshot: Snapshot) -> Body:
    record = snapshot.report.metrics.get(name) or {}
    status = snapshot.area_status(name)
    body = _picked(record, model) | {"health_status": status.value, "cause": snapshot.cause(name)}
    if "chain_status" in body:
        body["chain_status"] = body["chain_status"] or "unknown"
    if name in CUSTODY_RECORDS:
        return body, status, snapshot.custody
    return body, status, snapshot.quick


def _picked(record: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    picked: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        value = record.get(name)
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            value = _picked(value or {}, kind)
        if name not in Area.model_fields:
            picked[name] = value
    return picked


def _chain(model: type[Area], snapshot: Snapshot) -> Body:
    """Custody, and the stage before the stream as far as it is known."""
    body, status, freshness = _area("chain", model, snapshot)
    body["before_stream"] = []
    for stage in before_stream(snapshot.report.metrics):
        states = {part["state"]: part["count"] for part in stage.parts}
        counted = {"states": states, "missing": stage.missing, "equation": stage.equation}
        body["before_stream"].append({"source": stage.record, "since": stage.since, **counted})
    return body, status, freshness


def _chain_body() -> type[Area]:
    field: Any = (list[BeforeStream], Field(description="What the editors hold; empty where that was not looked at."))
    return create_model("Chain", __base__=body_of("chain"), before_stream=field)


def _chain_endpoint() -> tuple[type[Answer], Callable[[Snapshot], Body]]:
    model = _chain_body()
    return model, partial(_chain, model)


def _area_endpoint(name: str) -> tuple[type[Answer], Callable[[Snapshot], Body]]:
    model = body_of(name)
    return model, partial(_area, name, model)


ROOT = "/api/v1/health"
ENDPOINTS: dict[str, tuple[type[Answer], Callable[[Snapshot], Body]]] = {
    ROOT: (Overall, _overall),
    f"{ROOT}/queue": _area_endpoint("queue"),
    f"{ROOT}/database": _area_endpoint("database"),
    f"{ROOT}/capture": _area_endpoint("capture"),
    f"{ROOT}/chain": _chain_endpoint(),
    f"{ROOT}/findings": (Findings, _findings),
    "/health": (Brief, _brief),
}
"""What is answered from memory."""
