"""Keeps addresses of targets out of the process list: their URLs hold secrets, and every user may see a command line.

A program cannot change the command line that it was started with. So it is started once more in its own place, with
`***` instead of the address, and is given the true arguments through a pipe. The stand-alone executable is run by a
loader of its own, whose command line nothing can change: it refuses an address there.
"""

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

SECRET_OPTION = "--notify"
_HANDED_OVER = "BLUEPLANE_DOCTOR_ARGUMENTS_FD"
"""Number of the pipe's end; in the environment of the second start alone."""
_INSTEAD = "***"
_REFUSAL = """\
blueplane-doctor: --notify: every user of this machine can read the address in this program's command line
  try: name it in the variable BLUEPLANE_DOCTOR_NOTIFY, or under notify: in doctor.yaml
"""
_USAGE_ERROR = 2
"""As the exit codes of errors.py name it, which is not loaded here."""
_MOST_BYTES = 60_000
"""A pipe holds so much without a reader."""


def take_or_hide() -> None:
    """Put the true arguments into `sys.argv`; where a secret is among those of the command line, start once more."""
    number = os.environ.pop(_HANDED_OVER, "")
    if number.isdigit():
        _take(int(number))
        return
    arguments = sys.argv[1:]
    masked = without_secrets(arguments)
    if masked == arguments or os.name != "posix":
        return
    if getattr(sys, "frozen", False):
        if sys.stderr is not None:
            sys.stderr.write(_REFUSAL)
        raise SystemExit(_USAGE_ERROR)
    _start_again(arguments, masked)


def without_secrets(arguments: Sequence[str]) -> list[str]:
    """The arguments with `***` for each address; those of another program, behind `--`, as they are."""
    masked: list[str] = []
    for place, word in enumerate(arguments):
        if word == "--":
            return [*masked, *arguments[place:]]
        if place and arguments[place - 1] == SECRET_OPTION:
            masked.append(_INSTEAD)
        elif word.startswith(f"{SECRET_OPTION}="):
            masked.append(f"{SECRET_OPTION}={_INSTEAD}")
        else:
            masked.append(word)
    return masked


def _take(number: int) -> None:
    with suppress(OSError, ValueError), os.fdopen(number, "rb") as pipe:
        sys.argv[1:] = json.loads(pipe.read())


def _start_again(arguments: Sequence[str], masked: Sequence[str]) -> None:
    """Does not return, but where it is not possible: then all goes on as it is."""
    content = json.dumps(arguments).encode()
    original = sys.orig_argv
    first = len(original) - len(arguments)
    if len(content) > _MOST_BYTES or original[first:] != list(arguments):
        return
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    os.set_inheritable(reading, True)
    environment = {**os.environ, _HANDED_OVER: str(reading)}
    with suppress(OSError):
        os.execve(sys.executable, [*original[:first], *masked], environment)
    os.close(reading)
