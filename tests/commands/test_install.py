"""The commands whole: options, consent, exit codes."""

import os
import pty
from pathlib import Path

import pytest

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.demo.simulator import Pipeline
from tests.doctor_command import run
from tests.installing.conftest import tree
from tests.parameters import one_quick


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_dry_run_changes_nothing(home: Path, valkey: RunningServer, pipeline: Pipeline) -> None:
    pipeline.client.flushall()
    done = run(["--redis-url", valkey.url, "install", "--dry-run"])
    assert (done.returncode, done.stderr) == (0, "")
    assert "+++ " in done.stdout and "> XGROUP CREATE" in done.stdout and "[Service]" in done.stdout
    assert tree(home) == {}
    assert pipeline.client.keys() == []


@pytest.mark.slow
def test_with_nobody_to_ask_nothing_changes(home: Path) -> None:
    done = run(["install", "--only", "hooks"])
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert tree(home) == {}


@pytest.mark.slow
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


@pytest.mark.parametrize("command", one_quick(["install", "uninstall"]))
def test_an_unknown_step_is_a_usage_error(home: Path, command: str) -> None:
    done = run([command, "--only", "everything", "--yes"])
    assert done.returncode == 2
    assert "dependencies, redis, database, hooks, notify, services, verify" in done.stderr


def test_windows_is_refused_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    from blueplane_doctor.commands import install
    from blueplane_doctor.errors import UsageError

    install.refuse_windows()
    with monkeypatch.context() as patched:
        patched.setattr(install.os, "name", "nt")
        with pytest.raises(UsageError, match="not on Windows"):
            install.refuse_windows()


@pytest.mark.slow
def test_a_step_that_fails_leaves_the_others_their_chance(home: Path) -> None:
    (home / ".cursor").mkdir()
    (home / ".cursor" / "hooks.json").write_text("{broken")
    done = run(["install", "--yes", "--only", "hooks", "--only", "services"])
    assert done.returncode == 1
    assert "not valid JSON" in done.stdout
    assert (home / ".cursor" / "hooks.json").read_text() == "{broken"
    assert any(name.endswith(".service") for name in tree(home))
