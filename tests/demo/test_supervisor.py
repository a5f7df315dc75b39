"""The parent of a demo server, run as the file that it is."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from blueplane_doctor.demo import supervisor


@pytest.mark.slow
@pytest.mark.parametrize("how", ["closed", "killed"])
def test_server_and_folder_go_with_the_pipe(how: str, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    starter = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, {supervisor.__file__!r}, {str(folder)!r}, 'sleep', '600'],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "print(child.stdout.readline().decode().strip(), child.pid, flush=True)\n"
        "sys.stdin.read()\n"
        "child.stdin.close()\n"
        "child.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", starter], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdin and parent.stdout
    server_pid, supervisor_pid = map(int, parent.stdout.readline().split())
    server = psutil.Process(server_pid)
    watcher = psutil.Process(supervisor_pid)
    if how == "killed":
        parent.kill()
    parent.stdin.close()
    parent.wait(60)
    parent.stdout.close()
    psutil.wait_procs([server, watcher], timeout=60)
    assert not server.is_running()
    assert not folder.exists()


def test_a_program_that_cannot_be_run_leaves_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    ended = subprocess.run(
        [sys.executable, supervisor.__file__, str(folder), "/nowhere/program"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode and not ended.stdout
    assert not folder.exists()
