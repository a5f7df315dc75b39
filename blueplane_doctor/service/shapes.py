"""The bodies of the JSON endpoints: the metric names of the requirements, and around them how old they are."""

from collections.abc import Callable, Mapping
from typing import Any

from blueplane_doctor.model import Status
from blueplane_doctor.service.snapshot import AREAS, Part, Snapshot, areas_of, moment

QUEUE_NAMES = (
    "queue_depth",
    "pending_messages",
    "oldest_pending_age_ms",
    "consumer_count",
    "processing_rate_events_per_sec",
    "dlq_size",
    "dlq_recent_entries",
    "enqueue_rate_events_per_sec",
    "consumer_lag_ms",
)
DATABASE_NAMES = (
    "write_success_count",
    "write_failure_count",
    "write_success_rate",
    "write_latency_p95_ms",
    "write_throughput_events_per_sec",
    "last_successful_write_timestamp",
    "last_failed_write_timestamp",
    "db_size_mb",
    "wal_size_mb",
)
HOOK_NAMES = (
    "total_executions",
    "success_count",
    "failure_count",
    "success_rate",
    "last_execution_timestamp",
    "hooks_active",
)
MONITOR_NAMES = (
    "active",
    "sessions_monitored",
    "events_captured",
    "last_activity_timestamp",
    "errors_count",
    "ingest_rate_events_per_min",
)
CHAIN_NAMES = (
    "messages_enqueued_last_hour",
    "messages_written_last_hour",
    "messages_in_dlq",
    "chain_break_count",
    "last_chain_break_timestamp",
    "success_rate",
)

Shape = tuple[dict[str, Any], Status, Part]
"""A body without its age, the status that it is served with, and the evidence that its age is told by."""


def overall(snapshot: Snapshot) -> Shape:
    """The worst of all, and each area's."""
    report = snapshot.report
    areas = {name: snapshot.area_status(name).value for name in [*AREAS, *areas_of(report.findings)]}
    body = {
        "health_status": snapshot.status.value,
        "areas": dict(sorted(areas.items())),
        "counts": report.counts,
        "summary": _worst_summary(snapshot),
        "custody_measured_at": moment(snapshot.custody.taken_at),
    }
    return body, snapshot.status, snapshot.quick


def brief(snapshot: Snapshot) -> Shape:
    """What callers of today's `/health` know."""
    return (
        {"health_status": snapshot.status.value, "summary": _worst_summary(snapshot)},
        snapshot.status,
        snapshot.quick,
    )


def queue(snapshot: Snapshot) -> Shape:
    """The queue's metrics."""
    return _area(snapshot, "queue", lambda record: _picked(record, QUEUE_NAMES))


def database(snapshot: Snapshot) -> Shape:
    """The database's metrics."""
    return _area(snapshot, "database", lambda record: _picked(record, DATABASE_NAMES))


def capture(snapshot: Snapshot) -> Shape:
    """The metrics of what comes in."""

    def picked(record: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "cursor_hooks": _picked(record.get("cursor_hooks") or {}, HOOK_NAMES),
            "database_monitor": _picked(record.get("database_monitor") or {}, MONITOR_NAMES),
            "capture_rate_events_per_min": record.get("capture_rate_events_per_min"),
        }

    return _area(snapshot, "capture", picked)


def chain(snapshot: Snapshot) -> Shape:
    """The chain's metrics; its status in words of its own, as the requirements have it."""
    body, status, part = _area(snapshot, "chain", lambda record: _picked(record, CHAIN_NAMES))
    record = snapshot.report.metrics.get("chain") or {}
    body["chain_status"] = record.get("chain_status", "unknown")
    return body, status, part


def findings(snapshot: Snapshot) -> Shape:
    """Every finding, worst first."""
    report = snapshot.report.model_dump(mode="json", include={"findings", "counts"})
    return {"health_status": snapshot.status.value, **report}, snapshot.status, snapshot.quick


def _area(snapshot: Snapshot, name: str, pick: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Shape:
    record = snapshot.report.metrics.get(name) or {}
    status = snapshot.area_status(name)
    body = {"health_status": status.value, "cause": snapshot.cause(name), **pick(record)}
    return body, status, snapshot.part(name)


def _picked(record: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: record.get(name) for name in names}


def _worst_summary(snapshot: Snapshot) -> str:
    first = next(iter(snapshot.report.findings), None)
    if first is None:
        return "No check was run"
    if snapshot.status is Status.UNKNOWN and first.status is not Status.RED:
        return f"Not known: {next((f.cause for f in snapshot.report.findings if f.cause), 'nothing was judged')}"
    return first.summary if first.status is not Status.GREEN else "Every check that ran is green"
