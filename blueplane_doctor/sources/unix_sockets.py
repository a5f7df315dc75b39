"""To which unix sockets a process is connected: the kernel's list of sockets tells the other end of each.

Asked as `ss -x` does it: https://man7.org/linux/man-pages/man7/sock_diag.7.html
"""

import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.text.patterns import pattern

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_OF_ALL = 0x301
"""NLM_F_REQUEST and NLM_F_DUMP."""
_DONE = 3
_NAME = 0
_PEER = 2
"""Kinds of attributes of an answer, UNIX_DIAG_NAME and UNIX_DIAG_PEER."""
_SHOW_NAME_AND_PEER = 1 | 4
_EVERY_STATE = 0xFFFFFFFF
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBHIIIII")
_ANSWER = struct.Struct("=BBBBIII")
_ATTRIBUTE = struct.Struct("=HH")
# The kernel answers at once, or does not know the question.
_ANSWER_SECONDS = 0.5
_MOST_BYTES = 1 << 18
_SOCKET_LINK = pattern(r"socket:\[(\d+)\]\Z")


class _Socket(NamedTuple):
    """One unix socket of this machine."""

    number: int
    """Its inode."""
    name: bytes = b""
    """The path that it is bound to; empty for the end of whoever connected."""
    peer: int = 0
    """Number of the other end; 0 where there is none."""


def connected_sockets(pid: int) -> frozenset[Path]:
    """The sockets that a process is connected to, by their absolute paths; empty where the system does not tell."""
    numbers = _sockets_of(pid)
    paths: set[Path] = set()
    if not numbers:
        return frozenset(paths)
    try:
        by_number = {one.number: one for one in _all_sockets()}
    except (OSError, AttributeError, struct.error):  # not Linux, or not allowed
        return frozenset(paths)
    for number in numbers:
        own = by_number.get(number)
        other = by_number.get(own.peer) if own else None
        # A socket that is bound itself was accepted from a caller.
        if own and other and not own.name and other.name.startswith(b"/"):
            paths.add(Path(os.fsdecode(other.name)))
    return frozenset(paths)


def _sockets_of(pid: int) -> set[int]:
    numbers = set()
    folder = f"/proc/{pid}/fd"
    with suppress(OSError):  # another user's process, or not Linux
        for name in os.listdir(folder):
            with suppress(OSError):  # closed meanwhile
                match = _SOCKET_LINK.match(os.readlink(f"{folder}/{name}"))
                if match:
                    numbers.add(int(match[1]))
    return numbers


def _all_sockets() -> Iterator[_Socket]:
    """Raises OSError where the kernel does not answer."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(_ANSWER_SECONDS)
        body = _REQUEST.pack(socket.AF_UNIX, 0, 0, _EVERY_STATE, 0, _SHOW_NAME_AND_PEER, 0, 0)
        size = _HEADER.size + len(body)
        kernel.send(_HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _REQUEST_OF_ALL, 1, 0) + body)
        while True:
            answer = kernel.recv(_MOST_BYTES)
            while len(answer) >= _HEADER.size:
                length, kind, *_ = _HEADER.unpack_from(answer)
                if kind == _DONE or length < _HEADER.size:
                    return
                if kind == _SOCK_DIAG_BY_FAMILY:
                    yield _socket(answer[_HEADER.size : length])
                answer = answer[_aligned(length) :]


def _socket(message: bytes) -> _Socket:
    number = _ANSWER.unpack_from(message)[4]
    one = _Socket(number)
    rest = message[_ANSWER.size :]
    while len(rest) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(rest)
        if length < _ATTRIBUTE.size:
            break
        value = rest[_ATTRIBUTE.size : length]
        if kind == _NAME:
            one = one._replace(name=value.rstrip(b"\0"))
        elif kind == _PEER:
            one = one._replace(peer=int.from_bytes(value[:4], sys.byteorder))
        rest = rest[_aligned(length) :]
    return one


def _aligned(length: int) -> int:
    """Each message and attribute begins at a multiple of four."""
    return (length + 3) & ~3
