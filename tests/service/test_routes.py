"""Every endpoint says what the requirements name, and how old it is."""

import json
import subprocess
from datetime import datetime

import pytest

from blueplane_doctor.demo import faults
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import Sample, minute_of
from tests.helpers import examined
from tests.preloaded import preloaded_doctor
from tests.service.support import Served, serving
from tests.waiting import wait_until

ROOT = "/api/v1/health"
QUEUE = (
    *("queue_depth", "pending_messages", "oldest_pending_age_ms", "consumer_count", "processing_rate_events_per_sec"),
    *("dlq_size", "dlq_recent_entries", "enqueue_rate_events_per_sec", "consumer_lag_ms"),
)
DATABASE = (
    *("write_success_count", "write_failure_count", "write_success_rate", "write_latency_p95_ms"),
    *("write_throughput_events_per_sec", "last_successful_write_timestamp", "last_failed_write_timestamp"),
    *("db_size_mb", "wal_size_mb"),
)
HOOKS = (
    *("total_executions", "success_count", "failure_count", "success_rate", "last_execution_timestamp"),
    "hooks_active",
)
MONITOR = (
    *("active", "sessions_monitored", "events_captured", "last_activity_timestamp", "errors_count"),
    "ingest_rate_events_per_min",
)
CHAIN = (
    *("messages_enqueued_last_hour", "messages_written_last_hour", "messages_in_dlq", "chain_break_count"),
    *("last_chain_break_timestamp", "success_rate"),
)
AROUND = {"age_ms", "status", "measured_at", "stale_after", "health_status", "cause"}
ENDPOINTS = [ROOT, *(f"{ROOT}/{name}" for name in ("queue", "database", "capture", "chain", "findings")), "/health"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "names"),
    [
        pytest.param("queue", QUEUE, id="queue"),
        pytest.param("database", DATABASE, id="database"),
        pytest.param("capture", ("cursor_hooks", "database_monitor", "capture_rate_events_per_min"), id="capture"),
        pytest.param("chain", (*CHAIN, "chain_status", "before_stream"), id="chain"),
    ],
)
def test_the_names_are_those_of_the_requirements(served: Served, name: str, names: tuple[str, ...]) -> None:
    answer = served.get(f"{ROOT}/{name}")
    assert answer.status_code == 200
    assert set(answer.json()) == AROUND | set(names)
    assert answer.json()["health_status"] == "green"


def test_what_is_nested_in_capture_too(served: Served) -> None:
    body = served.get(f"{ROOT}/capture").json()
    assert set(body["cursor_hooks"]) == set(HOOKS)
    assert set(body["database_monitor"]) == set(MONITOR)
    assert len(body["cursor_hooks"]["hooks_active"]) == 6


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_answer_tells_its_age_and_has_a_tag(served: Served, path: str) -> None:
    answer = served.get(path)
    body = answer.json()
    measured, stale = (datetime.fromisoformat(body[key]) for key in ("measured_at", "stale_after"))
    assert 0 <= body["age_ms"] < 70_000
    assert measured < stale
    assert answer.headers["etag"].startswith('W/"')
    assert answer.headers["age"].isdigit()


def test_the_same_evidence_is_not_sent_twice(served: Served) -> None:
    def unchanged() -> bool:
        first = served.get(f"{ROOT}/chain")
        again = served.get(f"{ROOT}/chain", headers={"If-None-Match": first.headers["etag"]})
        return again.status_code == 304 and again.content == b""

    wait_until(unchanged, "no answer stayed the same")
    assert served.get(f"{ROOT}/chain", headers={"If-None-Match": '"other"'}).status_code == 200


def test_overall_is_the_worst_of_all(served: Served) -> None:
    body = served.get(ROOT).json()
    assert body["health_status"] == "green"
    assert {"queue", "database", "capture", "chain"} <= set(body["areas"])
    assert served.get("/health").json()["status"] == "healthy"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes(served: Served, path: str) -> None:
    assert served.get(path).json() == {"status": "ok"}


def test_head_is_a_get_without_a_body(served: Served) -> None:
    answer = served.client.head("/health")
    assert (answer.status_code, answer.content) == (200, b"")


