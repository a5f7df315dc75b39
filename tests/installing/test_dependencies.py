"""What has to be there: found, or named with the command for this platform."""

from collections.abc import Callable

import pytest

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.installing import dependencies
from blueplane_doctor.installing.dependencies import DependenciesStep, command_for
from tests.installing.conftest import Person

STEP = DependenciesStep()


def test_with_everything_there_it_is_content(make_person: Callable[..., Person], any_server: RunningServer) -> None:
    person = make_person(redis_url=any_server.url)
    assert person.install(STEP)
    for name in ("Python", "SQLite", "eviction", "disk", "permissions"):
        assert any(line.strip().startswith("ok") and name in line for line in person.said), name
    assert any(line.strip().startswith("advice") and "persistence" in line for line in person.said)
    assert person.tree() == {}


def test_without_redis_it_names_the_command(make_person: Callable[..., Person]) -> None:
    person = make_person(redis_url="redis://127.0.0.1:1/0")
    assert not person.install(STEP)
    assert "missing Redis" in person.text and command_for("redis", "linux") in person.text


def test_too_little_room_and_old_versions_are_missing(
    make_person: Callable[..., Person], valkey: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "FREE_BYTES", 1 << 60)
    monkeypatch.setattr(dependencies, "OLDEST_REDIS", (99, 0))
    monkeypatch.setattr(dependencies, "OLDEST_SQLITE", (99, 0))
    person = make_person(redis_url=valkey.url)
    assert not person.install(STEP)
    assert [line.split(":")[0].split() for line in person.said if "missing" in line] == [
        ["missing", "SQLite"],
        ["missing", "Valkey"],
        ["missing", "disk"],
    ]


@pytest.mark.parametrize(
    ("platform", "manager", "command"),
    [
        ("darwin", "", "brew install redis"),
        ("linux", "apt-get", "apt-get install redis-server"),
        ("linux", "dnf", "dnf install valkey"),
        ("linux", "", "from your distribution"),
        ("win32", "", "from your distribution"),
    ],
)
def test_the_command_is_that_of_the_platform(
    monkeypatch: pytest.MonkeyPatch, platform: str, manager: str, command: str
) -> None:
    monkeypatch.setattr(dependencies.shutil, "which", lambda name: name if name == manager else None)
    assert command in command_for("redis", platform)
