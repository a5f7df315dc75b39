"""Takes one message to one target, within a time limit. Says why it did not arrive, and never who the target is."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from blueplane_doctor.files.ownership import stranger_of
from blueplane_doctor.model import Status
from blueplane_doctor.notifying import reasons
from blueplane_doctor.notifying.message import Message
from blueplane_doctor.settings.notification_rules import NotifyRule
from blueplane_doctor.settings.options import ENV_PREFIX

DELIVERY_SECONDS = 30.0
"""For one message to one target. Mail servers keep a stranger waiting for some seconds on purpose."""
_SPARE_SECONDS = 5.0
"""In which the process of apprise may still say that its time was up."""
_CHILD = Path(__file__).with_name("apprise_child.py")
_TYPES = {Status.GREEN: "success", Status.RED: "failure"}
"""Apprise's kinds of messages: they choose a colour or an icon."""


def deliver(rule: NotifyRule, message: Message, seconds: float = DELIVERY_SECONDS) -> str:
    """Why the message was not delivered, in a few public words; empty: it was."""
    if rule.url is None:
        if _may_be_changed(rule.command[0]):
            return reasons.FOREIGN
        document = json.dumps(message.as_document()) + "\n"
        ended = _run(rule.command, document, seconds, stdout=subprocess.DEVNULL)
        if isinstance(ended, str):
            return ended
        if ended.returncode:
            return reasons.of_exit_code(ended.returncode)
        return ""
    if find_spec("apprise") is None:
        return reasons.NOT_INSTALLED
    order = {
        "url": rule.url.get_secret_value(),
        "title": message.title,
        "body": message.body,
        "type": _TYPES.get(message.status, "warning"),
        "seconds": seconds,
    }
    # -P: no module is taken from the folder of the file, or from where the doctor was started.
    ended = _run([sys.executable, "-P", str(_CHILD)], json.dumps(order), seconds + _SPARE_SECONDS)
    if isinstance(ended, str):
        return ended
    return _answer(ended.stdout)


def _may_be_changed(program: str) -> bool:
    """Whether other users decide what this program does; one that is found on the PATH is taken for safe."""
    if "/" not in program:
        return False
    stranger = stranger_of(Path(program))
    return stranger is not None and not stranger.cause  # what cannot be looked at cannot be started either


def _answer(stdout: bytes) -> str:
    try:
        reason = str(json.loads(stdout)["reason"])
    except (ValueError, KeyError, TypeError):
        return reasons.BROKE
    if not reason:
        return ""
    return reasons.of_library(reason)


def _run(
    command: Sequence[str], text: str, seconds: float, stdout: int = subprocess.PIPE
) -> "subprocess.CompletedProcess[bytes] | str":
    """The ended process, or why there is none. When its time is up it is ended, with all that it started."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # so that it can be ended with what it started
        )
    except OSError as error:
        return reasons.of_error(error)
    except ValueError:  # a NUL, or half of a surrogate pair
        return reasons.of_error(OSError(errno.EINVAL, ""))
    with process:
        try:
            output, _ = process.communicate(text.encode(), seconds)
        except subprocess.TimeoutExpired:
            # A recorder that was stopped meanwhile finds its time up, and the message may be delivered long ago.
            if process.poll() is None:
                _end(process)
                return reasons.TOO_LATE
            output = _left_output(process)
        return subprocess.CompletedProcess(command, process.returncode, output)


def _left_output(process: "subprocess.Popen[bytes]") -> bytes:
    """What a process wrote that has ended; nothing where a program that it started holds the pipe."""
    try:
        output, _ = process.communicate(timeout=_SPARE_SECONDS)
    except subprocess.TimeoutExpired:
        _end(process)
        return b""
    return output or b""


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    # Whatever left the group may hold the pipes open for ever: they are not read any more.
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _environment() -> Mapping[str, str]:
    """Without the doctor's own settings, which may hold the addresses of all targets."""
    environment = {}
    for name, value in os.environ.items():
        if not name.startswith(ENV_PREFIX):
            environment[name] = value
    return environment