def test_metrics_are_those_of_the_report_and_their_age(served: Served) -> None:
    answer = served.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "blueplane_doctor_report_status 0.0" in answer.text
    assert 'blueplane_doctor_refreshes_total{look="quick"}' in answer.text


def test_a_message_is_followed(served: Served, healthy: Pipeline) -> None:
    newest = str(healthy.client.xrevrange(healthy.queue, count=1)[0][0])
    answer = served.get(f"{ROOT}/trace/{newest}")
    assert answer.status_code == 200
    assert answer.json()["state"] in ("written", "skipped")
    assert served.get(f"{ROOT}/trace/1-1").status_code == 404


def test_the_history_comes_in_steps(served: Served, healthy: Pipeline) -> None:
    assert served.get(f"{ROOT}/history", params={"metric": "queue.queue_depth"}).status_code == 404
    import time

    storage = HealthMetricsStorage(healthy.redis_url)
    storage.write(Sample(minute_of(time.time() - 60), {"queue.stuck": 7.0}))
    storage.close()
    answer = served.get(f"{ROOT}/history", params={"metric": "queue.stuck", "since": "10m", "step": "1m"})
    assert answer.status_code == 200
    assert 7.0 in [value for _, value in answer.json()["points"]]


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({}, id="no metric"),
        pytest.param({"metric": "x", "since": "tomorrow"}, id="no span"),
        pytest.param({"metric": "x", "step": "7s"}, id="no whole minutes"),
        pytest.param({"metric": "x", "since": "30d"}, id="longer than kept"),
        pytest.param({"metric": "x", "since": "7d", "step": "1m"}, id="too many steps"),
        pytest.param({"metric": "x", "since": "0s"}, id="no time at all"),
    ],
)
def test_questions_without_sense_are_refused(served: Served, query: dict[str, str]) -> None:
    answer = served.get(f"{ROOT}/history", params=query)
    assert answer.status_code == 422
    assert answer.json()["error"]


def test_the_chain_is_the_reports_own(served: Served, healthy: Pipeline) -> None:
    chain = served.get(f"{ROOT}/chain").json()
    record = examined(healthy).metrics["chain"] or {}
    assert {name: chain[name] for name in CHAIN} == {name: record[name] for name in CHAIN}
    assert chain["chain_status"] == record["chain_status"] == "healthy"


@pytest.mark.slow
def test_the_chain_is_that_of_the_command_line(pipeline: Pipeline) -> None:
    faults.malformed_payloads(pipeline)
    home, url = str(pipeline.home), pipeline.redis_url
    command = [*preloaded_doctor(), "--home", home, "--redis-url", url, "--format", "json"]
    with serving(pipeline) as service:
        service.ready()
        before = service.get(f"{ROOT}/chain").json()
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        after = service.get(f"{ROOT}/chain").json()
    told = json.loads(ran.stdout)["metrics"]["chain"]
    names = (*CHAIN, "chain_status")
    assert {name: before[name] for name in names} == {name: told[name] for name in names}
    assert {name: after[name] for name in names} == {name: told[name] for name in names}
    assert told["chain_break_count"] == 12


def test_the_document_has_an_example_for_every_field(served: Served) -> None:
    document = served.get("/openapi.json").json()
    queue = document["components"]["schemas"]["Queue"]["properties"]
    assert all("examples" in queue[name] for name in QUEUE)
    assert {*ENDPOINTS, "/metrics", "/healthz", "/readyz", f"{ROOT}/history"} <= set(document["paths"])


@pytest.mark.slow
def test_red_is_503_and_orange_too_where_asked(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(3)
    pipeline.step("processors")
    entry = pipeline.enqueue_cursor(1)
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", entry)  # acknowledged, never written: one break, orange
    pipeline.drain("claude_processors")
    for options, code in (((), 200), (("--unhealthy-at", "orange"), 503)):
        with serving(pipeline, *options) as service:
            service.ready()
            answer = service.get(f"{ROOT}/chain")
            assert answer.json()["health_status"] == "orange", json.dumps(answer.json())
            assert answer.json()["chain_break_count"] == 1
            assert answer.status_code == code
            assert answer.json()["status"] == ("healthy" if code == 200 else "unhealthy")
