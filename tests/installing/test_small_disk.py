"""A full and a read-only disk, real ones: nothing is left between, and what was refused is done when there is room."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blueplane_doctor.demo.servers import RunningServer
from tests.installing.conftest import make_programs

LAUNCHERS = (["unshare", "--user", "--map-root-user", "--mount"], ["sudo", "-n", "-E", "unshare", "--mount"])
MOUNT = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$0" -m tests.installing.small_disk "$@"'
NEEDED = "needs a mount namespace: unshare, and a user who may use it"


def may_mount(launcher: list[str], folder: Path) -> bool:
    command = [*launcher, "sh", "-c", 'mount -t tmpfs tmpfs "$0"', str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:  # it is not there, or not for this user
        return False


@pytest.fixture
def launcher(tmp_path: Path) -> list[str]:
    """The command before another that gives it mounts of its own, which go with it."""
    for candidate in LAUNCHERS:
        if may_mount(candidate, tmp_path) and _sees_owners(candidate):
            return candidate
    if os.environ.get("CI") == "true":
        pytest.fail(NEEDED)
    pytest.skip(NEEDED)


def _sees_owners(launcher: list[str]) -> bool:
    """Whether root's folders are root's there: in another user's namespace they are nobody's, and not to be trusted."""
    owner = subprocess.run([*launcher, "stat", "-c", "%u", "/"], capture_output=True, text=True, check=False)
    return owner.stdout.strip() == "0"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs in a mount namespace is Linux' own")
def test_however_little_room_there_is_every_file_is_as_before_or_as_after(
    tmp_path: Path, launcher: list[str], valkey: RunningServer
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    variables = [
        f"PATH={make_programs(tmp_path / 'bin')}:{os.environ['PATH']}",
        f"PYTHONPATH={Path(__file__).parents[2]}",
        "PYTHONDONTWRITEBYTECODE=1",
    ]
    command = [*launcher, "env", *variables, "sh", "-c", MOUNT, sys.executable, str(disk), valkey.url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 20
