"""The bodies of the answers on one area hold the metrics that the requirements name."""

import pytest
from pydantic import BaseModel

from blueplane_doctor.discovery import find_monitors
from blueplane_doctor.service.area_bodies import body_of

REQUIRED = {
    "queue": {
        "queue_depth", "pending_messages", "oldest_pending_age_ms", "consumer_count",
        "processing_rate_events_per_sec", "dlq_size", "dlq_recent_entries", "enqueue_rate_events_per_sec",
        "consumer_lag_ms",
    },
    "database": {
        "write_success_count", "write_failure_count", "write_success_rate", "write_latency_p95_ms",
        "write_throughput_events_per_sec", "last_successful_write_timestamp", "last_failed_write_timestamp",
        "db_size_mb", "wal_size_mb",
    },
    "capture": {"cursor_hooks", "database_monitor", "capture_rate_events_per_min"},
    "chain": {
        "chain_status", "messages_enqueued_last_hour", "messages_written_last_hour", "messages_in_dlq",
        "chain_break_count", "last_chain_break_timestamp", "success_rate",
    },
}  # fmt: skip
PARTS = {
    "cursor_hooks": {
        "total_executions", "success_count", "failure_count", "success_rate", "last_execution_timestamp",
        "hooks_active",
    },
    "database_monitor": {
        "active", "sessions_monitored", "events_captured", "last_activity_timestamp", "errors_count",
        "ingest_rate_events_per_min",
    },
}  # fmt: skip


def body(area: str) -> type[BaseModel]:
    return body_of(area, find_monitors()[area].record, BaseModel)


@pytest.mark.parametrize("area", REQUIRED)
def test_a_body_holds_the_metrics_of_the_requirements(area: str) -> None:
    assert set(body(area).model_fields) == REQUIRED[area]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_record_is_a_body_of_its_own(part: str) -> None:
    kind = body("capture").model_fields[part].annotation
    assert isinstance(kind, type)
    assert issubclass(kind, BaseModel)
    assert set(kind.model_fields) == PARTS[part]


def test_every_value_may_be_null_but_a_state() -> None:
    queue = body("queue")
    assert queue.model_validate(dict.fromkeys(REQUIRED["queue"])).model_dump() == dict.fromkeys(REQUIRED["queue"])
    status = body("chain").model_json_schema()["properties"]["chain_status"]
    assert status["enum"] == ["healthy", "degraded", "broken", "unknown"]


def test_every_value_is_described_with_an_example() -> None:
    for area in REQUIRED:
        for name, field in body(area).model_json_schema()["properties"].items():
            if name not in ("cursor_hooks", "database_monitor", "chain_status"):
                assert field["description"].endswith("."), name
                assert field["examples"], name
