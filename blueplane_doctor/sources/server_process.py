"""Processes of this machine: is the pipeline's server one of them."""

import time
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.errors import DocumentError, FileMissing, FileUnreadable
from blueplane_doctor.files.documents import json_value
from blueplane_doctor.files.reading import SMALL_BYTES, read_text
from blueplane_doctor.pipeline import SERVER_COMMANDS
from blueplane_doctor.process.light_imports import psutil

RUNNING = "running"
"""What process_state says of the pipeline's server."""
NOT_RUNNING = "not running"
"""What it says of a number that no process has."""


class PidFile(NamedTuple):
    """What server.pid tells."""

    pid: int | None
    cause: str = ""
    """Why a file that is there names no process."""


def read_pid(path: Path) -> PidFile:
    """The pid in a file that holds a bare number, or JSON with `pid`."""
    try:
        content = json_value(read_text(path, SMALL_BYTES).strip())
    except FileMissing:
        return PidFile(None)
    except FileUnreadable as error:
        return PidFile(None, error.reason)
    except DocumentError:
        return PidFile(None, "it holds no number")
    if isinstance(content, dict):
        content = content.get("pid")
    is_number = isinstance(content, int) and not isinstance(content, bool)  # JSON's true is an int of Python's
    if is_number and 0 < content < 1 << 31:
        return PidFile(int(content))
    return PidFile(None, "it holds no number of a process")


class ServerProcess(NamedTuple):
    """The process that the pid file of the examined home names."""

    pid: int | None
    state: str
    """What process_state says of it."""
    running_for_ms: float | None = None
    """Since it started; None where it does not run, or the system does not tell."""

    @property
    def is_running(self) -> bool:
        """Whether it runs and is the pipeline's server."""
        return self.state == RUNNING


def server_process(home: Path) -> ServerProcess:
    """The server of this home."""
    pid = read_pid(home / "server.pid").pid
    state = process_state(pid)
    if pid is None or state != RUNNING:
        return ServerProcess(pid, state)
    try:
        started = psutil.Process(pid).create_time()
    except psutil.Error:
        return ServerProcess(pid, state)
    return ServerProcess(pid, state, 1000 * max(0.0, time.time() - started))


def process_state(pid: int | None) -> str:
    """Whether that process runs, and is the pipeline's server and not another program that was given the number."""
    if pid is None:
        return "no pid file"
    if pid >= 1 << 31:  # no system has so large a number, and psutil raises
        return NOT_RUNNING
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return NOT_RUNNING
        command = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return NOT_RUNNING
    except psutil.AccessDenied:
        return RUNNING  # another user's process under that number; its HTTP answer has to tell
    if any(mark in command for mark in SERVER_COMMANDS):
        return RUNNING
    return "another program"
