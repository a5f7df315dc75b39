"""Where Cursor's databases are, which number a workspace has, and which of them the server looks at."""

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources.cursor_places import WATCHED_GLOBAL, cursor_folder, databases
from tests.cursor_files import write_global, write_workspace


@pytest.fixture
def folder(guarded_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Cursor's folder on Linux, whatever the tests run on."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return guarded_home / ".config" / "Cursor" / "User"


def settings(home: Path, **more: object) -> Settings:
    return Settings.model_validate({"home": home / ".blueplane", **more})


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        ("linux", ".config/Cursor/User"),
        ("darwin", "Library/Application Support/Cursor/User"),
        ("win32", "AppData/Roaming/Cursor/User"),
    ],
)
def test_the_usual_folder_of_each_system(
    platform: str, place: str, guarded_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert cursor_folder(Settings()) == guarded_home / place


def test_settings_and_the_environment_name_another_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert cursor_folder(Settings()) == tmp_path / "config" / "Cursor" / "User"
    assert cursor_folder(Settings(cursor_data=tmp_path / "mine")) == tmp_path / "mine"


def test_without_cursor_there_is_no_database(folder: Path) -> None:
    assert databases(Settings()) == []
    folder.mkdir(parents=True)
    (folder / "workspaceStorage").write_text("a file")
    assert databases(Settings()) == []


def test_the_server_looks_at_the_global_database_of_macos_alone(folder: Path, guarded_home: Path) -> None:
    write_global(folder, {})
    assert [(one.workspace, one.is_watched) for one in databases(Settings())] == [(0, False)]
    watched = guarded_home / WATCHED_GLOBAL
    write_global(watched.parents[1], {})
    assert [(one.workspace, one.is_watched) for one in databases(Settings())] == [(0, False), (0, True)]


def test_a_link_makes_the_server_look_there(folder: Path, guarded_home: Path) -> None:
    path = write_global(folder, {})
    watched = guarded_home / WATCHED_GLOBAL
    watched.parent.mkdir(parents=True)
    os.symlink(path, watched)
    assert all(one.is_watched for one in databases(Settings()))


def test_workspaces_are_numbered_and_known_by_what_the_extension_calls_them(folder: Path) -> None:
    write_workspace(folder, "aaa", {}, workspace="/home/me/my%20app")
    (folder / "workspaceStorage" / "bbb").mkdir()
    write_workspace(folder, "ccc", {})
    found = databases(Settings())
    name = hashlib.sha256(b"/home/me/my app").hexdigest()[:16]
    assert [(one.workspace, one.workspace_hash) for one in found] == [(1, name), (3, "")]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"folder": 5}', '{"folder": "file://[x"}', '{"workspace": "x"}'])
def test_a_workspace_whose_folder_is_not_told_has_no_name(folder: Path, content: str) -> None:
    write_workspace(folder, "aaa", {}).with_name("workspace.json").write_text(content)
    assert [one.workspace_hash for one in databases(Settings())] == [""]


def test_a_workspace_for_which_the_server_took_another_database_is_not_watched(
    folder: Path, guarded_home: Path
) -> None:
    one = write_workspace(folder, "aaa", {}, workspace="/one")
    write_workspace(folder, "bbb", {}, workspace="/two")
    home = guarded_home / ".blueplane"
    home.mkdir()
    names = [hashlib.sha256(path).hexdigest()[:16] for path in (b"/one", b"/two")]
    (home / "workspace_db_cache.json").write_text(json.dumps(dict.fromkeys(names, str(one)) | {"x": 5, "y": "\0"}))
    assert [each.is_watched for each in databases(settings(guarded_home))] == [True, False]


def test_a_write_into_the_log_is_a_change(folder: Path) -> None:
    path = write_global(folder, {})
    os.utime(path, (1_000, 1_000))
    (database,) = databases(Settings())
    assert database.modified_ms() == 1_000_000
    log = path.with_name("state.vscdb-wal")
    log.touch()
    os.utime(log, (2_000, 2_000))
    assert database.modified_ms() == 2_000_000
    log.unlink()
    path.unlink()
    assert database.modified_ms() == 0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may look into every folder")
def test_a_folder_that_may_not_be_looked_into_holds_nothing(folder: Path) -> None:
    path = write_workspace(folder, "aaa", {})
    path.parent.chmod(0)
    try:
        assert databases(Settings()) == []
    finally:
        path.parent.chmod(0o700)
