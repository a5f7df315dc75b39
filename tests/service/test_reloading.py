"""Settings that change while the service runs."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.service.reloading import SettingsReloader
from blueplane_doctor.settings.files import files_of
from blueplane_doctor.settings.values import Settings, load
from tests.waiting import PATIENCE_SECONDS, wait_until

SECRET = "a-password"


class Reloading:
    """A reloader over a home, and what it says."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.lines: list[str] = []
        self.reloader = SettingsReloader(self.load(), self.load, files_of(home), self.lines.append)

    def load(self) -> Settings:
        return load({"home": self.home}).settings

    def write(self, name: str, text: str) -> None:
        (self.home / name).write_text(text, encoding="utf-8")


@pytest.fixture
def reloading(tmp_path: Path) -> Reloading:
    (tmp_path / "config.yaml").write_text("redis: {connection: {host: localhost, port: 6390}}\n")
    return Reloading(tmp_path)


def test_while_no_file_changes_there_is_nothing_new(reloading: Reloading) -> None:
    assert reloading.reloader() is None
    assert reloading.lines == []


@pytest.mark.parametrize("name", ["config.yaml", "doctor.yaml"])
def test_a_changed_file_gives_a_doctor_for_it_once(reloading: Reloading, name: str) -> None:
    url = f"redis://:{SECRET}@localhost:6391/0"
    texts = {"config.yaml": "redis: {connection: {port: 6391}}\n", "doctor.yaml": f"redis_url: {url}\n"}
    reloading.write(name, texts[name])
    doctor = reloading.reloader()
    assert doctor is not None
    assert "6391" in doctor.settings.redis_url
    assert reloading.reloader() is None
    (line,) = reloading.lines
    assert "new settings (redis_url)" in line
    assert "holds until it is restarted" in line
    assert SECRET not in line


def test_a_change_of_nothing_in_force_is_passed_over(reloading: Reloading) -> None:
    reloading.write("config.yaml", "# a comment\nredis: {connection: {host: localhost, port: 6390}}\n")
    assert reloading.reloader() is None
    assert reloading.lines == []


def test_the_same_value_from_another_source_is_no_change(reloading: Reloading) -> None:
    url = reloading.load().redis_url
    reloading.write("doctor.yaml", f"redis_url: {url}\n")
    assert reloading.load().origins_of("redis_url") == [str(reloading.home / "doctor.yaml")]
    assert reloading.reloader() is None
    assert reloading.lines == []


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("timeout: soon\n", "timeout"),
        ("{ half of it", "not valid YAML"),
        ("select: [nothing]\n", "no check is selected"),
    ],
)
def test_settings_that_cannot_be_used_are_told_once_and_the_old_ones_stay(
    reloading: Reloading, text: str, cause: str
) -> None:
    reloading.write("doctor.yaml", text)
    assert [reloading.reloader() for _ in range(3)] == [None] * 3
    (line,) = reloading.lines
    assert "the old ones stay" in line
    assert cause in line
    reloading.write("doctor.yaml", "timeout: 12\n")
    doctor = reloading.reloader()
    assert doctor is not None
    assert doctor.settings.timeout == 12


def test_a_file_that_goes_is_a_change_too(reloading: Reloading) -> None:
    (reloading.home / "config.yaml").unlink()
    doctor = reloading.reloader()
    assert doctor is not None
    assert doctor.settings.redis_url.endswith(":6379/0")


def config_for(server: RunningServer) -> str:
    port = server.url.rpartition(":")[2].partition("/")[0]
    return f"redis: {{connection: {{host: 127.0.0.1, port: {port}}}}}\n"


@pytest.mark.slow
def test_serve_examines_another_redis_after_config_yaml_has_changed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with run_server(tcp=True) as first, run_server(tcp=True) as second:
        with Pipeline(first.url, home) as pipeline:
            pipeline.enqueue_cursor(3)
        with Pipeline(second.url, home) as pipeline:
            pipeline.enqueue_cursor(5)
        config = home / "config.yaml"
        config.write_text(config_for(first))
        command = [sys.executable, "-m", "blueplane_doctor", "--home", str(home), "serve", "--port", "0"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"NO_PROXY": "*"})
        assert process.stderr
        try:
            url = process.stderr.readline().split()[-1]
            with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS, trust_env=False) as client:

                def depth() -> object:
                    return client.get("/api/v1/health/queue").json()["queue_depth"]

                wait_until(lambda: depth() == 3, "the first Redis is not examined")
                config.write_text(config_for(second))
                wait_until(lambda: depth() == 5, "the second Redis is not examined")
            assert "examining by new settings (redis_url)" in process.stderr.readline()
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
