"""`instrument`: which command it runs, what it measures of it, and what it refuses."""

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import yaml

from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.privacy.public_text import hidden
from tests.parameters import one_quick
from tests.recording.helpers import recorded
from tests.recording.stand_in import StandIn
from tests.waiting import PATIENCE_SECONDS

STORAGE = """
class Store:
    def save(self, rows):
        return len(rows) if "fail" not in rows else 0
"""


def documented_targets() -> str:
    """The example of the settings file in docs/RECORDING.md."""
    text = (Path(__file__).parents[2] / "docs" / "RECORDING.md").read_text(encoding="utf-8")
    return textwrap.dedent(re.findall(r"(?m)^    instrument_targets:\n(?:      .*\n)+", text)[0])


@pytest.fixture
def store(valkey: RunningServer) -> Iterator[redis.Redis]:
    """The server that is recorded into, emptied before."""
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
        yield client


@pytest.mark.parametrize("origin", one_quick(["file", "variable"]))
def test_settings_add_targets(origin: str, tmp_path: Path, store: redis.Redis, valkey: RunningServer) -> None:
    server = StandIn(tmp_path)
    server.add("mine.storage", STORAGE)
    script = server.script(
        "from mine.storage import Store\nassert Store().save([1, 2]) == 2\nassert Store().save(['fail']) == 0\n"
        "CursorRawTracesWriter()._batch_insert(['row'])\n"
    )
    variables = dict(os.environ)
    if origin == "file":
        (tmp_path / "doctor.yaml").write_text(documented_targets())
    else:
        targets = yaml.safe_load(documented_targets())["instrument_targets"]
        variables["BLUEPLANE_DOCTOR_INSTRUMENT_TARGETS"] = json.dumps(targets)
    options = ["--home", str(tmp_path), "--redis-url", valkey.url]
    command = [sys.executable, "-m", "blueplane_doctor", *options, "instrument", "--", sys.executable, str(script)]
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert (ended.returncode, ended.stderr) == (0, "")
    found = recorded(valkey.url).writes
    name = hidden("my_table")  # in the settings, not in the contract
    assert (found[name].ok, found[name].failed, found[name].rows) == (1, 1, 2)
    assert found["cursor_raw_traces"].ok == 1, "those that are known are measured beside"


def test_the_launcher_without_wrapt_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nreal = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'wrapt' else real(name, *rest)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "blueplane_doctor", "instrument", "--", "true"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert ended.returncode == 2
    assert 'pip install "blueplane-doctor[instrument]"' in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-program"], "no-such-program cannot be run"),
        ([""], "the name of the command is empty"),
        ([], "Missing argument"),
    ],
)
def test_a_command_that_cannot_be_run_is_a_usage_error(arguments: list[str], said: str) -> None:
    command = [sys.executable, "-m", "blueplane_doctor", "instrument", "--", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_options_of_the_command_are_its_own(store: redis.Redis, valkey: RunningServer) -> None:
    command = [sys.executable, "-m", "blueplane_doctor", "instrument", sys.executable, "-c", "print('hi')"]
    assert subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS).stdout == "hi\n"


def test_a_password_reaches_the_recorder_and_no_environment(tmp_path: Path) -> None:
    """Only this login may record; so a row that was counted was recorded with the password."""
    script = StandIn(tmp_path).script(
        "import os, subprocess\nCursorRawTracesWriter()._batch_insert(['row'])\nsubprocess.check_call(['env'])\n"
    )
    with run_server(tcp=True) as server:
        with redis.Redis.from_url(server.url) as client:
            client.acl_setuser("recorder", enabled=True, passwords=["+hunter2"], keys=["*"], commands=["+@all"])
        url = server.url.replace("://", "://recorder:hunter2@")
        options = ["--home", str(tmp_path), "--redis-url", url]
        command = [sys.executable, "-m", "blueplane_doctor", *options, "instrument", "--", sys.executable, str(script)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "BLUEPLANE_INSTRUMENT=" in ended.stdout
        assert "hunter2" not in ended.stdout
        assert recorded(server.url).writes["cursor_raw_traces"].ok == 1
