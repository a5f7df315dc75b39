"""The wiring of capture: each fault is found with its place, nothing is run, and what is private stays private."""

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor import __version__
from blueplane_doctor.capture import hook_wiring
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring.capture_wiring import CaptureWiring
from tests.monitoring.support import collected

CONVERSATIONS = """CREATE TABLE conversations (id TEXT PRIMARY KEY, external_id TEXT, platform TEXT, started_at TEXT,
    ended_at TEXT, context TEXT)"""


@pytest.fixture
def user(guarded_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home on a Linux whose managed settings are the test's own."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(hook_wiring, "_MANAGED_ELSEWHERE", tmp_path / "managed")
    return guarded_home


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def hook(folder: Path, name: str = "blueplane-hook") -> str:
    program = write(folder / name, "#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    return str(program)


def settings(command: str, **more: Any) -> dict[str, Any]:
    return {"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": command}]}]}, **more}


def begin_session(pipeline: Pipeline, workspace: str, *, ended: str | None = None) -> None:
    with closing(sqlite3.connect(pipeline.home / "telemetry.db")) as connection:
        connection.execute(CONVERSATIONS.replace("TABLE", "TABLE IF NOT EXISTS"))
        began = pipeline.clock().isoformat()
        values = (workspace, workspace, "claude_code", began, ended, json.dumps({"workspace_path": workspace}))
        connection.execute("INSERT INTO conversations VALUES (?, ?, ?, ?, ?, ?)", values)
        connection.commit()


def faults(pipeline: Pipeline, **flags: Any) -> list[tuple[str, str, str]]:
    record = collected(CaptureWiring, pipeline, **flags)
    return [(one.kind, one.place, one.entry) for one in record.faults]


def test_without_editors_there_is_nothing(pipeline: Pipeline, user: Path) -> None:
    record = collected(CaptureWiring, pipeline)
    assert (record.cursor_is_there, record.claude_is_there, record.faults) == (False, False, [])


def test_good_wiring_has_no_fault(pipeline: Pipeline, user: Path) -> None:
    command = hook(user / "bin")
    write(user / ".claude" / "settings.json", settings(f"{command} SessionStart"))
    write(user / ".cursor" / "hooks.json", {"version": 1, "hooks": {"stop": [{"command": f"{command} stop"}]}})
    begin_session(pipeline, "/home/me/app")
    record = collected(CaptureWiring, pipeline, cursor_hooks=user / ".cursor" / "hooks.json")
    assert record.faults == []
    assert (record.cursor_commands, record.claude_commands, record.claude_is_there) == (1, 1, True)
    assert (record.open_sessions, record.unfindable_sessions) == (1, 0)
    assert record.package_version == __version__


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{,", ("not_used", "Claude Code's settings.json", "")),
        ({"hooks": {"Stop": [{"hooks": 5}]}}, ("not_used", "Claude Code's settings.json", "hooks.Stop[0].hooks")),
        ({"hooks": {"Unheard": []}}, ("may_be_skipped", "Claude Code's settings.json", "")),
        (settings("/gone/blueplane-hook x"), ("command_missing", "Claude Code's settings.json", "SessionStart")),
        (settings("gone-entirely x"), ("command_not_on_path", "Claude Code's settings.json", "SessionStart")),
    ],
)
def test_a_fault_of_claudes_settings(pipeline: Pipeline, user: Path, content: Any, fault: tuple[str, str, str]) -> None:
    write(user / ".claude" / "settings.json", content)
    assert faults(pipeline) == [fault]


def test_a_fault_of_cursors_hooks(pipeline: Pipeline, user: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "hooks.json", '\ufeff{"hooks": {}}')
    assert faults(pipeline, cursor_hooks=path) == [("not_used", "Cursor's hooks.json", "")]
    plain = write(tmp_path / "plain", "")
    write(path, {"hooks": {"stop": [{"command": f"{plain} --blueplane"}]}})
    assert faults(pipeline, cursor_hooks=path) == [("command_not_executable", "Cursor's hooks.json", "stop")]


def test_a_command_of_somebody_else_is_told_apart(pipeline: Pipeline, user: Path) -> None:
    write(user / ".claude" / "settings.json", settings("/gone/lint"))
    (fault,) = collected(CaptureWiring, pipeline).faults
    assert not fault.ours


def test_hooks_that_are_switched_off(pipeline: Pipeline, user: Path) -> None:
    path = user / ".claude" / "settings.json"
    command = hook(user / "bin")
    write(path, settings(command, disableAllHooks=True))
    assert faults(pipeline) == [("hooks_disabled", "Claude Code's settings.json", "disableAllHooks")]
    write(path, {"disableAllHooks": True})
    assert faults(pipeline) == [], "none of the pipeline is there"


def test_managed_settings(pipeline: Pipeline, user: Path, tmp_path: Path) -> None:
    path = user / ".claude" / "settings.json"
    command = hook(user / "bin")
    write(path, settings(command))
    managed = tmp_path / "managed" / "managed-settings.json"
    write(managed, {"allowManagedHooksOnly": True})
    assert faults(pipeline) == [("managed_only", "Claude Code's managed settings", "allowManagedHooksOnly")]
    write(managed, settings(command, allowManagedHooksOnly=True))
    write(path, settings(command, disableAllHooks=True))
    assert faults(pipeline) == [], "a user's settings do not switch off managed hooks"
    write(managed.with_name("managed-settings.d") / "more.json", {"disableAllHooks": True})
    assert faults(pipeline) == [("hooks_disabled", "Claude Code's managed settings", "disableAllHooks")]
    write(path, {"allowManagedHooksOnly": True})
    managed.unlink()
    assert faults(pipeline) == [], "only managed settings can say so"


