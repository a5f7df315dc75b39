"""One connection to one Redis: commands out, raw RESP2 replies back.

Importing redis-py takes longer than all of an examination, so plain addresses are spoken to through hiredis, the parser
that redis-py uses itself; TLS, Sentinel, Cluster and URLs with options go through redis-py (redis_nodes.py).
"""

import contextlib
import socket
from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

Command = tuple[str | bytes | int, ...]

PLAIN_SCHEMES = ("redis", "unix")
_CHUNK = 1 << 17


class Refused(Exception):
    """A reply that is an error, as the server put it: its code first (`WRONGTYPE …`)."""


class Wire(Protocol):
    """A connection that is logged in."""

    def send(self, commands: Sequence[Command]) -> None:
        """Send commands and wait for nothing. Raises OSError; TimeoutError when the server takes nothing in."""

    def receive(self) -> Any:
        """The next reply, a refused command's as a `Refused`. Raises OSError; TimeoutError when none comes."""

    def close(self) -> None:
        """Close the connection."""


class PlainWire:
    """A socket and hiredis' parser."""

    def __init__(self, connection: socket.socket) -> None:
        import hiredis

        self._socket = connection
        self._pack = hiredis.pack_command
        self._reader = hiredis.Reader(protocolError=ConnectionError, replyError=Refused)
        self._chunk = bytearray(_CHUNK)

    def send(self, commands: Sequence[Command]) -> None:
        """See Wire."""
        # hiredis' stub takes a tuple of one element alone
        self._socket.sendall(b"".join(self._pack(command) for command in commands))  # type: ignore[arg-type]

    def receive(self) -> Any:
        """See Wire."""
        while (reply := self._reader.gets()) is False:  # RESP2 has no false: this says that more must come
            received = self._socket.recv_into(self._chunk)
            if not received:
                raise ConnectionError("the connection was closed")
            self._reader.feed(self._chunk, 0, received)  # type: ignore[arg-type]  # any buffer will do
        return reply

    def close(self) -> None:
        """See Wire."""
        with contextlib.suppress(OSError):
            self._socket.close()


def is_plain(url: str) -> bool:
    """Whether an address needs nothing but a socket."""
    parts = urlsplit(url)
    return parts.scheme in PLAIN_SCHEMES and not parts.query


def open_plain(url: str, limit: float) -> PlainWire:
    """Connect and log in; no step may take longer than `limit` seconds.

    Raises OSError, Refused, and ValueError for a URL that cannot be used.
    """
    parts = urlsplit(url)
    wire = PlainWire(_connected(parts, limit))
    try:
        _greet(wire, parts)
    except BaseException:
        wire.close()
        raise
    return wire


def _connected(parts: SplitResult, limit: float) -> socket.socket:
    if parts.scheme == "redis":
        connection = socket.create_connection((parts.hostname or "localhost", parts.port or 6379), limit)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(limit)
    try:
        connection.connect(unquote(parts.path))
    except BaseException:
        connection.close()
        raise
    return connection


def _greet(wire: PlainWire, parts: SplitResult) -> None:
    """Log in and choose the database, as the URL says."""
    commands: list[Command] = []
    if parts.password:
        user = (unquote(parts.username),) if parts.username else ()
        commands.append(("AUTH", *user, unquote(parts.password)))
    database = parts.path.strip("/") if parts.scheme == "redis" else ""
    if database not in ("", "0"):
        commands.append(("SELECT", str(int(database))))
    if not commands:
        return
    wire.send(commands)
    for reply in [wire.receive() for _ in commands]:
        if isinstance(reply, Refused):
            raise reply
