"""The programs of installed services: systemd's units and launchd's agents."""

import plistlib
import sys
from pathlib import Path

import pytest

from blueplane_doctor.sources.service_units import service_programs


def unit(home: Path, name: str, content: str) -> None:
    path = home / ".config" / "systemd" / "user" / f"blueplane-doctor-{name}.service"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_a_units_program_is_its_first_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert service_programs(tmp_path) == []
    unit(tmp_path, "record", '[Service]\nExecStart="/opt/my env/bin/blueplane-doctor" record\n')
    unit(tmp_path, "serve", "[Service]\nExecStart=/opt/bin/blueplane-doctor serve\n")
    assert service_programs(tmp_path) == [Path("/opt/my env/bin/blueplane-doctor"), Path("/opt/bin/blueplane-doctor")]


def test_a_relative_folder_of_configuration_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    unit(tmp_path, "record", "[Service]\nExecStart=/opt/bin/blueplane-doctor record\n")
    assert service_programs(tmp_path) == [Path("/opt/bin/blueplane-doctor")]


@pytest.mark.parametrize("content", ["", "ExecStart=", 'ExecStart="x', "ExecStart=blueplane-doctor record"])
def test_a_unit_that_names_no_path_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    unit(tmp_path, "record", content)
    assert service_programs(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "programs"),
    [
        (plistlib.dumps({"ProgramArguments": ["/opt/bin/blueplane-doctor", "record"]}), ["/opt/bin/blueplane-doctor"]),
        (plistlib.dumps({"ProgramArguments": []}), []),
        (plistlib.dumps([]), []),
        (b"<plist", []),
        (b"<plist><date>soon</date></plist>", []),
        (b"<plist><key>a</key></plist>", []),
        (b'<?xml version="1.0" encoding="none"?><plist/>', []),
        (b"", []),
    ],
)
def test_an_agents_program_is_its_first_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, programs: list[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    path = tmp_path / "Library" / "LaunchAgents" / "ai.blueplane.doctor.record.plist"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert [str(program) for program in service_programs(tmp_path)] == programs
