"""Killed at every call that changes the disk or Redis, both are as before or as after; a later run sets all right."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blueplane_doctor.demo.servers import RunningServer
from tests.installing.conftest import make_programs


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_whenever_it_is_killed_every_file_is_as_before_or_as_after(tmp_path: Path, valkey: RunningServer) -> None:
    # In a process of its own, which has no threads and may fork.
    programs = make_programs(tmp_path / "bin")
    environment = os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.installing.dying", str(tmp_path), valkey.url],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 80
