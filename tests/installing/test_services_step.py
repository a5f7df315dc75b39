"""Units and agents: valid by systemd's and Apple's own rules, and enabled only when that was asked for."""

import os
import plistlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from blueplane_doctor.installing import services_step
from blueplane_doctor.installing.files import StepError
from blueplane_doctor.installing.services_step import ServicesStep, path_of, services
from tests.installing.conftest import Person

STEP = ServicesStep()


@pytest.fixture
def managers(programs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """systemctl and launchctl that write down what they were told; `fail` beside it makes them fail."""
    log = programs / "told"
    for name in ("systemctl", "launchctl"):
        script = (
            f'#!/bin/sh\necho {name} "$@" >> "{log}"\n[ ! -e "{programs}/fail" ] || {{ echo no bus >&2; exit 1; }}\n'
        )
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    log.touch()
    return log


def on(person: Person, platform: str) -> Person:
    person.site = replace(person.site, platform=platform)
    return person


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_files_are_written_not_enabled_and_removed(person: Person, managers: Path, platform: str) -> None:
    on(person, platform)
    assert person.install(STEP)
    paths = [path_of(person.site, service) for service in services(person.site)]
    assert len(paths) == 2 and all(path.is_file() for path in paths)
    after = person.tree()
    assert person.install(STEP) and person.tree() == after
    assert person.uninstall(STEP)
    assert person.tree() == {}
    assert managers.read_text() == ""


def test_enabling_tells_systemd_once_and_uninstalling_tells_it_again(person: Person, managers: Path) -> None:
    names = "blueplane-doctor-record.service blueplane-doctor-serve.service"
    assert person.install(STEP, enable=True)
    assert person.install(STEP, enable=True)
    assert managers.read_text().splitlines() == [
        "systemctl --user daemon-reload",
        f"systemctl --user enable --now {names}",
    ]
    managers.write_text("")
    assert person.uninstall(STEP)
    told = managers.read_text().splitlines()
    assert sorted(told[:2]) == [f"systemctl --user disable --now {name}" for name in names.split()]
    assert told[2:] == ["systemctl --user daemon-reload"] * 2  # once a file, after it went
    assert person.tree() == {}


def test_what_the_manager_refused_while_uninstalling_is_done_the_next_time(person: Person, managers: Path) -> None:
    person.install(STEP, enable=True)
    (managers.parent / "fail").touch()
    assert not person.uninstall(STEP)
    (managers.parent / "fail").unlink()
    managers.write_text("")
    assert person.uninstall(STEP)
    assert "systemctl --user daemon-reload" in managers.read_text()
    assert person.tree() == {}


def test_enabling_tells_launchd(person: Person, managers: Path) -> None:
    on(person, "darwin")
    assert person.install(STEP, enable=True)
    told = managers.read_text().splitlines()
    assert len(told) == 2 and all(line.startswith(f"launchctl bootstrap gui/{os.getuid()} ") for line in told)
    assert person.uninstall(STEP)
    assert person.tree() == {}


def test_a_manager_that_refuses_is_an_error_that_says_so(person: Person, managers: Path) -> None:
    (managers.parent / "fail").touch()
    assert not person.install(STEP, enable=True)
    assert "no bus" in person.text
    (managers.parent / "fail").unlink()
    assert person.uninstall(STEP)
    assert person.tree() == {}


def test_a_unit_that_its_user_changed_stays(person: Person) -> None:
    person.install(STEP)
    path = path_of(person.site, services(person.site)[0])
    path.write_text(path.read_text() + "# mine\n")
    assert person.uninstall(STEP)
    assert path.is_file()
    assert "changed by others" in person.text


def test_it_says_what_serve_needs_beyond_the_base_install(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person.install(STEP)
    assert "serve will not start" not in person.text
    monkeypatch.setattr(services_step, "find_spec", lambda name: None)
    assert person.install(STEP)
    assert "serve will not start without its extra: pip install 'blueplane-doctor[serve]'" in person.text


def test_where_no_manager_is_known_it_says_what_to_do(person: Person) -> None:
    assert on(person, "win32").install(STEP)
    assert "no services on win32" in person.text
    assert person.tree() == {}


def test_units_pass_systemds_own_check(person: Person, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("needs systemd-analyze: apt install systemd")
        pytest.skip("needs systemd-analyze: apt install systemd")
    person.install(STEP)
    units = [str(path_of(person.site, service)) for service in services(person.site)]
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        [program, "--user", "--man=no", "verify", *units], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "blueplane" in line]) == (0, [])


def test_units_are_hardened_and_quoted(person: Person) -> None:
    person.install(STEP)
    unit = path_of(person.site, services(person.site)[0]).read_text()
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=read-only", "Restart=on-failure"):
        assert line in unit.splitlines()
    home = str(person.home).replace('"', '\\"').replace("%", "%%")
    assert f'ReadWritePaths="-{home}/.blueplane"' in unit
    assert 'bin with ö/blueplane-doctor" "record"' in unit


def test_agents_are_property_lists_with_the_right_keys(person: Person) -> None:
    on(person, "darwin").install(STEP)
    for service in services(person.site):
        agent = plistlib.loads(path_of(person.site, service).read_bytes())
        assert agent["Label"] == service.label
        assert agent["ProgramArguments"][-1] == service.name
        assert Path(agent["ProgramArguments"][0]).name == "blueplane-doctor"
        assert (agent["RunAtLoad"], agent["KeepAlive"]) == (True, {"SuccessfulExit": False})


def test_a_line_end_in_a_path_becomes_no_setting_of_a_unit(person: Person, tmp_path: Path) -> None:
    """The settings refuse such a path; this is for one that comes another way, as that of the program does."""
    home = tmp_path / "a\nExecStartPre=/bin/touch x"
    # A copy of the settings would be checked; this one is not.
    person.site = replace(person.site, settings=msgspec.structs.replace(person.site.settings, home=home))
    with pytest.raises(StepError, match="control characters"):
        STEP.plan(person.site)
