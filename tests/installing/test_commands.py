"""The commands whole: options, consent, exit codes."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.demo.simulator import Pipeline
from tests.hook.way_in import stream_fields, way_in
from tests.installing.conftest import make_programs, tree


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    programs = make_programs(tmp_path / "bin")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return home


def run(arguments: Sequence[str], **more: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "blueplane_doctor", *arguments]
    options = {"capture_output": True, "text": True, "check": False, "timeout": 60, "stdin": subprocess.DEVNULL}
    return subprocess.run(command, **(options | more))  # type: ignore[call-overload,no-any-return]


def test_install_again_and_uninstall(home: Path, valkey: RunningServer, pipeline: Pipeline) -> None:
    pipeline.client.flushall()
    options = ["--redis-url", valkey.url]
    first = run([*options, "install", "--yes", "--claude"])
    assert (first.returncode, first.stderr) == (0, "")
    for step in ("dependencies:", "redis:", "database:", "hooks:", "services:", "verify:"):
        assert step in first.stdout
    assert "RED" in first.stdout  # the doctor ran: there is no server
    assert "blueplane-doctor probe" in first.stdout
    after = tree(home)
    assert {".cursor/hooks.json", ".claude/settings.json", ".blueplane/telemetry.db"} <= set(after)
    assert run([*options, "install", "--yes", "--claude"]).returncode == 0
    assert tree(home) == after
    last = run([*options, "uninstall", "--yes"])
    assert (last.returncode, last.stderr) == (0, "")
    assert tree(home) == {}
    assert pipeline.client.keys() == []


def test_a_dry_run_changes_nothing(home: Path, valkey: RunningServer, pipeline: Pipeline) -> None:
    pipeline.client.flushall()
    done = run(["--redis-url", valkey.url, "install", "--dry-run"])
    assert (done.returncode, done.stderr) == (0, "")
    assert "+++ " in done.stdout and "> XGROUP CREATE" in done.stdout and "[Service]" in done.stdout
    assert tree(home) == {}
    assert pipeline.client.keys() == []


def test_with_nobody_to_ask_nothing_changes(home: Path) -> None:
    done = run(["install", "--only", "hooks"])
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert tree(home) == {}


@pytest.mark.parametrize(("answer", "changed"), [("y", True), ("n", False), ("", False)])
def test_a_person_is_asked(home: Path, answer: str, changed: bool) -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer.encode() + b"\n")
        done = run(["install", "--only", "hooks"], stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    assert "[y/N]" in done.stderr
    assert bool(tree(home)) is changed


def test_only_the_named_steps_are_done(home: Path) -> None:
    assert run(["install", "--yes", "--only", "hooks", "--only", "database"]).returncode == 0
    assert ".config" not in tree(home)
    assert run(["uninstall", "--yes", "--only", "hooks"]).returncode == 0
    assert ".cursor" not in tree(home) and ".blueplane/telemetry.db" in tree(home)
    assert run(["uninstall", "--yes"]).returncode == 0
    assert tree(home) == {}
    again = run(["uninstall", "--yes"])
    assert (again.returncode, again.stdout.startswith("nothing to undo")) == (0, True)


def test_paths_that_were_given_relative_hold_from_everywhere(home: Path) -> None:
    (home / "work").mkdir()
    options = ["--home", "my home", "install", "--yes", "--only", "hooks", "--only", "database"]
    assert run(options, cwd=home / "work").returncode == 0
    assert str(home / "work" / "my home") in (home / ".cursor" / "hooks.json").read_text()
    assert run(["--home", "work/my home", "uninstall", "--yes"], cwd=home).returncode == 0
    assert set(tree(home)) == {"work"}


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_an_unknown_step_is_a_usage_error(home: Path, command: str) -> None:
    done = run([command, "--only", "everything", "--yes"])
    assert done.returncode == 2
    assert "dependencies, redis, database, hooks, services, verify" in done.stderr


def test_windows_is_refused_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    from blueplane_doctor.commands import install
    from blueplane_doctor.errors import UsageError

    install.refuse_windows()
    with monkeypatch.context() as patched:
        patched.setattr(install.os, "name", "nt")
        with pytest.raises(UsageError, match="not on Windows"):
            install.refuse_windows()


def test_a_step_that_fails_leaves_the_others_their_chance(home: Path) -> None:
    (home / ".cursor").mkdir()
    (home / ".cursor" / "hooks.json").write_text("{broken")
    done = run(["install", "--yes", "--only", "hooks", "--only", "services"])
    assert done.returncode == 1
    assert "not valid JSON" in done.stdout
    assert (home / ".cursor" / "hooks.json").read_text() == "{broken"
    assert any(name.endswith(".service") for name in tree(home))


@pytest.mark.parametrize("name", ["install", "uninstall"])
def test_the_commands_of_blueplane_read_their_own_arguments(home: Path, name: str) -> None:
    code = f"from blueplane_doctor.__main__ import {name}; {name}()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--only", "hooks", "--dry-run"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert ("hooks: " in done.stdout) is (name == "install")


def test_a_probe_that_arrives_and_one_that_does_not(home: Path, pipeline: Pipeline) -> None:
    def write(body: dict[str, object]) -> None:
        pipeline.client.xadd(pipeline.queue, stream_fields(body))
        pipeline.drain("processors")

    with way_in(write) as server:
        environment = os.environ | {"BLUEPLANE_DOCTOR_HTTP_URL": server.url}
        options = ["--home", str(pipeline.home), "--redis-url", pipeline.redis_url, "probe"]
        unasked = run(options, env=environment)
        arrived = run([*options, "--yes", "--format", "json"], env=environment)
        server.status = 503
        lost = run([*options, "--yes", "--wait", "0.2"], env=environment)
    assert (unasked.returncode, unasked.stdout) == (2, "")
    assert (arrived.returncode, arrived.stderr) == (0, "")
    assert json.loads(arrived.stdout)["arrived"] is True
    assert lost.returncode == 1
    assert "It did not arrive" in lost.stdout and "SELECT * FROM cursor_raw_traces" in lost.stdout
