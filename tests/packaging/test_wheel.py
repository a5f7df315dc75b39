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


def test_the_wheel_installs_from_the_pins_and_works(artifacts: Artifacts, elsewhere: Elsewhere, tmp_path: Path) -> None:
    programs = environment(tmp_path / "fresh")
    pip(programs, "install", "--no-compile", "--require-hashes", "-r", artifacts.folder / "requirements.txt")
    pip(programs, "install", "--no-index", artifacts.one("*.whl"))
    pip(programs, "check")
    assert elsewhere.run(programs / "blueplane-doctor", "--version").stdout == f"blueplane-doctor {__version__}\n"
    assert "queue-depth" in elsewhere.run(programs / "blueplane-doctor", "checks").stdout
    refused = elsewhere.run(programs / "blueplane-doctor", "demo")
    assert (refused.returncode, "blueplane-doctor[demo]" in refused.stderr) == (2, True), refused.stderr
    assert elsewhere.run(programs / "blueplane-hook", "stop").returncode == 0


def test_the_sdist_builds_the_same_wheel(artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = environment(tmp_path / "fresh")
    pins = (ROOT / "packaging" / "requirements" / "build.txt").read_text().splitlines()
    pip(programs, "install", next(line.split()[0] for line in pins if line.startswith("hatchling==")))
    built = artifacts.one("*.whl")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", last_commit())
    sdist = artifacts.one("*.tar.gz")
    pip(programs, "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", tmp_path / "again", sdist)
    assert (tmp_path / "again" / built.name).read_bytes() == built.read_bytes()


def last_commit() -> str:
    """Its time, which every file in the artifacts carries."""
    log = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    return subprocess.run(log, capture_output=True, text=True, check=True).stdout.strip()


def test_the_wheel_holds_the_packages_and_nothing_else(artifacts: Artifacts) -> None:
    names = zipfile.ZipFile(artifacts.one("*.whl")).namelist()
    info = f"blueplane_doctor-{__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"blueplane_doctor", "blueplane_hook", info}
    assert {Path(name).suffix for name in names if info not in name} <= {".py", ".typed", ".j2", ".css", ".js"}


def test_building_again_elsewhere_gives_the_same_bytes(artifacts: Artifacts, tmp_path: Path) -> None:
    from tests.packaging.conftest import make_dist

    again = make_dist(tmp_path / "another folder")
    assert (again.folder / "SHA256SUMS").read_text() == (artifacts.folder / "SHA256SUMS").read_text()


def test_the_interpreter_is_the_one_that_the_artifacts_are_for(artifacts: Artifacts) -> None:
    assert f"-py{sys.version_info.major}.{sys.version_info.minor}-" in artifacts.zipapp.name
