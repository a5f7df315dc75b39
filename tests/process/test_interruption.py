"""Signals at any moment: no traceback, the documented exit code, and nothing left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from blueplane_doctor.commands import command_names
from blueplane_doctor.errors import ExitCode
from tests.parameters import one_quick

AT_IMPORT = """
import os, sys

class AtImport:
    left = None

    def find_spec(self, name, path=None, target=None):
        if name == "blueplane_doctor.process.interruption":
            self.left = int(os.environ["SIGNAL_AFTER_IMPORTS"]) + 1
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), int(os.environ["SIGNAL_NUMBER"]))

sys.meta_path.insert(0, AtImport())
"""
"""A sitecustomize that sends a signal at the n-th import after the first of the doctor's own modules."""
NOBODY = ("--redis-url", "redis://127.0.0.1:1/0")
ARGUMENTS = {
    "": [],
    "checks": ["checks"],
    "completion": ["completion", "bash"],
    "convert": ["convert", "report.json"],
    "demo": ["demo"],
    "dlq": ["dlq", "list"],
    "export": ["export", "grafana"],
    "history": ["history"],
    "install": ["install", "--dry-run"],
    "instrument": ["instrument", "--", "true"],
    "probe": ["probe"],
    "record": ["record", "--once"],
    "repair": ["repair"],
    "schema": ["schema", "report"],
    "serve": ["serve", "--port", "0"],
    "settings": ["settings"],
    "support": ["support"],
    "trace": ["trace", "1-1"],
    "uninstall": ["uninstall", "--dry-run"],
    "watch": ["watch", "--rounds", "1"],
}
EARLY = (1, 2, 10, 40, 90, 150)
"""Imports after which the signal comes; those of a command's own work come later."""


