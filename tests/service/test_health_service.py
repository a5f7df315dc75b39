"""HealthService without HTTP: one look for all who ask, and never an old good answer."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blueplane_doctor.demo import faults
from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import NoChecksError
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.judging.evidence import Evidence
from blueplane_doctor.model import Report, Status
from blueplane_doctor.monitoring.database_health import DatabaseHealth, DatabaseHealthMonitor
from blueplane_doctor.service import HealthService
from blueplane_doctor.service.hanging import HANGING_READS
from blueplane_doctor.service.health_service import STALE_SECONDS
from blueplane_hook.spool import Spool
from tests.helpers import examined, finding, settings_for
from tests.parameters import one_quick
from tests.servers import require_server
from tests.service.support import LIMIT_SECONDS, locked
from tests.waiting import PATIENCE_SECONDS, wait_until

CALM = ["server", "redis-durability"]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[RunningServer, Pipeline]]:
    """A healthy pipeline on a server of this test's own, which it may stop."""
    with run_server(require_server("valkey-9.1")) as server, Pipeline(server.url, tmp_path / "home") as pipeline:
        faults.healthy(pipeline)
        yield server, pipeline


def service_of(pipeline: Pipeline, **flags: object) -> HealthService:
    return HealthService(settings_for(pipeline, ignore=CALM, **flags))


def until(service: HealthService, *statuses: Status, seconds: float = PATIENCE_SECONDS) -> None:
    wait_until(lambda: service.current().status in statuses, f"not {statuses}", seconds)


def test_nothing_is_known_before_the_first_look(pipeline: Pipeline) -> None:
    service = service_of(pipeline)
    assert service.current().status is Status.UNKNOWN
    assert not service.ready()
    assert all(service.current().area_status(name) is Status.UNKNOWN for name in ("queue", "chain", "capture"))


def test_a_selection_of_nothing_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(NoChecksError):
        HealthService(settings_for(pipeline, select=["nothing"]))


WAIVERS = [
    {"id": name, "reason": "known", "owner": "ops", "expires": "2999-01-01"}
    for name in ("chain-breaks", "write-*", "nothing")
]


@pytest.mark.parametrize("waivers", one_quick([[], WAIVERS]), ids=["all counts", "some is waived"])
def test_it_says_what_the_report_says(pipeline: Pipeline, waivers: list[dict[str, str]]) -> None:
    faults.malformed_payloads(pipeline)
    with service_of(pipeline, waivers=waivers) as service:
        wait_until(service.ready, "not ready")
        said, expected = service.current().report, examined(pipeline, ignore=CALM, waivers=waivers)
        assert [(f.id, f.status, f.waiver) for f in said.findings] == [
            (f.id, f.status, f.waiver) for f in expected.findings
        ]
        assert (said.status, said.counts, said.exit_code) == (expected.status, expected.counts, expected.exit_code)

        chain, record = said.metrics["chain"] or {}, expected.metrics["chain"] or {}
        assert chain["chain_break_count"] == record["chain_break_count"] == 12
        assert chain["states"] == record["states"]


def test_it_counts_as_the_report_does_while_redis_is_down(pipeline: Pipeline) -> None:
    """What lies outside Redis is judged in both; no check is `skipped` on the page and `unknown` in the table."""
    expected = examined(pipeline, ignore=CALM, redis_url="redis://127.0.0.1:1/0")
    with service_of(pipeline, redis_url="redis://127.0.0.1:1/0") as service:
        wait_until(lambda: service.current().report.counts == expected.counts, "it counts otherwise")
        said = service.current().report
    assert [(f.id, f.status, f.cause) for f in said.findings] == [(f.id, f.status, f.cause) for f in expected.findings]


