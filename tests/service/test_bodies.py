"""Bodies hold the metrics that the requirements name; every endpoint answers as its own OpenAPI document says."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import BaseModel

from blueplane_doctor.service.bodies import ENDPOINTS, ROOT, Area, body_of
from blueplane_doctor.service.snapshot import Freshness, Snapshot
from tests.reports import samples
from tests.service.support import Served

EXAMPLES = 12
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


@pytest.mark.parametrize("area", REQUIRED)
def test_a_body_holds_the_metrics_of_the_requirements(area: str) -> None:
    assert set(body_of(area).model_fields) == REQUIRED[area] | set(Area.model_fields)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_record_is_a_body_of_its_own(part: str) -> None:
    kind = body_of("capture").model_fields[part].annotation
    assert isinstance(kind, type)
    assert issubclass(kind, BaseModel)
    assert set(kind.model_fields) == PARTS[part]


def test_every_value_may_be_null_but_a_state() -> None:
    queue = body_of("queue")
    around = {"age_ms": 7, "status": "unhealthy", "measured_at": "", "stale_after": "", "health_status": "unknown"}
    nothing = around | {"cause": "away"} | dict.fromkeys(REQUIRED["queue"])
    assert queue.model_validate(nothing).model_dump() == nothing
    status = body_of("chain").model_json_schema()["properties"]["chain_status"]
    assert status["enum"] == ["healthy", "degraded", "broken", "unknown"]


def test_every_value_is_described_with_an_example() -> None:
    for area in REQUIRED:
        for name, field in body_of(area).model_json_schema()["properties"].items():
            if name in REQUIRED[area] - {"cursor_hooks", "database_monitor", "chain_status"}:
                assert field["description"].endswith("."), name
                assert field["examples"], name


@pytest.mark.slow
def test_answers_are_as_the_document_says(served: Served) -> None:
    import schemathesis  # a second to load, with what it checks by; no other test needs to wait for it

    document = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    operations = [found.ok() for found in document.get_all_operations()]
    assert len(operations) >= 12
    for operation in operations:
        _tried(operation, served.url)


def _tried(operation: Any, url: str) -> None:
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    documented = operation.definition.raw["responses"]

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def tried(case: Any) -> None:
        answer = case.call(base_url=url)
        # A span and its steps can be fine, and too many together: no schema says so.
        excluded = [positive_data_acceptance, *([not_a_server_error] if "503" in documented else [])]
        case.validate_response(answer, excluded_checks=excluded)
        assert answer.status_code < 500 or answer.status_code == 503
        assert answer.status_code != 503 or answer.json()["status"], "an outage is nowhere near"

    tried()


def test_the_chain_shows_the_stage_before_the_stream() -> None:
    model, body_of_chain = ENDPOINTS[f"{ROOT}/chain"]
    report = samples.mixed()
    metrics = {**report.metrics, "transcripts": {"since": "24h", "states": {"written": 8, "missing": 2}}}
    snapshot = Snapshot(1, report.model_copy(update={"metrics": metrics}), Freshness(0, 0), Freshness(0, 0))
    body, _, _ = body_of_chain(snapshot)
    assert body["before_stream"] == [
        {
            "source": "transcripts",
            "since": "24h",
            "states": {"written": 8, "missing": 2},
            "missing": 2,
            "equation": "10 lines = 8 written + 2 missing",
        }
    ]
    assert "before_stream" in model.model_fields
