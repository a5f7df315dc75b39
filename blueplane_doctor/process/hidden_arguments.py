"""Keeps secrets out of the process list, which every user may see: addresses of targets, and logins of a Redis.

A program cannot change the command line that it was started with. So it is started once more in its own place, with
`***` instead of the address, and is given the true arguments through a pipe. The stand-alone executable is run by a
loader of its own, whose command line nothing can change: it refuses the address of a target there.
"""

import json
import os
import select
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress

if sys.platform != "win32":
    import fcntl

_SECRET_OPTION = "--notify"
_LOGIN_OPTIONS = ("--redis-url", "--history-url")
"""Whose URL may hold a password; one without login and parameters stays visible, and costs no second start."""
_HANDED_OVER = "BLUEPLANE_DOCTOR_ARGUMENTS_FD"
"""Number of the pipe's end; in the environment of the second start alone."""
_INSTEAD = "***"
_REFUSAL = """\
blueplane-doctor: --notify: every user of this machine can read the address in this program's command line
  try: name it in the variable BLUEPLANE_DOCTOR_NOTIFY, or under notify: in doctor.yaml
"""
_USAGE_ERROR = 2
"""As the exit codes of errors.py name it, which is not loaded here."""
_STDERR = 2
_MOST_BYTES = 60_000
"""A pipe holds so much without a reader."""


def take_or_hide() -> None:
    """Put the true arguments into `sys.argv`; where a secret is among those of the command line, start once more."""
    number = os.environ.pop(_HANDED_OVER, "")
    if number.isascii() and number.isdigit():
        _take(int(number))
        return
    arguments = sys.argv[1:]
    masked = without_secrets(arguments)
    if masked == arguments or os.name != "posix":
        return
    if getattr(sys, "frozen", False):
        if not any(word.partition("=")[0] == _SECRET_OPTION for word in masked):
            return
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
        option, separator, value = word.partition("=")
        if place and _is_secret(arguments[place - 1], word):
            masked.append(_INSTEAD)
        elif separator and _is_secret(option, value):
            masked.append(f"{option}={_INSTEAD}")
        else:
            masked.append(word)
    return masked


def _is_secret(option: str, value: str) -> bool:
    if option in _LOGIN_OPTIONS:
        return "@" in value or "?" in value
    return option == _SECRET_OPTION


def _take(number: int) -> None:
    with suppress(OSError, ValueError, OverflowError):
        # Where the variable is not ours, neither a terminal nor another's pipe is waited for: ours was filled at once.
        if not stat.S_ISFIFO(os.fstat(number).st_mode) or not select.select([number], [], [], 0)[0]:
            return
        content = os.read(number, _MOST_BYTES)
        os.close(number)
        arguments = json.loads(content)
        if isinstance(arguments, list) and all(isinstance(word, str) for word in arguments):
            sys.argv[1:] = arguments


def _start_again(arguments: Sequence[str], masked: Sequence[str]) -> None:
    """Does not return, but where it is not possible: then all goes on as it is."""
    content = json.dumps(arguments).encode()
    original = sys.orig_argv
    first = len(original) - len(arguments)
    # Python's own options stand before them; what was changed since the start cannot be told apart from those.
    if len(content) > _MOST_BYTES or original[first:] != list(arguments):
        return
    reading, writing = map(_beside_the_streams, os.pipe())
    os.write(writing, content)
    os.close(writing)
    os.set_inheritable(reading, True)
    environment = {**os.environ, _HANDED_OVER: str(reading)}
    with suppress(OSError):
        os.execve(sys.executable, [*original[:first], *masked], environment)
    os.close(reading)


def _beside_the_streams(descriptor: int) -> int:
    """The same under a number that no stream has: where stdout is closed, a pipe takes its place."""
    if descriptor > _STDERR:
        return descriptor
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _STDERR + 1)
    os.close(descriptor)
    return moved
