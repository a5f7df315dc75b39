"""Processes of this machine: is the pipeline's server one of them, what is it connected to, who locks the database."""

import contextlib
import time
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.documents import json_value
from blueplane_doctor.errors import DocumentError, FileMissing, FileUnreadable
from blueplane_doctor.file_reading import SMALL_BYTES, read_text
from blueplane_doctor.pipeline import SERVER_COMMANDS
from blueplane_doctor.sources.database_source import real_file

LOCKS = Path("/proc/locks")
RUNNING = "running"
"""What process_state says of the pipeline's server."""
NOT_RUNNING = "not running"
"""What it says of a number that no process has."""
_PUBLIC_PROGRAMS = frozenset(
    (
        *("DBeaver", "code", "cp", "cursor", "datagrip", "dbeaver", "duckdb", "litestream"),
        *("node", "python", "python3", "rsync", "sqlite3", "sqlitebrowser"),
    )
)
"""Programs whose name tells nothing of who runs them."""
_WAL_WRITER_BYTE = 120
"""Of the file -shm: whoever writes in write-ahead-log mode locks it. https://www.sqlite.org/walformat.html"""
_FIRST_LOCK_BYTE = 0x40000000
"""Of the database: from here on writers lock in the other modes. https://www.sqlite.org/fileformat2.html"""

_FIRST_SHARED_BYTE = _FIRST_LOCK_BYTE + 2
"""Of the bytes that every reader locks: https://www.sqlite.org/lockingv3.html"""


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
    import psutil

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
    import psutil

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


def connected_ports(pid: int) -> frozenset[int] | None:
    """The remote ports of a process' TCP connections; None where they cannot be seen."""
    import psutil

    try:
        connections = psutil.Process(pid).net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return None
    return frozenset(connection.raddr.port for connection in connections if connection.raddr)


class LockHolder(NamedTuple):
    """A process that holds the write lock of a database. `program` is empty where its name may be private."""

    pid: int
    program: str


def write_lock_holder(database: Path) -> LockHolder | None:
    """Who holds the write lock at this moment, where the system tells (Linux); None also when nobody does."""
    file = real_file(database)
    shared = file.with_name(file.name + "-shm")
    try:
        lines = LOCKS.read_text().splitlines()
        looked_for = {_inode_of(file): _FIRST_LOCK_BYTE}
        if shared.exists():
            looked_for[_inode_of(shared)] = _WAL_WRITER_BYTE
    except OSError:
        return None
    for line in lines:
        pid = _holder(line, looked_for)
        if pid:
            return LockHolder(pid, _public_name(pid))
    return None


def is_locked_for_all(database: Path) -> bool:
    """Whether somebody has the database for itself alone, so that nobody may read it, where the system tells (Linux).

    A lock that only announces a write (RESERVED) keeps nobody from reading.
    """
    try:
        lines = LOCKS.read_text().splitlines()
        looked_for = {_inode_of(database): _FIRST_SHARED_BYTE}
    except OSError:
        return False
    return any(_holder(line, looked_for) for line in lines)


def _inode_of(file: Path) -> str:
    return str(file.stat().st_ino)


def _holder(line: str, looked_for: dict[str, int]) -> int | None:
    """The process of a line such as `1: POSIX  ADVISORY  WRITE 4711 08:01:1234 120 120`, if it is such a lock."""
    parts = line.split()
    if len(parts) != 8 or parts[3] != "WRITE":
        return None  # a lock that only reads, or one that waits (`->`)
    inode = parts[5].rpartition(":")[2]
    if inode not in looked_for:
        return None
    byte = looked_for[inode]
    with contextlib.suppress(ValueError):
        pid = int(parts[4])
        start = int(parts[6])
        end = start if parts[7] == "EOF" else int(parts[7])
        # Below the first lock byte of a database lies its content, which nobody locks; of -shm only one byte counts.
        is_lock = start >= byte if byte == _FIRST_LOCK_BYTE else start <= byte <= end
        if is_lock and pid > 0:
            return pid
    return None


def _public_name(pid: int) -> str:
    """The program's name where it is public and the process is of this user; empty otherwise."""
    import psutil

    try:
        process = psutil.Process(pid)
        name = process.name()
        is_own = process.uids().real == psutil.Process().uids().real
    except psutil.Error:
        return ""
    return name if is_own and name in _PUBLIC_PROGRAMS else ""
