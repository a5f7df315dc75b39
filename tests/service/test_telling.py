"""The service tells people of what it sees, by the settings in force."""

import json
import time
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.demo.faults import DEAD_PID, healthy
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.http_server.listening import ListenAddress, bound, url_of
from blueplane_doctor.notifying.state import read_state
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.telling import page_at, telling
from tests.helpers import settings_for
from tests.notifying.replay import START

SILENT: list[str] = []


def service_for(pipeline: Pipeline, told: Path) -> HealthService:
    return HealthService(settings_for(pipeline, notify=[{"command": ["tee", "-a", str(told)]}]))


def shown_messages(service: HealthService) -> list[Any]:
    """What the page shows of them."""
    record = service.current().report.metrics["notifications"]
    return [] if record is None else record["messages"]


def wait_for_a_sample(home: Path) -> None:
    """Until a sample was taken."""
    while True:
        state = read_state(home)
        if state is not None and state.watch.last_sample:
            return
        time.sleep(0.02)


def test_it_samples_what_the_service_sees(pipeline: Pipeline, tmp_path: Path) -> None:
    healthy(pipeline)
    with service_for(pipeline, tmp_path / "told") as service, telling(service, SILENT.append, every=0.2):
        wait_for_a_sample(pipeline.home)
    state = read_state(pipeline.home)
    assert state is not None
    assert not [one for one in state.watch.incidents.values() if one.is_open]
    assert SILENT == []


@pytest.mark.slow
def test_a_fault_is_told_with_the_page(pipeline: Pipeline, tmp_path: Path) -> None:
    told = tmp_path / "told"
    page = "http://127.0.0.1:8788/"
    minutes = count(START, 60.0)
    healthy(pipeline)
    pipeline.write_pid_file(DEAD_PID)
    clock = partial(next, minutes)
    with service_for(pipeline, told) as service, telling(service, SILENT.append, page, every=0.1, clock=clock):
        while not (told.exists() and told.read_text().endswith("\n")):
            time.sleep(0.05)
        while not shown_messages(service):
            time.sleep(0.05)
        (message,) = shown_messages(service)
    assert message["target"] == "command 1"
    document = json.loads(told.read_text().splitlines()[0])
    assert "server-down" in document["causes"]
    assert document["body"].endswith(page)


def test_nobody_is_told_before_anything_is_known(pipeline: Pipeline) -> None:
    service = HealthService(settings_for(pipeline, notify=[{"command": ["false"]}]))
    with telling(service, SILENT.append, every=0.05):
        time.sleep(0.2)
    assert read_state(pipeline.home) is None


@pytest.mark.parametrize(
    ("address", "page"),
    [
        (ListenAddress(port=0), "http://127.0.0.1:PORT/"),
        (ListenAddress("0.0.0.0", 0), "http://127.0.0.1:PORT/"),
        (ListenAddress("::1", 0), "http://[::1]:PORT/"),
        (ListenAddress(uds=Path("socket")), ""),
    ],
    ids=["a port that the system chooses", "everywhere", "IPv6", "a unix socket"],
)
def test_the_page_that_messages_name(
    address: ListenAddress, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with bound(address) as listener:
        port = str(listener.getsockname()[1])
        assert page_at(url_of(listener)) == page.replace("PORT", port)
