"""Who locks a SQLite database, where the system tells (Linux)."""

import contextlib
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.files.user_paths import real_file
from blueplane_doctor.process.light_imports import psutil

LOCKS = Path("/proc/locks")
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


class LockHolder(NamedTuple):
    """A process that holds the write lock of a database. `program` is empty where its name may be private."""

    pid: int
    program: str


def write_lock_holder(database: Path) -> LockHolder | None:
    """Who holds the write lock at this moment, where the system tells (Linux); None also when nobody does."""
    file = real_file(database)
    shared = file.with_name(file.name + "-shm")
    pid = _holder_of({file: _FIRST_LOCK_BYTE, shared: _WAL_WRITER_BYTE})
    if pid is None:
        return None
    return LockHolder(pid, _public_name(pid))


def is_locked_for_all(database: Path) -> bool:
    """Whether somebody has the database for itself alone, so that nobody may read it, where the system tells (Linux).

    A lock that only announces a write (RESERVED) keeps nobody from reading.
    """
    return _holder_of({real_file(database): _FIRST_SHARED_BYTE}) is not None


def _holder_of(bytes_of: dict[Path, int]) -> int | None:
    """The process that may write such a byte of one of these files; None where nobody may, or nobody tells."""
    looked_for = {}
    try:
        lines = LOCKS.read_text(encoding="ascii", errors="replace").splitlines()
        for file, byte in bytes_of.items():
            if file.exists():
                looked_for[str(file.stat().st_ino)] = byte
    except OSError:
        return None
    for line in lines:
        pid = _holder(line, looked_for)
        if pid is not None:
            return pid
    return None


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
    try:
        process = psutil.Process(pid)
        name = process.name()
        is_own = process.uids().real == psutil.Process().uids().real
    except psutil.Error:
        return ""
    return name if is_own and name in _PUBLIC_PROGRAMS else ""
