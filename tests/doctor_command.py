"""The command line as a process."""

import os
import subprocess
import sys
from collections.abc import Sequence

from tests.preloaded import preloaded_doctor

DOCTOR = [sys.executable, "-m", "blueplane_doctor"]
"""The real command, for what its start does, or a signal, a terminal or a limit; all else is quicker preloaded."""
Ended = subprocess.CompletedProcess[str]


def doctor(*arguments: object, **variables: str) -> Ended:
    """The command, with these environment variables beside the usual ones."""
    command = [*preloaded_doctor(), *map(str, arguments)]
    environment = os.environ | variables
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=environment)


def assert_refused(ended: Ended, code: int, *said: str) -> None:
    """It ended with this code, said why and what to try on stderr, and showed no document."""
    assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
    assert "Traceback" not in ended.stderr
    for words in said:
        assert words in ended.stderr


def run(arguments: Sequence[str], **more: object) -> "subprocess.CompletedProcess[str]":
    """The command with nobody to ask; `more` goes to subprocess.run."""
    command = [*preloaded_doctor(), *arguments]
    options = {"capture_output": True, "text": True, "check": False, "timeout": 60, "stdin": subprocess.DEVNULL}
    return subprocess.run(command, **(options | more))  # type: ignore[call-overload,no-any-return]
