"""Monitors from outside the package: found by folder, file and entry point, and refused with a reason.

tests/plugins/test_discovery.py holds the same for checks.
"""

import importlib
import importlib.util
import marshal
import os
import struct
import sys
import zipfile
from pathlib import Path

import pytest

from blueplane_doctor.model import Status
from blueplane_doctor.plugins import extensions
from blueplane_doctor.plugins.discovery import find_checks, find_monitors
from blueplane_doctor.plugins.extensions import extensions_of_packages
from tests.docs.checks import MONITOR


def write(folder: Path, content: str, name: str = "monitor_disk.py") -> Path:
    """A file that nobody else may write to."""
    folder.mkdir(mode=0o755, exist_ok=True)
    file = folder / name
    file.write_text(content)
    file.chmod(0o644)
    return file


@pytest.mark.parametrize(
    "name",
    [
        "mine",
        pytest.param("\udcff", marks=pytest.mark.skipif(sys.platform != "linux", reason="names there are UTF-8")),
    ],
)
def test_a_folder_and_a_file_of_monitors(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, MONITOR)
    write(tmp_path / name, "raise RuntimeError('only monitor_*.py is loaded')", "helper.py")
    for path in (file, file.parent):
        assert find_monitors([path]).keys() - find_monitors().keys() == {"disk"}
        assert find_checks((), [path]).problems == []


def test_compiled_code_that_lies_beside_a_file_is_not_run(tmp_path: Path) -> None:
    file = write(tmp_path / "mine", MONITOR)
    compiled = Path(importlib.util.cache_from_source(str(file)))
    compiled.parent.mkdir(mode=0o777)
    state = file.stat()
    source = struct.pack("<III", 0, int(state.st_mtime), state.st_size)  # it says that it was made from this file
    code = marshal.dumps(compile("raise RuntimeError('planted')", str(file), "exec"))
    compiled.write_bytes(importlib.util.MAGIC_NUMBER + source + code)
    assert find_checks((), [file]).problems == []


def test_a_file_that_becomes_a_pipe_after_it_was_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "check_pipe.py"
    os.mkfifo(file)
    monkeypatch.setattr(extensions, "_refusal", lambda path: "")
    (problem,) = find_checks((), [file]).problems
    assert "it is a named pipe" in problem.cause


def test_a_monitor_of_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "house_monitors-1.0.dist-info"
    info.mkdir()
    (tmp_path / "house_monitors.py").write_text(MONITOR)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: house_monitors\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[blueplane_doctor.monitors]\nhouse = house_monitors\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "house_monitors", raising=False)
    # Another key than that of any other test: what was found is remembered.
    found = find_monitors([write(tmp_path / "more", MONITOR.replace('"disk"', '"more"'))])
    assert {"disk", "more"} <= found.keys()


def test_a_package_in_an_archive_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "house.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("house_archived.py", MONITOR.replace('"disk"', '"archived"'))
        packed.writestr("house_archived-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: house\nVersion: 1.0\n")
        packed.writestr(
            "house_archived-1.0.dist-info/entry_points.txt", "[blueplane_doctor.monitors]\nhouse = house_archived\n"
        )
    monkeypatch.syspath_prepend(str(archive))
    monkeypatch.delitem(sys.modules, "house_archived", raising=False)
    (found,) = extensions_of_packages("blueplane_doctor.monitors")
    assert (found.name, found.cause) == ("house", "")


def test_a_package_is_seen_as_soon_as_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "house_late", raising=False)
    assert list(extensions_of_packages("blueplane_doctor.monitors")) == []
    info = tmp_path / "house_late.egg-info"
    info.mkdir()
    (tmp_path / "house_late.py").write_text("x = 1\n")
    (info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: house_late\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[blueplane_doctor.monitors]\nlate = house_late\n")
    importlib.invalidate_caches()
    assert [extension.name for extension in extensions_of_packages("blueplane_doctor.monitors")] == ["late"]


def test_a_pipe_in_the_place_of_entry_points_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "house_pipe-1.0.dist-info"
    info.mkdir()
    os.mkfifo(info / "entry_points.txt")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert list(extensions_of_packages("blueplane_doctor.monitors")) == []


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        pytest.param("x = 1\n", "it does not set MONITOR to the class of its monitor", id="no-monitor"),
        pytest.param("MONITOR = 5\n", "MONITOR is not a subclass of", id="not-a-class"),
        pytest.param(MONITOR.replace('name = "disk"', 'name = "a disk"'), "DiskMonitor.name must be a word", id="name"),
        pytest.param(MONITOR.replace('    name = "disk"\n', ""), "DiskMonitor.name must be a word", id="no-name"),
        pytest.param(MONITOR.replace('"disk"', '"queue"'), "the name queue is taken", id="taken-by-a-built-in"),
        pytest.param(MONITOR.replace('"disk"', '"scale"'), "the name scale is taken", id="taken-by-the-scale"),
        pytest.param(
            MONITOR.replace("record = DiskHealth", "record = dict"), "DiskMonitor.record must be", id="record"
        ),
        pytest.param("\nimport no_such_module\n", "line 2: ModuleNotFoundError: No module named", id="import"),
        pytest.param("class M(\n", "line 1: '(' was never closed", id="syntax"),
    ],
)
def test_a_file_that_holds_no_usable_monitor_is_named_with_the_reason(content: str, cause: str, tmp_path: Path) -> None:
    file = write(tmp_path / "mine", content)
    assert find_monitors([file]) == find_monitors()
    (problem,) = find_checks((), [file]).problems
    assert (problem.id, problem.status) == ("monitor-file:monitor_disk.py", Status.ERROR)
    assert problem.cause.startswith("monitor_disk.py: ")
    assert cause in problem.cause


def test_of_two_monitors_with_one_name_the_first_stays(tmp_path: Path) -> None:
    first = write(tmp_path / "a", MONITOR)
    second = write(tmp_path / "b", MONITOR.replace("DiskMonitor", "OtherMonitor"))
    assert find_monitors([first, second])["disk"].__name__ == "DiskMonitor"
    (problem,) = find_checks((), [first, second]).problems
    assert "OtherMonitor.name: the name disk is taken" in problem.cause
