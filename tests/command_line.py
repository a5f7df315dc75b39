"""The command line as a real process."""

import os
import subprocess
import sys
from collections.abc import Sequence

DOCTOR = [sys.executable, "-m", "blueplane_doctor"]
Ended = subprocess.CompletedProcess[str]


def doctor(*arguments: object, **variables: str) -> Ended:
    """The real command, with these environment variables beside the usual ones."""
    command = [*DOCTOR, *map(str, arguments)]
    environment = os.environ | variables
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=environment)


def assert_refused(ended: Ended, code: int, *said: str) -> None:
    """It ended with this code, said why and what to try on stderr, and showed no document."""
    assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
    assert "Traceback" not in ended.stderr
    for words in said:
        assert words in ended.stderr


def run(arguments: Sequence[str], **more: object) -> "subprocess.CompletedProcess[str]":
    """The real command with nobody to ask; `more` goes to subprocess.run."""
    command = [*DOCTOR, *arguments]
    options = {"capture_output": True, "text": True, "check": False, "timeout": 60, "stdin": subprocess.DEVNULL}
    return subprocess.run(command, **(options | more))  # type: ignore[call-overload,no-any-return]
