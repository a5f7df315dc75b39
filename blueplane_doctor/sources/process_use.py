"""What a process of the pipeline's server uses, as the system shows it: connections, open files, command, folder."""

import contextlib
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from blueplane_doctor.connection.socket_transport import connected_to
from blueplane_doctor.pipeline import SERVER_COMMANDS
from blueplane_doctor.process.light_imports import psutil

_CONNECT_SECONDS = 0.2
"""For a connection on this machine, which is made or refused at once."""


class Address(NamedTuple):
    """Host and port of one end of a TCP connection."""

    host: str
    port: int


class ProcessUse(NamedTuple):
    """What the system shows of one process. None where it shows that to nobody but others."""

    pid: int
    connections: frozenset[Address] | None = None
    """The other ends of the TCP connections that it opened itself."""
    files: tuple[Path, ...] | None = None
    """Regular files that it has open, by paths that lead to them here."""
    command: tuple[str, ...] = ()
    """The words of its command line; empty where they are not shown."""
    folder: Path | None = None
    """Its working folder."""
    sees_the_same_files: bool = True
    """False where it is known to be in a container of its own, so that a path of its log may be another file here."""

    @property
    def is_shown(self) -> bool:
        """Whether the system shows its connections: to its own user and root it does."""
        return self.connections is not None


def process_use(pid: int) -> ProcessUse:
    """What that process uses. One that ended meanwhile, or that belongs to another user, shows nothing."""
    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return ProcessUse(pid)
    connections: frozenset[Address] | None = None
    files: tuple[Path, ...] | None = None
    command: list[str] = []
    folder: Path | None = None
    # One by one: of another user's process the system shows some of it.
    with contextlib.suppress(psutil.Error, OSError):
        connections = _opened_by(process.net_connections(kind="tcp"))
    with contextlib.suppress(psutil.Error, OSError):
        seen = []
        for file in process.open_files():
            if _is_seen_here(pid, file.fd, file.path):
                seen.append(Path(file.path))
        files = tuple(seen)
    with contextlib.suppress(psutil.Error, OSError):
        command = process.cmdline()
    with contextlib.suppress(psutil.Error, OSError):
        folder = Path(process.cwd())
    return ProcessUse(pid, connections, files, tuple(command), folder, _sees_the_same_files(pid))


def _opened_by(sockets: Collection[Any]) -> frozenset[Address]:
    """The other ends of these sockets, without those of callers: they came to a port on which the process listens."""
    listening = set()
    opened = set()
    # In two passes: a caller's socket may be listed before the one that listens.
    for each in sockets:
        if not each.raddr:
            listening.add(each.laddr.port)
    for each in sockets:
        if each.raddr and each.laddr.port not in listening:
            opened.add(Address(each.raddr.ip, each.raddr.port))
    return frozenset(opened)


def _is_seen_here(pid: int, descriptor: int, path: str) -> bool:
    """Whether that path leads to the open file for us too: in a container it may name another one."""
    try:
        return os.path.samefile(f"/proc/{pid}/fd/{descriptor}", path)
    except OSError:  # not Linux
        return True


def _sees_the_same_files(pid: int) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt")
    except OSError:  # not Linux, or not shown to this user
        return True


def server_that_listens_on(address: Address) -> int | None:
    """The process of a Blueplane server that listens there, on this machine; None where none is seen."""
    # To look through all processes takes long, and is needless where nobody listens.
    try:
        connected_to(address, _CONNECT_SECONDS).close()
    except OSError:
        return None
    # By their commands first: to look at the connections of every process would take longer still.
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            command = " ".join(process.cmdline())
            if not any(mark in command for mark in SERVER_COMMANDS):
                continue
            for connection in process.net_connections(kind="tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == address.port:
                    return int(process.pid)
    return None
