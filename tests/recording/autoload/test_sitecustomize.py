"""The module that Python imports at start-up under `instrument`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.pipeline import TARGETS
from blueplane_doctor.recording.launching import AUTOLOAD, environment_for
from tests.waiting import PATIENCE_SECONDS


@pytest.mark.parametrize("breaks", [False, True])
def test_a_sitecustomize_that_it_hides_is_run(breaks: bool, tmp_path: Path, valkey: RunningServer) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import builtins; builtins.hidden = __file__\n" + ("raise ValueError('hidden')" if breaks else "")
    )
    environment = environment_for(valkey.url, TARGETS, {**os.environ, "PYTHONPATH": str(tmp_path)}, tmp_path)
    code = "import builtins, blueplane_doctor.recording.instrumentation as i; print(hidden, i._active is not None)"
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert ended.stdout == f"{tmp_path}/sitecustomize.py True\n"
    assert ("hidden" in ended.stderr) is breaks


def test_without_the_variable_it_does_nothing() -> None:
    environment = {**os.environ, "PYTHONPATH": str(AUTOLOAD)}
    environment.pop("BLUEPLANE_INSTRUMENT", None)
    code = "import sys; print('sitecustomize' in sys.modules, 'blueplane_doctor' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("True False\n", "")