def interrupted(name: str, after: int, number: signal.Signals, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command's end, where the signal came at this import; 0 where it imports less than that."""
    (folder / "sitecustomize.py").write_text(AT_IMPORT)
    variables = {"PYTHONPATH": str(folder), "SIGNAL_AFTER_IMPORTS": str(after), "SIGNAL_NUMBER": str(int(number))}
    arguments = ARGUMENTS.get(name, [name, "--help"])
    command = [sys.executable, "-m", "blueplane_doctor", "--home", str(folder / "home"), *NOBODY, *arguments]

    def heed() -> None:  # a job in the background inherits that SIGINT is ignored
        signal.signal(number, signal.SIG_DFL)

    return subprocess.run(
        command,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=heed,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.mark.parametrize("name", one_quick(["", *command_names()]))
def test_ctrl_c_among_the_imports_ends_with_130_and_one_line(name: str, tmp_path: Path) -> None:
    for after in EARLY:
        ended = interrupted(name, after, signal.SIGINT, tmp_path)
        assert "Traceback" not in ended.stderr, f"after {after}: {ended.stderr}"
        assert (ended.returncode, ended.stdout) == (ExitCode.INTERRUPTED, ""), f"after {after}: {ended.stderr}"
        assert ended.stderr == "blueplane-doctor: interrupted\n"
        assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_other_ends_have_the_code_that_a_shell_shows(number: signal.Signals, tmp_path: Path) -> None:
    for after in (1, 90):
        ended = interrupted("", after, number, tmp_path)
        assert (ended.returncode, ended.stdout, ended.stderr) == (128 + number, "", "")


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    code = "import signal; from blueplane_doctor.process.interruption import begin; begin(); print(signal.getsignal(1))"
    command = ["sh", "-c", f"trap '' HUP; exec {sys.executable} -c \"{code}\""]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout == "1\n"


def test_a_second_ctrl_c_ends_what_does_not_heed_the_first() -> None:
    code = """
import os, signal
from blueplane_doctor.process import interruption
interruption.begin()
with interruption.Interruptible():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        print("raised", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    print("not reached")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "raised\n", "blueplane-doctor: interrupted\n")


@pytest.mark.parametrize(("number", "caught"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "SystemExit")])
def test_a_library_that_makes_an_error_of_it_changes_nothing(number: signal.Signals, caught: str) -> None:
    code = f"""
import os
from blueplane_doctor.process import interruption
interruption.begin()
try:
    with interruption.Interruptible():
        try:
            os.kill(os.getpid(), {int(number)})
        except BaseException as error:
            raise ValueError("an error of a library") from error
except BaseException as error:
    print(type(error).__name__)
try:
    with interruption.Interruptible():
        raise ValueError("an error of its own")
except ValueError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, f"{caught}\nan error of its own\n")


def test_a_block_that_is_whole_ends_before_ctrl_c_is_raised() -> None:
    code = """
import os, signal
from blueplane_doctor.process import interruption
interruption.begin()
with interruption.Interruptible():
    try:
        with interruption.Whole():
            os.kill(os.getpid(), signal.SIGINT)
            print("done", flush=True)
        print("not reached")
    except KeyboardInterrupt:
        print("raised", flush=True)
    with interruption.Whole():
        print("another", flush=True)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        print("not reached")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (130, "done\nraised\nanother\n")
    assert ended.stderr == "blueplane-doctor: interrupted\n"


def test_ctrl_c_before_pytests_session_prints_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(AT_IMPORT)
    variables = {"PYTHONPATH": str(tmp_path), "SIGNAL_AFTER_IMPORTS": "2", "SIGNAL_NUMBER": str(int(signal.SIGINT))}
    command = [sys.executable, "-m", "pytest", "--blueplane", "-p", "no:cacheprovider"]

    def heed() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    ended = subprocess.run(
        command,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        preexec_fn=heed,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "blueplane-doctor: interrupted\n"


def test_signals_are_given_back() -> None:
    code = """
import signal
from blueplane_doctor.process import interruption
usual = [signal.getsignal(number) for number in (1, 2, 15)]
interruption.begin()
assert usual != [signal.getsignal(number) for number in (1, 2, 15)]
interruption.give_back()
print(usual == [signal.getsignal(number) for number in (1, 2, 15)])
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == ("True\n", "")


def test_using_the_doctor_as_a_library_takes_no_signal() -> None:
    code = "import signal; before = signal.getsignal(2); import blueplane_doctor; print(signal.getsignal(2) is before)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout == "True\n"


END_AT_ONCE = """
import atexit
from blueplane_doctor.process import interruption
interruption.begin(is_program={is_program})
atexit.register(print, "the usual end")
print("written")
interruption.end_at_once(3)
"""


@pytest.mark.parametrize(
    ("is_program", "written", "code"), [(True, "written\n", 3), (False, "written\nthe usual end\n", 0)]
)
def test_a_program_of_its_own_ends_at_once_with_all_that_it_wrote(is_program: bool, written: str, code: int) -> None:
    program = END_AT_ONCE.format(is_program=is_program)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr, ended.returncode) == (written, "", code)


def test_what_cannot_be_flushed_is_left_to_the_usual_end() -> None:
    program = END_AT_ONCE.format(is_program=True)
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert ended.returncode not in (0, 3)
    assert b"No space left on device" in ended.stderr


DROPPED = """
import os, signal, sys, threading
from blueplane_doctor.process.interruption import Interruptible, begin

class Owner:
    def __del__(self):
        os.kill(os.getpid(), {number})
        for _ in range(1000):  # until it is raised: here, where Python drops what is raised
            pass

begin(is_program=True)
try:
    with Interruptible():
        Owner()
        threading.Event().wait(60)
except BaseException as error:
    print(type(error).__name__, getattr(error, "code", ""))
"""


@pytest.mark.parametrize(
    ("number", "ended_by"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "SystemExit 143")]
)
def test_a_signal_that_comes_in_a_destructor_is_not_lost(number: signal.Signals, ended_by: str) -> None:
    program = [sys.executable, "-c", DROPPED.format(number=int(number))]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout.strip(), ended.stderr) == (ended_by, "")


def test_of_an_error_in_a_destructor_its_kind_alone_is_said() -> None:
    program = "from blueplane_doctor.process.interruption import begin\nbegin(is_program=True)\nclass A:\n"
    program += "    def __del__(self): raise ValueError('private')\nA()"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stderr == "blueplane-doctor: internal error: ValueError in a callback\n"
