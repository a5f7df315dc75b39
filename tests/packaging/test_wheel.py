"""The wheel and the sdist in fresh environments, from the index, with the pins and their hashes."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from blueplane_doctor import __version__
from tests.packaging.conftest import ROOT, Artifacts, Elsewhere

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def environment(folder: Path) -> Path:
    """A fresh virtual environment; answers with its folder of programs."""
    venv.create(folder, with_pip=True, symlinks=True)
    return folder / "bin"


def pip(programs: Path, *arguments: str | Path) -> None:
    """Run its pip; fails with what pip said."""
    command = [programs / "python", "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, cwd=programs, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_base_installs_from_the_pins_and_works(artifacts: Artifacts, elsewhere: Elsewhere, tmp_path: Path) -> None:
    programs = environment(tmp_path / "fresh")
    pip(programs, "install", "--no-compile", "--require-hashes", "-r", artifacts.folder / "requirements.txt")
    pip(programs, "install", "--no-index", artifacts.wheels[0])
    pip(programs, "check")
    assert elsewhere.run(programs / "blueplane-doctor", "--version").stdout == f"blueplane-doctor {__version__}\n"
    assert "queue-depth" in elsewhere.run(programs / "blueplane-doctor", "checks").stdout
    assert elsewhere.run(programs / "blueplane-hook", "stop").returncode == 0
    for extra in ("demo", "serve"):
        refused = elsewhere.run(programs / "blueplane-doctor", extra)
        assert (refused.returncode, f"blueplane-doctor[{extra}]" in refused.stderr) == (2, True), refused.stderr
    pip(programs, "install", "--no-compile", "--require-hashes", "-r", artifacts.folder / "requirements-demo.txt")
    pip(programs, "install", "--no-index", "--find-links", artifacts.folder, "blueplane-doctor[demo]")
    pip(programs, "check")
    assert "Custody is broken: 319 messages" in elsewhere.run(programs / "blueplane-doctor", "demo").stdout


def test_the_base_is_small(artifacts: Artifacts) -> None:
    # 864 kB when the limit was set. It was 300 kB for a program of 13,500 code lines; docs/PACKAGING.md says what came.
    assert artifacts.wheels[0].stat().st_size <= 900_000


def test_the_sdist_builds_the_same_in_one_wheel(
    artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = environment(tmp_path / "fresh")
    pins = (ROOT / "packaging" / "requirements" / "build.txt").read_text().splitlines()
    pip(programs, "install", next(line.split()[0] for line in pins if line.startswith("hatchling==")))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", last_commit())
    sdist = artifacts.one("*.tar.gz")
    pip(programs, "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", tmp_path / "again", sdist)
    whole = tmp_path / "again" / artifacts.wheels[0].name
    everything = files_of(whole)
    base, rest = map(files_of, artifacts.wheels)
    assert base | rest == everything
    assert not base.keys() & rest.keys()
    splitting = f"from pathlib import Path; from split import split; split(Path({str(whole)!r}))"
    builder = ROOT / ".venv" / "build" / "bin" / "python"
    subprocess.run([builder, "-c", splitting], cwd=ROOT / "packaging", check=True)
    for wheel in artifacts.wheels:
        assert (whole.parent / wheel.name).read_bytes() == wheel.read_bytes()


def files_of(wheel: Path) -> dict[str, bytes]:
    """What a wheel installs, without what it says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


def last_commit() -> str:
    """Its time, which every file in the artifacts carries."""
    log = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    return subprocess.run(log, capture_output=True, text=True, check=True).stdout.strip()


def test_the_wheels_hold_the_packages_and_nothing_else(artifacts: Artifacts) -> None:
    for wheel, packages in zip(
        artifacts.wheels, ({"blueplane_doctor", "blueplane_hook"}, {"blueplane_doctor"}), strict=True
    ):
        with zipfile.ZipFile(wheel) as archive:
            folders = {name.split("/")[0] for name in archive.namelist()}
        assert folders == packages | {f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"}
        assert {Path(name).suffix for name in files_of(wheel)} <= {".py", ".typed", ".j2", ".css", ".js"}


def test_the_extras_that_need_the_second_wheel_depend_on_this_very_version(artifacts: Artifacts) -> None:
    with zipfile.ZipFile(artifacts.wheels[0]) as archive:
        told = archive.read(f"blueplane_doctor-{__version__}.dist-info/METADATA").decode()
    needed = {line for line in told.partition("\n\n")[0].splitlines() if "blueplane-doctor-extras" in line}
    wanted = f"Requires-Dist: blueplane-doctor-extras=={__version__}; extra =="
    assert needed == {f"{wanted} '{extra}'" for extra in ("all", "demo", "serve")}


def test_building_again_elsewhere_gives_the_same_bytes(artifacts: Artifacts, tmp_path: Path) -> None:
    from tests.packaging.conftest import make_dist

    again = make_dist(tmp_path / "another folder")
    assert (again.folder / "SHA256SUMS").read_text() == (artifacts.folder / "SHA256SUMS").read_text()


def test_the_interpreter_is_the_one_that_the_artifacts_are_for(artifacts: Artifacts) -> None:
    assert f"-py{sys.version_info.major}.{sys.version_info.minor}-" in artifacts.zipapp.name
