"""Who listens where an event is to be sent: it holds what somebody typed, and any user may bind a free port first.

Linux tells the user of each socket in /proc/net. Elsewhere this cannot be seen without privileges, and is not checked.
"""

import os
import socket
import stat
import sys
import time

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTENING = "0A"
_ROOT = 0
_CREDENTIALS_BYTES = 12
"""Linux: process, user, group. macOS: a version, the user, and more."""
_SOL_LOCAL = 0
_LOCAL_PEERCRED = 1
"""Of macOS, from its sys/un.h; Python has no names for them."""
_ANY = {"00000000", "0" * 32}
"""Addresses of sockets that listen on all addresses of this machine."""
_AT_ONCE_BYTES = 100_000
"""Of the tables so much is read between two looks at the clock."""


def is_trusted(connection: socket.socket, deadline: float) -> bool:
    """Whether the other end belongs to this user or root, as far as that can be seen; on another machine it cannot.

    `deadline`: by the monotonic clock. Raises TimeoutError where there are more sockets than can be looked at by then.
    """
    own = connection.getsockname()
    if isinstance(own, str | bytes):  # a path: of a unix socket
        return _user_behind(connection) in (os.geteuid(), _ROOT, None)
    peer = connection.getpeername()
    if own[0] != peer[0] and not _is_loopback(peer[0]):
        return True
    return _only_ours(_lines_of(peer[1], deadline), own, peer)


def _user_behind(connection: socket.socket) -> int | None:
    """The user who listens on a unix socket; None where the system does not tell."""
    if hasattr(socket, "SO_PEERCRED"):
        told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS_BYTES)
    elif sys.platform == "darwin":
        told = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _CREDENTIALS_BYTES)
    else:
        return None
    # Of both systems' structures the user is the second number.
    return int.from_bytes(told[4:8], sys.byteorder)


def can_tell() -> bool:
    """Whether this system tells which user listens."""
    return any(os.access(name, os.R_OK) for name in TABLES)


def _is_loopback(host: str) -> bool:
    return host == "::1" or host.startswith(("127.", "::ffff:127."))


def _lines_of(port: int, deadline: float) -> list[str] | None:
    """Of the sockets' lines those with this port; None where the system tells nothing. Raises TimeoutError."""
    text = f":{port:04X} "
    is_told = False
    found: list[str] = []
    for name in TABLES:
        try:
            file = open(name, encoding="ascii")  # noqa: SIM115
        except OSError:
            continue
        with file:
            file.readline()
            while lines := file.readlines(_AT_ONCE_BYTES):
                is_told = True
                found += [line for line in lines if text in line]
                if time.monotonic() > deadline:
                    raise TimeoutError
    if not is_told:
        return None
    return found


def _only_ours(lines: list[str] | None, own: tuple[str, int], peer: tuple[str, int]) -> bool:
    """Whether somebody listens there, and nobody but this user or root.

    The socket that answers is looked at too: whoever accepted may have stopped to listen, and another begun.
    """
    if lines is None:
        return True
    port = f":{peer[1]:04X}"
    answers = f":{own[1]:04X}"
    hosts = _ANY | _written(peer[0])
    listens = False
    for line in lines:
        if port not in line:
            continue
        fields = line.split()
        host, _, rest = fields[1].partition(":")
        if f":{rest}" != port or host not in hosts:
            continue
        is_listener = fields[3] == _LISTENING
        if not is_listener and not fields[2].endswith(answers):
            continue
        if int(fields[7]) not in (os.geteuid(), _ROOT):
            return False
        listens = listens or is_listener
    return listens


def _written(host: str) -> set[str]:
    """An address as those tables write it: words of four bytes, each in the machine's own order."""
    if ":" not in host:
        word = _in_own_order(socket.inet_aton(host))
        return {word, "0" * 16 + _in_own_order(b"\x00\x00\xff\xff") + word}
    packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    words = [_in_own_order(packed[start : start + 4]) for start in range(0, 16, 4)]
    if packed.startswith(b"\x00" * 10 + b"\xff\xff"):
        return {"".join(words), words[3]}
    return {"".join(words)}


def _in_own_order(word: bytes) -> str:
    if sys.byteorder == "little":
        word = word[::-1]
    return word.hex().upper()


def is_private_socket(path: str) -> bool:
    """Whether this is a unix socket of this user or root that no other user may connect to. No link is followed."""
    try:
        state = os.lstat(path)
    except OSError:
        return False
    if not stat.S_ISSOCK(state.st_mode) or state.st_uid not in (os.geteuid(), _ROOT):
        return False
    return not state.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
