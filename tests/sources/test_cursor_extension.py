"""The extension inside Cursor: there, removed, of which version."""

import json
from pathlib import Path

import pytest

from blueplane_doctor.sources.cursor_extension import extensions

NAME = "blueplane.blueplane-cursor-telemetry-0.1.0"


def install(home: Path, name: str = NAME, package: str = '{"version": "0.1.0"}', *, remote: bool = False) -> Path:
    folder = home / (".cursor-server" if remote else ".cursor") / "extensions" / name
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(package)
    return folder


def test_without_cursor_and_without_it_there_is_none(tmp_path: Path) -> None:
    assert extensions(tmp_path) == []
    install(tmp_path, "another.extension-0.1.0")
    assert extensions(tmp_path) == []


def test_its_version_is_that_of_its_package(tmp_path: Path) -> None:
    folder = install(tmp_path)
    install(tmp_path, "blueplane.blueplane-cursor-telemetry-0.2.0", '{"version": "0.2.0"}', remote=True)
    first, second = extensions(tmp_path)
    assert (first.version, second.version) == ("0.1.0", "0.2.0")
    assert first.installed_ms == folder.stat().st_mtime_ns // 1_000_000


def test_one_that_was_removed_counts_no_more(tmp_path: Path) -> None:
    folder = install(tmp_path)
    (folder.parent / ".obsolete").write_text(json.dumps({NAME: True}))
    assert extensions(tmp_path) == []


@pytest.mark.parametrize("package", ["", "[]", "{}", '{"version": 1}', "{"])
def test_a_version_that_cannot_be_read_is_empty(tmp_path: Path, package: str) -> None:
    install(tmp_path, package=package)
    assert [one.version for one in extensions(tmp_path)] == [""]
