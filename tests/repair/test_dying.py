"""Killed at every call that changes the disk or Redis and run again, a repair has the same end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blueplane_doctor.demo.servers import RunningServer


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_whenever_it_is_killed_the_end_is_the_same(tmp_path: Path, valkey: RunningServer) -> None:
    # In a process of its own, which has no threads and may fork.
    done = subprocess.run(
        [sys.executable, "-m", "tests.repair.dying", str(tmp_path), valkey.url],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 90
