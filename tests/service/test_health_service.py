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
from blueplane_doctor.model import Status
from blueplane_doctor.service import HealthService
from blueplane_doctor.service.cadence import Cadence, feel
from blueplane_doctor.service.health_service import STALE_SECONDS
from blueplane_hook.spool import Spool
from tests.helpers import examined, finding, settings_for
from tests.servers import require_server
from tests.service.support import LIMIT_SECONDS, locked, wait_until

CALM = ["server", "redis-durability"]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[RunningServer, Pipeline]]:
    """A healthy pipeline on a server of this test's own, which it may stop."""
    with run_server(require_server("valkey-9.1")) as server, Pipeline(server.url, tmp_path / "home") as pipeline:
        faults.healthy(pipeline)
        yield server, pipeline


def service_of(pipeline: Pipeline, **flags: object) -> HealthService:
    return HealthService(settings_for(pipeline, ignore=CALM, **flags))


def until(service: HealthService, *statuses: Status, seconds: float = LIMIT_SECONDS) -> float:
    return wait_until(lambda: service.current().status in statuses, seconds, f"not {statuses}")


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


@pytest.mark.parametrize("waivers", [[], WAIVERS], ids=["all counts", "some is waived"])
def test_it_says_what_the_report_says(pipeline: Pipeline, waivers: list[dict[str, str]]) -> None:
    faults.malformed_payloads(pipeline)
    with service_of(pipeline, waivers=waivers) as service:
        wait_until(service.ready, 10, "not ready")
        said, expected = service.current().report, examined(pipeline, ignore=CALM, waivers=waivers)
        assert [(f.id, f.status, f.waiver) for f in said.findings] == [
            (f.id, f.status, f.waiver) for f in expected.findings
        ]
        assert (said.status, said.counts, said.exit_code) == (expected.status, expected.counts, expected.exit_code)
        chain, record = said.metrics["chain"] or {}, expected.metrics["chain"] or {}
        assert chain["chain_break_count"] == record["chain_break_count"] == 12
        assert chain["states"] == record["states"]


def test_however_many_ask_one_look_answers(pipeline: Pipeline) -> None:
    with service_of(pipeline) as service:
        wait_until(service.ready, 10, "not ready")
        before = service.refreshes["custody"]
        pipeline.client.client_pause(700)  # the look takes so long that all have asked before it ends, on any machine
        askers = [threading.Thread(target=service.refresh) for _ in range(30)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert 1 <= service.refreshes["custody"] - before <= 3


def test_what_is_new_shows_by_itself(pipeline: Pipeline) -> None:
    with service_of(pipeline) as service:
        wait_until(service.ready, 10, "not ready")
        ids = pipeline.enqueue_cursor(2)
        pipeline.deliver("processors")
        pipeline.acknowledge("processors", ids)

        def seen() -> bool:
            return bool((service.current().report.metrics["chain"] or {}).get("chain_break_count") == 2)

        wait_until(seen, 8, "not seen")


@pytest.mark.slow
def test_at_rest_the_stream_is_left_alone(own: tuple[RunningServer, Pipeline]) -> None:
    with service_of(own[1]) as service:
        wait_until(service.ready, 10, "not ready")
        time.sleep(1.5)
        before = service.refreshes["custody"]
        time.sleep(4)
        assert service.refreshes["custody"] <= before + 1
        assert service.refreshes["quick"] >= 4


@pytest.mark.slow
def test_a_redis_that_hangs_shows_within_three_seconds_and_recovers(own: tuple[RunningServer, Pipeline]) -> None:
    server, pipeline = own
    with service_of(pipeline) as service:
        wait_until(service.ready, 10, "not ready")
        assert service.current().status is Status.GREEN
        os.kill(server.pid, signal.SIGSTOP)
        try:
            until(service, Status.RED, Status.UNKNOWN)
            assert service.current().area_status("chain") is Status.UNKNOWN
            assert service.current().area_status("queue") is Status.UNKNOWN
            assert "Redis" in service.current().cause("queue")
        finally:
            os.kill(server.pid, signal.SIGCONT)
        until(service, Status.GREEN, seconds=10)


@pytest.mark.slow
def test_a_database_that_is_locked_or_gone_shows_within_three_seconds(own: tuple[RunningServer, Pipeline]) -> None:
    _, pipeline = own
    away = pipeline.database.with_suffix(".away")
    with service_of(pipeline) as service:
        wait_until(service.ready, 10, "not ready")
        pipeline.database.rename(away)
        until(service, Status.RED, Status.UNKNOWN)
        wait_until(lambda: service.current().area_status("database") is Status.RED, 3, "not red")
        away.rename(pipeline.database)
        until(service, Status.GREEN, seconds=10)
        with locked(pipeline.database):
            until(service, Status.RED, Status.UNKNOWN)
        until(service, Status.GREEN, seconds=10)


def test_a_look_that_never_ends_makes_everything_unknown(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    with service_of(pipeline) as service:
        wait_until(service.ready, 10, "not ready")
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
            wait_until(service.ready, 10, "not ready")
    wait_until(lambda: set(threading.enumerate()) <= before, 3, "a thread stayed")


def test_cadence_is_by_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [50.0]
    monkeypatch.setattr("blueplane_doctor.service.cadence.time.monotonic", lambda: moment[0])
    cadence = Cadence()
    assert cadence.may()
    assert cadence.must()
    cadence.took(0.5)
    for later, may, must in ((4.4, False, False), (4.6, True, False), (179.0, True, False), (180.0, True, True)):
        moment[0] = 50 + later
        assert (cadence.may(), cadence.must()) == (may, must), later


def test_the_pulse_feels_every_step_of_a_message(pipeline: Pipeline) -> None:
    settings = settings_for(pipeline)
    felt = [feel(settings), feel(settings)]
    assert felt[0] == felt[1] is not None
    ids = pipeline.enqueue_cursor(1)
    felt.append(feel(settings))
    entries = pipeline.deliver("processors")
    felt.append(feel(settings))
    pipeline.write(entries)
    felt.append(feel(settings))
    pipeline.acknowledge("processors", ids)
    felt.append(feel(settings))
    pipeline.client.xadd("telemetry:dlq", {"message_id": ids[0]})
    felt.append(feel(settings))
    assert len(set(felt)) == len(felt) - 1


def test_what_hooks_keep_for_later_is_seen_by_the_quick_look(pipeline: Pipeline) -> None:
    Spool(str(pipeline.home)).add(b"{}")
    with service_of(pipeline) as service:
        wait_until(service.ready, 10, "not ready")
        assert finding(service.current().report, "hook-spool").observed == 1