def test_the_settings_of_an_open_sessions_project(pipeline: Pipeline, user: Path, tmp_path: Path) -> None:
    write(user / ".claude" / "settings.json", settings(hook(user / "bin")))
    project = tmp_path / "project"
    begin_session(pipeline, str(project))
    write(project / ".claude" / "settings.json", "{ // not ours")
    write(project / ".claude" / "settings.local.json", {"disableAllHooks": True})
    found = [fault for fault in faults(pipeline) if fault[0] != "folder_not_found"]
    assert found == [("hooks_disabled", "settings.local.json of an open session's project", "disableAllHooks")]


def test_the_folder_of_an_open_session_that_the_server_cannot_find(pipeline: Pipeline, user: Path) -> None:
    begin_session(pipeline, "/home/me/app")
    begin_session(pipeline, "/home/me/my_app")
    begin_session(pipeline, "/home/me/site.v2", ended="2026-01-01T00:00:00+00:00")
    begin_session(pipeline, "")
    record = collected(CaptureWiring, pipeline)
    assert (record.open_sessions, record.unfindable_sessions) == (3, 1)
    assert [fault.kind for fault in record.faults] == ["folder_not_found"]
    assert "my_app" not in record.model_dump_json()
    (user / ".claude" / "projects" / "-home-me-my_app").mkdir(parents=True)
    assert collected(CaptureWiring, pipeline).unfindable_sessions == 0, "somebody made a link for the server"


def test_hooks_that_are_gone_although_sessions_were_told(pipeline: Pipeline, user: Path, tmp_path: Path) -> None:
    path = write(user / ".claude" / "settings.json", {"hooks": {"Stop": []}})
    assert faults(pipeline) == [], "no session was ever told"
    begin_session(pipeline, "/home/me/app", ended=pipeline.clock().isoformat())
    assert faults(pipeline) == [("hooks_missing", "Claude Code's settings.json", "SessionStart")]
    write(path, "{,")
    assert [kind for kind, *_ in faults(pipeline)] == ["not_used"], "of an unused file that is told"
    path.unlink()
    assert faults(pipeline) == [], "where there is no file, another home may have it"
    write(tmp_path / "managed" / "managed-settings.json", settings(hook(user / "bin")))
    write(path, {})
    assert faults(pipeline) == [], "managed settings have the hook"


def test_another_folder_of_claude_codes_own_is_examined_and_told(
    pipeline: Pipeline, user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    (tmp_path / "claude" / "projects").mkdir(parents=True)
    assert faults(pipeline) == [], "nothing of the pipeline is there"
    write(tmp_path / "claude" / "settings.json", settings(hook(user / "bin")))
    elsewhere = ("folder_elsewhere", "the folder of Claude's transcripts", "")
    assert faults(pipeline) == [elsewhere]
    write(tmp_path / "claude" / "settings.json", "{,")
    write(user / ".claude" / "settings.json", settings(hook(user / "bin")))
    assert faults(pipeline) == [("not_used", "Claude Code's settings.json", ""), elsewhere]
    (user / ".claude" / "projects").symlink_to(tmp_path / "claude" / "projects")
    assert faults(pipeline) == [("not_used", "Claude Code's settings.json", "")]


def test_sessions_that_cannot_be_read_are_not_known(pipeline: Pipeline, user: Path) -> None:
    (pipeline.home / "telemetry.db").unlink()
    record = collected(CaptureWiring, pipeline)
    assert (record.open_sessions, record.unfindable_sessions) == (None, None)
    assert "does not exist" in record.sessions_cause


def test_an_extension_that_is_gone(pipeline: Pipeline, user: Path) -> None:
    (user / ".config" / "Cursor" / "User").mkdir(parents=True)
    assert faults(pipeline) == [], "Cursor was never captured"
    pipeline.open_session()
    assert faults(pipeline) == [("extension_missing", "Blueplane's extension in Cursor", "")]
    extension = user / ".cursor" / "extensions" / "blueplane.blueplane-cursor-telemetry-0.1.0"
    write(extension / "package.json", {"version": "0.1.0"})
    record = collected(CaptureWiring, pipeline)
    assert (record.faults, record.extension_versions) == ([], ["0.1.0"])


def test_hook_service_and_package_have_one_version(pipeline: Pipeline, user: Path, tmp_path: Path) -> None:
    for name, version in (("same", __version__), ("other", "9.9.9")):
        (tmp_path / name / "lib/python3.11/site-packages" / f"blueplane_doctor-{version}.dist-info").mkdir(parents=True)
    unit = user / ".config" / "systemd" / "user" / "blueplane-doctor-record.service"
    write(unit, f"ExecStart={hook(tmp_path / 'same' / 'bin', 'blueplane-doctor')} record\n")
    write(user / ".claude" / "settings.json", settings(f"{hook(tmp_path / 'same' / 'bin')} x"))
    assert faults(pipeline) == []
    write(user / ".claude" / "settings.json", settings(f"{hook(tmp_path / 'other' / 'bin')} x"))
    write(unit, f"ExecStart={hook(tmp_path / 'other' / 'bin', 'blueplane-doctor')} record\n")
    record = collected(CaptureWiring, pipeline)
    assert [(one.kind, one.place) for one in record.faults] == [
        ("versions_differ", "blueplane-hook"),
        ("versions_differ", "the installed services"),
    ]
    assert (record.hook_versions, record.service_versions) == (["9.9.9"], ["9.9.9"])
