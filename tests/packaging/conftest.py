"""The artifacts, built once for a whole test run by the very command that builds a release, and how they are tried."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packaging.offline import offline

ROOT = Path(__file__).resolve().parent.parent.parent
CLEAN_PATH = os.pathsep.join([str(Path(sys.executable).resolve().parent), "/usr/bin", "/bin"])


@dataclass(frozen=True)
class Artifacts:
    """What `make dist` made."""

    folder: Path

    def one(self, pattern: str) -> Path:
        """The only file of that pattern."""
        (found,) = self.folder.glob(pattern)
        return found

    @property
    def wheels(self) -> tuple[Path, Path]:
        """The base, and what the extras install beside it."""
        return self.one("blueplane_doctor-*.whl"), self.one("blueplane_doctor_extras-*.whl")

    @property
    def zipapp(self) -> Path:
        """The single file that needs a Python."""
        return self.one("*.pyz")

    @property
    def executable(self) -> Path:
        """The single file that needs none."""
        return self.one(f"blueplane-doctor-*-{sys.platform}-*[!z]")


def make_dist(folder: Path) -> Artifacts:
    """Run `make dist` into that folder."""
    command = ["make", "--directory", str(ROOT), "dist", f"DIST={folder}", f"PYTHON={sys.executable}"]
    # A make that runs the tests must not pass on its own jobs and flags.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Artifacts(folder)


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Artifacts:
    """Built by the first worker that needs them; the others wait."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent
    folder = shared / "dist"
    with (shared / "dist.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "SHA256SUMS"  # the last file that a build writes
        return Artifacts(folder) if done.is_file() else make_dist(folder)


@dataclass(frozen=True)
class Elsewhere:
    """A place that knows nothing of the checkout: its own empty home, a bare environment, no network."""

    home: Path

    def run(self, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run it there."""
        with self.started(*command, **variables) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def started(self, *command: str | Path, **variables: str) -> subprocess.Popen[str]:
        """Start it there."""
        environment = {"HOME": str(self.home), "PATH": CLEAN_PATH, "LC_ALL": "C.UTF-8", **variables}
        words: Sequence[str] = [*offline(), *map(str, command)]
        pipe = subprocess.PIPE
        return subprocess.Popen(words, cwd=self.home, env=environment, stdout=pipe, stderr=pipe, text=True)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    """A fresh place."""
    home = tmp_path / "empty home"
    home.mkdir()
    return Elsewhere(home)


@pytest.fixture
def copied(artifacts: Artifacts, tmp_path: Path) -> Artifacts:
    """The two single files alone in a folder of their own."""
    for file in (artifacts.zipapp, artifacts.executable):
        shutil.copy2(file, tmp_path)
    return Artifacts(tmp_path)
