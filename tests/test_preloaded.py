"""A run that a preloaded process forks is as one of the real command, but for what its start costs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.doctor_command import DOCTOR
from tests.preloaded import preloaded_doctor
from tests.waiting import PATIENCE_SECONDS, wait_until

NOBODY = ("--redis-url", "redis://127.0.0.1:1")


def run(program: list[str], *arguments: str, **more: str) -> tuple[int, str, str]:
    """Exit code, output and errors of one run."""
    command = [*program, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **more})
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--version",), ("trace", "1-1", *NOBODY), ("--select", "nothing"), ("dlq", "--help"), ("no-such-command",)],
    ids=lambda arguments: arguments[0],
)
def test_code_output_and_errors_are_those_of_the_real_command(arguments: tuple[str, ...]) -> None:
    assert run(list(preloaded_doctor()), *arguments) == run(DOCTOR, *arguments)


def test_folder_and_environment_are_the_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, stderr = run(list(preloaded_doctor()), "--output", "report.json", *NOBODY, BLUEPLANE_DOCTOR_TIMEOUT="x")
    assert code == 2 and "timeout" in stderr
    assert run(list(preloaded_doctor()), "--output", "report.json", *NOBODY)[0] in (1, 3)
    assert (tmp_path / "report.json").is_file()


def test_one_run_leaves_nothing_for_the_next(guarded_home: Path) -> None:
    first = run(list(preloaded_doctor()), "settings", "--home", "/somewhere")
    second = run(list(preloaded_doctor()), "settings")
    assert "/somewhere" in first[1]
    assert "/somewhere" not in second[1]


def test_variables_that_python_reads_when_it_starts_count() -> None:
    for program in (list(preloaded_doctor()), DOCTOR):
        assert "python" in run(program, "--version", PYTHONVERBOSE="1")[2]


def test_a_run_ends_with_whoever_asked_for_it() -> None:
    command = [*preloaded_doctor(), *NOBODY, "--wait", "10m", "--every", "5m"]
    before = _runs()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
        wait_until(lambda: len(_runs() - before) == 1, "a run began")
        client.send_signal(signal.SIGKILL)
        client.wait(PATIENCE_SECONDS)
    wait_until(lambda: _runs() <= before, "it ended")


def _runs() -> set[int]:
    """The process ids of all runs of this process of the tests."""
    preloaded_doctor()
    runs = set()
    for child in psutil.Process().children():
        if "tests.preloaded" in child.cmdline():
            runs.update(run.pid for run in child.children())
    return runs


def test_it_ends_with_whoever_started_it() -> None:
    script = "from tests.preloaded import preloaded_doctor; print(preloaded_doctor()[-1])"
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    assert ended.stderr == ""
    assert not Path(ended.stdout.strip()).parent.exists()