@pytest.mark.slow
def test_however_many_ask_one_look_answers(pipeline: Pipeline) -> None:
    with service_of(pipeline) as service:
        wait_until(service.ready, "not ready")
        before = service.refreshes["custody"]
        pipeline.client.client_pause(700)  # the look takes so long that all have asked before it ends, on any machine
        askers = [threading.Thread(target=service.refresh) for _ in range(30)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert 1 <= service.refreshes["custody"] - before <= 3


@pytest.mark.slow
def test_what_is_new_shows_by_itself(pipeline: Pipeline) -> None:
    faults.healthy(pipeline)  # without any row nobody could tell that one is missing
    with service_of(pipeline) as service:
        wait_until(service.ready, "not ready")
        ids = pipeline.enqueue_cursor(2)
        pipeline.deliver("processors")
        pipeline.acknowledge("processors", ids)

        def seen() -> bool:
            return bool((service.current().report.metrics["chain"] or {}).get("chain_break_count") == 2)

        wait_until(seen, "not seen")


@pytest.mark.slow
def test_at_rest_the_stream_is_left_alone(own: tuple[RunningServer, Pipeline]) -> None:
    with service_of(own[1]) as service:
        wait_until(service.ready, "not ready")
        time.sleep(1.5)
        before = service.refreshes["custody"]
        time.sleep(4)
        assert service.refreshes["custody"] <= before + 1
        assert service.refreshes["quick"] >= 4


@pytest.mark.slow
def test_a_redis_that_hangs_shows_within_three_seconds_and_recovers(own: tuple[RunningServer, Pipeline]) -> None:
    server, pipeline = own
    with service_of(pipeline) as service:
        wait_until(service.ready, "not ready")
        assert service.current().status is Status.GREEN
        os.kill(server.pid, signal.SIGSTOP)
        try:
            until(service, Status.RED, Status.UNKNOWN, seconds=LIMIT_SECONDS)
            assert service.current().area_status("chain") is Status.UNKNOWN
            assert service.current().area_status("queue") is Status.UNKNOWN
            assert "Redis" in service.current().cause("queue")
        finally:
            os.kill(server.pid, signal.SIGCONT)
        until(service, Status.GREEN)


@pytest.mark.slow
def test_a_database_that_is_locked_or_gone_shows_within_three_seconds(own: tuple[RunningServer, Pipeline]) -> None:
    _, pipeline = own
    away = pipeline.database.with_suffix(".away")
    with service_of(pipeline) as service:
        wait_until(service.ready, "not ready")
        pipeline.database.rename(away)
        until(service, Status.RED, Status.UNKNOWN, seconds=LIMIT_SECONDS)
        wait_until(lambda: service.current().area_status("database") is Status.RED, "not red")
        away.rename(pipeline.database)
        until(service, Status.GREEN)
        with locked(pipeline.database):
            until(service, Status.RED, Status.UNKNOWN, seconds=LIMIT_SECONDS)
        until(service, Status.GREEN)


def test_a_look_that_never_ends_makes_everything_unknown(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    with service_of(pipeline) as service:
        wait_until(service.ready, "not ready")
        green = service.current()
        assert green.area_status("chain") is Status.GREEN
        later = time.monotonic() + STALE_SECONDS + 0.1
        service.stop()
        monkeypatch.setattr("blueplane_doctor.service.health_service.time.monotonic", lambda: later)
        stale = service.current()
        assert stale.status is Status.UNKNOWN
        assert all(stale.area_status(name) is Status.UNKNOWN for name in ("queue", "database", "capture", "chain"))
        assert service.current() is stale, "made once"


def test_stopping_leaves_no_thread(pipeline: Pipeline) -> None:
    before = set(threading.enumerate())
    service = service_of(pipeline)
    for _ in range(2):
        with service:
            wait_until(service.ready, "not ready")
    wait_until(lambda: set(threading.enumerate()) <= before, "a thread stayed")


def test_what_hooks_keep_for_later_is_seen_by_the_quick_look(pipeline: Pipeline) -> None:
    Spool(str(pipeline.home)).add(b"{}")
    with service_of(pipeline) as service:
        wait_until(service.ready, "not ready")
        assert finding(service.current().report, "hook-spool").observed == 1


@pytest.mark.slow
def test_reads_that_hang_do_not_pile_up_and_it_recovers(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    begun: list[float] = []
    collect = DatabaseHealthMonitor.collect

    def hang(monitor: DatabaseHealthMonitor) -> DatabaseHealth:
        begun.append(time.monotonic())
        gate.wait(3 * PATIENCE_SECONDS)
        return collect(monitor)

    monkeypatch.setattr(DatabaseHealthMonitor, "collect", hang)
    monkeypatch.setattr("blueplane_doctor.service.health_service.QUICK_LIMIT_SECONDS", 0.05)
    monkeypatch.setattr("blueplane_doctor.service.health_service.QUICK_SECONDS", 0.05)
    try:
        with service_of(pipeline) as service:

            def refused() -> bool:
                causes = [one.cause for one in service.current().report.findings]
                return any(f"{HANGING_READS} earlier reads still hang" in cause for cause in causes)

            wait_until(refused, "reads are begun again and again")
            looks = service.refreshes["quick"]
            wait_until(lambda: service.refreshes["quick"] > looks + 5, "no further looks")
            assert len(begun) == HANGING_READS
            # One look may take longer than its limit where others use the processors: the database is out of reach.
            wait_until(lambda: service.current().area_status("database") is Status.UNKNOWN, "what hangs is not unknown")
            wait_until(lambda: service.current().area_status("queue") is Status.GREEN, "only what hangs is unknown")
            monkeypatch.undo()
            gate.set()
            wait_until(lambda: service.current().area_status("database") is Status.GREEN, "it does not recover")
    finally:
        gate.set()


@pytest.mark.slow
def test_new_settings_are_examined_and_nothing_is_taken_over(pipeline: Pipeline) -> None:
    doctors: list[Doctor] = []
    faults.healthy(pipeline)
    service = HealthService(settings_for(pipeline, ignore=CALM), reload=lambda: doctors.pop() if doctors else None)
    with service:
        wait_until(service.ready, "not ready")
        assert service.current().area_status("queue") is Status.GREEN
        doctors.append(Doctor(settings_for(pipeline, ignore=CALM, redis_url="redis://127.0.0.1:1/0")))
        until(service, Status.RED)
        assert service.settings.redis_url == "redis://127.0.0.1:1/0"
        assert service.current().area_status("queue") is Status.UNKNOWN
        doctors.append(Doctor(settings_for(pipeline, ignore=CALM)))
        until(service, Status.GREEN)


@pytest.mark.slow
def test_a_custody_look_by_old_settings_is_not_shown(pipeline: Pipeline) -> None:
    doctors: list[Doctor] = []
    service = HealthService(settings_for(pipeline, ignore=CALM), reload=lambda: doctors.pop() if doctors else None)
    with service:
        wait_until(service.ready, "not ready")
        pipeline.client.client_pause(1500)  # the look that follows began by the old settings
        asking = threading.Thread(target=service.refresh)
        asking.start()
        doctors.append(Doctor(settings_for(pipeline, ignore=CALM, redis_url="redis://127.0.0.1:1/0")))
        until(service, Status.RED)
        asking.join()
        assert service.current().report.metrics["chain"] is None


def test_it_is_not_ready_before_a_snapshot_of_both_looks_is_published(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    judging = threading.Event()
    gate = threading.Event()
    judge = Doctor.judge

    def slow(doctor: Doctor, evidence: Evidence) -> Report:
        if "chain" in evidence.records:
            judging.set()
            gate.wait(3 * PATIENCE_SECONDS)
        return judge(doctor, evidence)

    monkeypatch.setattr(Doctor, "judge", slow)
    service = service_of(pipeline)
    monkeypatch.setattr(service, "_in_time", lambda snapshot: True)  # judging may take long here
    try:
        with service:
            assert judging.wait(PATIENCE_SECONDS)
            assert service.running
            assert not service.ready()
            gate.set()
            wait_until(service.ready, "not ready")
            assert service.current().report.metrics["chain"] is not None
    finally:
        gate.set()
