"""Defaults that stand in for settings that cannot be used, against real servers."""

import os
from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.monitoring.stand_ins import is_port_known, is_redis_known
from blueplane_doctor.settings.values import Settings, load
from blueplane_doctor.sources.server_process import RUNNING, ServerProcess
from tests.helpers import settings_for


def knows_redis(settings: Settings, *, is_seen: bool = False) -> bool:
    examination = Examination(settings)
    try:
        return is_redis_known(examination, is_seen=is_seen)
    finally:
        examination.close()


@pytest.mark.server
def test_a_default_address_is_known_by_the_queue_that_is_there(any_pipeline: Pipeline) -> None:
    named = settings_for(any_pipeline)
    default = named.model_copy(update={"origins": {}, "left_out": {"": "config.yaml: line 2: not valid YAML"}})
    assert knows_redis(default)
    any_pipeline.client.flushall()
    assert not knows_redis(default)
    assert knows_redis(default, is_seen=True)
    assert knows_redis(named)


@pytest.mark.server
def test_a_default_address_is_that_of_the_settings_where_they_name_none(any_pipeline: Pipeline) -> None:
    any_pipeline.client.flushall()
    of_another = {"origins": {}, "left_out": {"http_url": "config.yaml: http_endpoint: no port"}}
    assert knows_redis(settings_for(any_pipeline).model_copy(update=of_another))


def knows_port(home: Path, config: str, **flags: object) -> bool:
    """Of a home with that config.yaml, and a server.pid that names this very process."""
    (home / "config.yaml").write_text(config)
    settings = load({"home": home, **flags}, for_examination=True).settings
    return is_port_known(settings, ServerProcess(os.getpid(), RUNNING))


PORT = "http_endpoint:\n  port: 9123\n"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (PORT, True),
        ("redis: {}\n", True),
        (f"{PORT}a: [1\n", False),
        ("http_endpoint:\n  port: no-number\n", False),
        (f"{PORT}redis:\n  connection:\n    port: no-number\n", True),
    ],
    ids=["named", "the default", "no YAML", "no port", "another value"],
)
def test_a_port_that_a_broken_file_may_name_is_not_known(tmp_path: Path, config: str, expected: bool) -> None:
    assert knows_port(tmp_path, config) is expected


def test_a_port_that_an_option_names_is_known(tmp_path: Path) -> None:
    assert knows_port(tmp_path, "a: [1", http_url="http://127.0.0.1:9123")


def test_the_default_port_is_known_where_the_server_itself_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blueplane_doctor.monitoring.stand_ins.server_at", lambda url: os.getpid())
    assert knows_port(tmp_path, "a: [1")
    monkeypatch.setattr("blueplane_doctor.monitoring.stand_ins.server_at", lambda url: os.getppid())
    assert not knows_port(tmp_path, "a: [1")
