"""Prometheus' text format, for node_exporter's textfile collector. Names and codes are stable; HELP explains them."""

from collections.abc import Iterator, Mapping
from math import isfinite
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from blueplane_doctor.model import Finding, Report
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.phrases import line
from blueplane_doctor.times import parse_time

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

PREFIX = "blueplane_doctor_"
_CODES = "0 green, 1 yellow, 2 orange, 3 red, -1 not judged (unknown, skipped or broken)"
_CHAIN = {"healthy": 0, "degraded": 1, "broken": 2}
_MS, _MB, _PERCENT, _A_MINUTE = 0.001, 1e6, 0.01, 1 / 60
_FIGURES: tuple[tuple[str, str, str, float], ...] = (
    ("queue.queue_depth", "queue_depth_messages", "Messages that no writer has finished with.", 1),
    ("queue.pending_messages", "queue_pending_messages", "Messages delivered to writers and not acknowledged.", 1),
    ("queue.stream_length", "queue_stream_messages", "Entries in the stream, finished ones too.", 1),
    ("queue.consumer_lag_ms", "consumer_lag_seconds", "Age of the oldest unfinished message.", _MS),
    ("queue.consumer_count", "queue_consumers", "Consumers of the writer groups.", 1),
    ("queue.enqueue_rate_events_per_sec", "enqueue_events_per_second", "Messages that are added.", 1),
    ("queue.processing_rate_events_per_sec", "processing_events_per_second", "Messages that writers finish.", 1),
    ("queue.dlq_size", "dead_letters_messages", "Entries of all dead-letter streams.", 1),
    ("queue.dlq_recent_entries", "dead_letters_last_hour_messages", "Dead letters of the last hour.", 1),
    ("database.write_success_rate", "write_success_ratio", "Share of writes that succeeded.", _PERCENT),
    ("database.write_latency_p95_ms", "write_latency_p95_seconds", "95 % of writes took at most this.", _MS),
    ("database.write_throughput_events_per_sec", "write_events_per_second", "Rows that are written.", 1),
    ("database.last_successful_write_timestamp", "last_successful_write_timestamp_seconds", "Newest row.", 1),
    ("database.db_size_mb", "database_size_bytes", "Size of the database file.", _MB),
    ("database.wal_size_mb", "database_wal_size_bytes", "Size of the write-ahead log.", _MB),
    ("capture.capture_rate_events_per_min", "capture_events_per_second", "Events captured.", _A_MINUTE),
    ("capture.cursor_hooks.success_rate", "hook_success_ratio", "Share of hook runs that succeeded.", _PERCENT),
    ("capture.open_sessions", "open_sessions", "IDE sessions that are open.", 1),
    ("chain.chain_break_count", "chain_breaks_messages", "Messages lost, trimmed unread, or pending and gone.", 1),
    ("chain.success_rate", "chain_success_ratio", "Share of examined messages that arrived.", _PERCENT),
    ("chain.examined", "chain_examined_messages", "Messages whose state was looked for.", 1),
    ("chain.last_chain_break_timestamp", "last_chain_break_timestamp_seconds", "Newest break.", 1),
    ("server.errors_per_minute", "server_log_errors_per_second", "Errors in the server's log.", _A_MINUTE),
    ("server.http_ok", "server_http_up", "1 when the server answers over HTTP, else 0.", 1),
    ("server.buffered_events", "server_buffered_events", "Events that never reached Redis.", 1),
    ("spool.waiting_events", "hook_spool_events", "Events that hooks keep for the server.", 1),
    ("spool.dropped", "hook_dropped_events", "Events that hooks had no room to keep, since counting began.", 1),
    ("spool.refused", "hook_refused_events", "Events that the server refused for ever, since counting began.", 1),
    ("redis.used_memory_mb", "redis_memory_bytes", "Memory that Redis uses.", _MB),
    ("redis.clock_skew_ms", "redis_clock_skew_seconds", "Clock of Redis minus clock of this host.", _MS),
)
"""Numbers of health records: where each stands, its name, its help, and the factor to its base unit."""


def render(report: Report, view: View) -> str:
    """Gauges alone, for each run is a new measurement. What is not known is left out, never 0."""
    from prometheus_client.exposition import generate_latest

    families = (
        *_of_the_run(report),
        *_of_the_checks(sorted(report.findings, key=lambda f: f.id)),
        *_of_the_records(report.metrics),
    )
    registry: Any = SimpleNamespace(collect=lambda: families)  # nothing else is asked of it
    return generate_latest(registry).decode()


def _of_the_run(report: Report) -> "Iterator[GaugeMetricFamily]":
    yield _gauge("report_status", f"The worst status of what counts: {_CODES}.", {(): report.status.severity})
    yield _gauge("report_timestamp_seconds", "When the examination began.", _one(_moment(report.generated_at)))
    yield _gauge("report_duration_seconds", "Time that reading took.", {(): report.duration_ms * _MS})
    numbers = {(line(status),): float(count) for status, count in report.counts.items()}
    yield _gauge("report_findings", "Findings of each status; waived ones are counted as waived.", numbers, "status")


def _of_the_checks(findings: list[Finding]) -> "Iterator[GaugeMetricFamily]":
    statuses = {_key(f): float(f.status.severity) for f in findings}
    yield _gauge("check_status", f"Status of a check: {_CODES}.", statuses, "id", "area")
    values = {(*_key(f), line(f.unit)): v for f in findings if (v := _number(f.observed)) is not None}
    yield _gauge("check_observed_value", "What a check judged, in its unit.", values, "id", "area", "unit")
    waivers = {
        (*_key(f), *map(line, (f.waiver.reason, f.waiver.owner, f.waiver.expires))): 1.0 for f in findings if f.waiver
    }
    labels = ("id", "area", "reason", "owner", "expires")
    yield _gauge("check_waiver_info", "1 for a check whose finding is waived: it does not count.", waivers, *labels)
    changes = {(*_key(f), f.change.value): 1.0 for f in findings if f.change}
    yield _gauge("check_change_info", "1 for a check's change since the baseline.", changes, "id", "area", "change")


def _of_the_records(metrics: Mapping[str, Any]) -> "Iterator[GaugeMetricFamily]":
    for path, name, text, factor in _FIGURES:
        found = _at(metrics, path)
        value = _moment(found) if isinstance(found, str) else _number(found)
        based = None if value is None else float(f"{value * factor:.13g}")  # 4.2 ms is 0.0042 s
        yield _gauge(name, text, _one(based))
    code = _CHAIN.get(_at(metrics, "chain.chain_status"))
    yield _gauge("chain_status", "Chain of custody: 0 healthy, 1 degraded, 2 broken.", _one(code))
    states = _at(metrics, "chain.states")
    states = states if isinstance(states, Mapping) else {}
    known = {(line(name),): count for name, held in states.items() if (count := _number(held)) is not None}
    yield _gauge("chain_messages", "Examined messages by state of custody.", known, "state")


def _key(finding: Finding) -> tuple[str, str]:
    return line(finding.id), line(finding.area)


def _gauge(name: str, text: str, values: Mapping[Any, float], *labels: str) -> "GaugeMetricFamily":
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(PREFIX + name, text, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


def _one(value: float | None) -> dict[tuple[()], float]:
    return {} if value is None else {(): value}


def _at(metrics: Mapping[str, Any], path: str) -> Any:
    value: Any = metrics
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and isfinite(value) else None


def _moment(text: str) -> float | None:
    moment = parse_time(text)
    return moment.timestamp() if moment else None


FORMAT = Format("prometheus", (".prom",), render)
