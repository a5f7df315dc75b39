"""A connected socket for Redis' protocol (RESP2), and how one is opened for a plain address.

Importing redis-py takes longer than an examination, so plain addresses do without it.
"""

import select
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import hiredis

from blueplane_doctor.connection.base import Command, Limits, NoConnection, ProtocolError, ReplyError
from blueplane_doctor.connection.reply_reader import INCOMPLETE, ReplyReader
from blueplane_doctor.process.threads import NO_THREADS, has_begun

_CHUNK_BYTES = 1 << 17
_BEFORE_CLOSING = ("ERR max number of clients", "DENIED")
"""How the answers begin with which a server refuses a connection, once, however much it was asked."""


class _Received(threading.local):
    """What each thread received."""

    byte_count = 0


_RECEIVED = _Received()


def received_bytes() -> int:
    """Bytes of replies that this thread has received so far, over all its connections."""
    return _RECEIVED.byte_count


class SocketTransport:
    """The one Transport that reads replies, whoever opened its socket."""

    def __init__(self, connected: socket.socket, limits: Limits, close: Callable[[], None] | None = None) -> None:
        """`close` ends the connection where the socket belongs to somebody else."""
        self._socket = connected
        self._limits = limits
        self._close = close or connected.close
        self._replies = ReplyReader(limits.reply_bytes)
        self._chunk = bytearray(_CHUNK_BYTES)
        self._refusal: ReplyError | None = None

    def send(self, commands: Sequence[Command]) -> None:
        self._socket.settimeout(self._limits.remaining(self._limits.reply_seconds))
        try:
            # hiredis' stub takes a tuple of one element alone
            packed = b"".join(hiredis.pack_command(command) for command in commands)  # type: ignore[arg-type]
            self._socket.sendall(packed)
        except ConnectionError:
            with suppress(OSError):
                self.receive()  # the reason can still be read
            self._raise_refusal()
            raise

    def _raise_refusal(self) -> None:
        """Raise what a server said unasked before it closed the connection, if it did."""
        if self._refusal is not None:
            raise self._refusal

    def receive(self) -> Any:
        try:
            reply = self._next_reply()
        except ConnectionError:
            self._raise_refusal()
            raise
        if isinstance(reply, ReplyError) and str(reply).startswith(_BEFORE_CLOSING):
            self._refusal = reply
        return reply

    def _next_reply(self) -> Any:
        # The time limit of a socket begins anew with every byte; that of a reply does not.
        end = time.monotonic() + self._limits.remaining(self._limits.reply_seconds)
        while (reply := self._replies.next_reply()) is INCOMPLETE:
            remaining = end - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("the reply is not complete in time")
            self._socket.settimeout(remaining)
            received = self._socket.recv_into(self._chunk)
            if not received:
                raise NoConnection("the connection was closed")
            _RECEIVED.byte_count += received
            self._replies.feed(self._chunk, received, end)
        return reply

    def is_gone(self) -> bool:
        # Where no reply is awaited, nothing but the end of the connection can be read. poll, unlike select, also
        # works in a process with more than 1024 files open, as a recorder's may be.
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        with suppress(OSError):
            self._close()


def open_plain(url: str, limits: Limits) -> SocketTransport:
    """Connect to a `redis` or `unix` URL without options. Raises OSError, ReplyError, ProtocolError, ValueError."""
    parts = urlsplit(url)
    login = {"username": unquote(parts.username or ""), "password": unquote(parts.password or "")}
    if parts.scheme == "unix":
        return logged_in(SocketTransport(_connect_to_file(parts, limits), limits), login)
    login["db"] = parts.path.strip("/")
    connected = connect(parts.hostname or "localhost", parts.port or 6379, limits)
    return logged_in(SocketTransport(connected, limits), login)


def logged_in(transport: SocketTransport, login: Mapping[str, Any]) -> SocketTransport:
    """The same, after AUTH and SELECT; closed when these fail. Raises OSError, ReplyError, ProtocolError, ValueError.

    `login` has `username`, `password` and `db`, as redis-py names them; each may be missing or empty.
    """
    try:
        commands = _login_commands(login)
        if commands:
            transport.send(commands)
        for reply in [transport.receive() for _ in commands]:
            if isinstance(reply, ReplyError):
                raise reply
            if reply != b"OK":
                raise ProtocolError("the login was answered with something else than OK")
    except BaseException:
        transport.close()
        raise
    return transport


def _login_commands(login: Mapping[str, Any]) -> list[Command]:
    commands: list[Command] = []
    user = login.get("username")
    password = login.get("password")
    if password and user:
        commands.append(("AUTH", user, password))
    elif password:
        commands.append(("AUTH", password))
    database = int(login.get("db") or 0)
    if database:
        commands.append(("SELECT", database))
    return commands


def connect(host: str, port: int, limits: Limits) -> socket.socket:
    """A socket to the first of the host's addresses that answers. Raises OSError."""
    failures: list[OSError] = []
    for *_, address in look_up(host, port, limits):
        try:
            connected = connected_to(address, limits.remaining(limits.connect_seconds))
        except TimeoutError:
            failures.append(NoConnection(f"no connection in {limits.connect_seconds:g} s"))
        except OSError as error:
            failures.append(error)
        else:
            # A command must not wait until the last one was acknowledged (Nagle's algorithm).
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connected
    raise failures[0]


def connected_to(address: tuple[Any, ...], seconds: float) -> socket.socket:
    """A socket to one address, the first two of whose parts are host and port. Raises OSError."""
    return socket.create_connection(_without_idna(address), seconds)


def _without_idna(address: tuple[Any, ...]) -> tuple[Any, int]:
    """Host and port of an address, the host as bytes where it has no other characters than ASCII.

    A host that is text goes through the codec `idna` first, whatever it holds, which is imported for it.
    """
    host, port = address[:2]
    if host.isascii() and "\0" not in host:  # what follows a NUL would be left out silently
        return host.encode("ascii"), port
    return host, port


def look_up(host: str, port: int, limits: Limits) -> list[Any]:
    """The host's addresses, as socket.getaddrinfo gives them. Raises OSError."""
    addresses: list[Any] = []
    failures: list[OSError] = []

    def ask() -> None:
        try:
            addresses.extend(socket.getaddrinfo(*_without_idna((host, port)), type=socket.SOCK_STREAM))
        except OSError as error:
            failures.append(error)
        except (ValueError, OverflowError):  # what no host's name can be; raised here it would print a traceback
            failures.append(ConnectionError("that is no name of a host"))

    # getaddrinfo knows no time limit: where no name server answers it takes half a minute. So it is left behind.
    asking = Thread(target=ask, daemon=True)
    if not has_begun(asking):
        raise NoConnection(NO_THREADS)
    asking.join(limits.remaining(limits.connect_seconds))
    if addresses:
        return addresses
    if failures:
        raise failures[0]
    raise NoConnection(f"no name server gave its address in {limits.connect_seconds:g} s")


def _connect_to_file(parts: SplitResult, limits: Limits) -> socket.socket:
    connected = socket.socket(socket.AF_UNIX)
    connected.settimeout(limits.remaining(limits.connect_seconds))
    try:
        connected.connect(unquote(parts.path))
    except BaseException:
        connected.close()
        raise
    return connected
