"""Which records wait while earlier reads of them hang; and a service beside pipes in the place of its files."""

import os

import pytest

from blueplane_doctor.demo import faults
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.service import hanging
from blueplane_doctor.service.hanging import HANGING_READS, HangingReads
from tests.service.support import serving
from tests.waiting import wait_until


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by the monotonic clock, to be changed."""
    now = [100.0]
    monkeypatch.setattr(hanging.time, "monotonic", lambda: now[0])
    return now


def test_each_read_that_hangs_doubles_the_pause_of_its_record_alone(moment: list[float]) -> None:
    reads = HangingReads()
    both = ["server", "queue"]
    assert reads.held_back(both, {}, 1.0) == {}
    for count, pause in ((1, 1), (2, 2), (3, 4)):
        assert list(reads.held_back(both, {"server": count}, 1.0)) == ["server"]
        moment[0] += pause - 0.1
        assert list(reads.held_back(both, {"server": count}, 1.0)) == ["server"]
        moment[0] += 0.2
        assert reads.held_back(both, {"server": count}, 1.0) == {}
    assert reads.held_back(both, {"server": 0}, 1.0) == {}
    assert reads.held_back(["server"], {"server": 1}, 1.0) == {"server": "an earlier read still hangs"}, "anew"


def test_while_many_of_one_record_hang_none_is_begun(moment: list[float]) -> None:
    reads = HangingReads()
    reads.held_back(["server"], {"server": HANGING_READS}, 1.0)
    moment[0] += 1_000_000
    assert reads.held_back(["server"], {"server": HANGING_READS}, 1.0) == {"server": "8 earlier reads still hang"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["server.pid", "server.log"])
def test_a_pipe_in_the_place_of_a_file_blinds_nothing_else(name: str, pipeline: Pipeline) -> None:
    faults.healthy(pipeline)
    with serving(pipeline) as service:
        service.ready()
        threads = service.resources()[0]
        file = pipeline.home / name
        kept = file.read_bytes() if file.exists() else None
        file.unlink(missing_ok=True)
        os.mkfifo(file)
        looks = _quick_looks(service.get("/metrics").text)
        wait_until(lambda: _quick_looks(service.get("/metrics").text) > looks + 4, "it looks no more")
        for area in ("queue", "database", "chain"):
            assert service.status(f"/api/v1/health/{area}") == "green", service.get("/api/v1/health/findings").text
        file.unlink()
        if kept is not None:
            file.write_bytes(kept)
        wait_until(lambda: service.status() == "green", "not green again")
        wait_until(lambda: service.resources()[0] <= threads, "a thread stays")


def _quick_looks(metrics: str) -> float:
    (line,) = [
        line for line in metrics.splitlines() if line.startswith('blueplane_doctor_refreshes_total{look="quick"}')
    ]
    return float(line.split()[-1])
