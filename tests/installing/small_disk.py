"""Installs and uninstalls on a disk that is full, for every page that is left, and on one that is read-only.

    python -m tests.installing.small_disk FOLDER REDIS_URL

FOLDER is the root of a small tmpfs of this process's own: the kernel itself refuses. Prints how often it did.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from blueplane_doctor.monitoring.spool_health import spool_health
from blueplane_hook.spool import SPOOL_FILE
from tests.installing.dying import files, fresh, groups, install, uninstall, whole
from tests.waiting import PATIENCE_SECONDS

PAGE = 4096

Work = Callable[[Path], bool]


class Disk:
    """The tmpfs, with a ballast that leaves so many pages free."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ballast = folder / "ballast"

    def leave(self, pages: int) -> None:
        self._ballast.unlink(missing_ok=True)
        state = os.statvfs(self._folder)
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, (state.f_bavail - pages) * PAGE))

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def mount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self._folder)], check=True)


def main(folder: Path) -> None:
    disk, home = Disk(folder), folder / "hö me"
    fresh(home)
    before = files(home)
    assert install(home)
    after = files(home)
    refused = 0
    for work in (install, uninstall):
        pages = 0
        while not _done_with(pages, work, disk, home):
            whole(home, before, after, f"{work.__name__} with {pages} pages")
            disk.free()
            assert uninstall(home) and files(home) == before and groups() is None
            pages += 1
        refused += pages
        _read_only(work, disk, home)
    _hook(disk, home / ".blueplane")
    sys.stdout.write(f"{refused}\n")


def _prepare(work: Work, disk: Disk, home: Path) -> None:
    disk.free()
    fresh(home)
    assert work is install or install(home)


def _done_with(pages: int, work: Work, disk: Disk, home: Path) -> bool:
    _prepare(work, disk, home)
    disk.leave(pages)
    return work(home)


def _read_only(work: Work, disk: Disk, home: Path) -> None:
    _prepare(work, disk, home)
    found = files(home)
    disk.mount("ro")
    assert not work(home)
    assert files(home) == found
    assert work is uninstall or groups() is None  # what cannot be written down is not done
    disk.mount("rw")


def _hook(disk: Disk, home: Path) -> None:
    """An event that finds no room is dropped whole; the editor hears nothing of it."""
    _call_hook(home)
    disk.leave(0)
    for _ in range(20):
        _call_hook(home, b'{"prompt": "%s"}' % (b"x" * 900))
    disk.mount("ro")
    _call_hook(home)
    disk.mount("rw")
    lines = (home / SPOOL_FILE).read_bytes().splitlines()
    assert 1 <= len(lines) < 20 and all(line.startswith(b"{") and line.endswith(b"}") for line in lines)
    disk.free()
    _call_hook(home)
    assert spool_health(home).waiting_events == len(lines) + 1


def _call_hook(home: Path, given: bytes = b"{}") -> None:
    command = [sys.executable, "-m", "blueplane_hook", "beforeReadFile", "--server", "http://127.0.0.1:1"]
    done = subprocess.run(
        [*command, "--home", str(home)], input=given, capture_output=True, check=False, timeout=PATIENCE_SECONDS
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b'{"permission": "allow"}\n', b"")


if __name__ == "__main__":
    os.environ["BLUEPLANE_DOCTOR_REDIS_URL"] = sys.argv[2]
    main(Path(sys.argv[1]))
