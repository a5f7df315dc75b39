"""A connection to the Redis that holds the history: pipelined commands, raw RESP2 replies, our errors.

Importing redis-py takes longer than all the rest of `history`; so plain addresses are spoken to through hiredis, the
parser that redis-py itself uses, and only TLS and URLs with options through redis-py.
"""

import contextlib
import socket
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from blueplane_doctor.errors import (
    SettingsError,
    SourceError,
    SourceRefused,
    SourceTimeout,
    SourceUnreachable,
    SourceUnusable,
)
from blueplane_doctor.redis_places import without_names
from blueplane_doctor.sources.redis_source import address_of
from blueplane_doctor.sources.wire import Command

ANSWER_LIMIT_SECONDS = 2.0
READING_RIGHTS = (
    "Let this user read the history: ACL SETUSER <user> %R~blueplane:health:* +exists +hgetall +xrange +xrevrange, "
    "with TimeSeries +ts.queryindex +ts.range instead of the last three; docs/HISTORY.md lists those of `record`"
)
_CHUNK = 1 << 18
_CODES = {"NoPermissionError": "NOPERM", "OutOfMemoryError": "OOM", "BusyLoadingError": "LOADING"}


class Wire(Protocol):
    """What sends commands and gives as many replies, refused ones as exceptions."""

    def exchange(self, commands: tuple[Command, ...]) -> list[Any]:
        """One round trip. Raises OSError when the connection breaks."""

    def close(self) -> None:
        """Close the connection."""


class Link:
    """One connection, opened when it is first needed and again after it broke."""

    def __init__(self, url: str, *, limit: float = ANSWER_LIMIT_SECONDS) -> None:
        self.url = url
        self.address = address_of(url)
        self._limit = limit
        self._wire: Wire | None = None

    def ask(self, *commands: Command) -> list[Any]:
        """Replies in order, a refused command's as its exception. Raises SourceError when nobody answers."""
        if not commands:
            return []
        try:
            self._wire = self._wire or _open(self.url, self._limit)
            return self._wire.exchange(commands)
        except TimeoutError as error:
            self.close()
            raise SourceTimeout(
                f"Redis at {self.address} gave no answer in {self._limit:g} s", "see whether it is busy or stopped"
            ) from error
        except OSError as error:
            self.close()
            said = without_names(error.strerror or str(error), self.url)
            raise SourceUnreachable(
                f"Redis at {self.address}, which is to hold the history, cannot be reached: {said}",
                "start it, or name the right one with --history-url",
            ) from error
        except BaseException:
            self.close()  # what is still under way must not answer the next question
            raise

    def ask_one(self, *command: str | bytes | int) -> Any:
        """One command's reply. Raises SourceError, also when it is refused."""
        (reply,) = self.ask(command)
        self.check(reply)
        return reply

    def check(self, *replies: Any) -> None:
        """Raise ours for the first reply that is an error."""
        for reply in replies:
            if isinstance(reply, Exception):
                raise refusal(self.url, str(reply)) from reply

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        wire, self._wire = self._wire, None
        if wire:
            wire.close()


def refusal(url: str, said: str) -> SourceError:
    """What a refused command means for the user."""
    said = without_names(said, url)
    kind = said.partition(" ")[0]
    where = f"Redis at {address_of(url)}, which is to hold the history,"
    if kind in ("NOAUTH", "WRONGPASS") or "invalid password" in said:
        return SourceRefused(f"{where} refused the login: {said}", "--history-url redis://USER:PASSWORD@HOST:PORT")
    if kind == "NOPERM":
        return SourceRefused(f"{where} gives this user no permission: {said}", READING_RIGHTS)
    if kind == "LOADING":
        return SourceUnreachable(f"{where} is still loading its data", "try again in a moment")
    hint = "free memory, or keep the history elsewhere: --history-url" if kind == "OOM" else ""
    return SourceUnusable(f"{where} refused: {said}", hint)


def _open(url: str, limit: float) -> Wire:
    parts = urlsplit(url)
    if parts.scheme == "rediss" or parts.query:
        return _LibraryWire(url, limit)
    if parts.scheme not in ("redis", "unix"):
        raise SettingsError("history_url: must begin with redis://, rediss:// or unix://")
    wire = _PlainWire(_connected(parts, limit))
    try:
        _greet(wire, parts)
    except BaseException:
        wire.close()
        raise
    return wire


def _connected(parts: SplitResult, limit: float) -> socket.socket:
    if parts.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(limit)
        try:
            connection.connect(unquote(parts.path))
        except BaseException:
            connection.close()
            raise
        return connection
    try:
        host, port = parts.hostname or "localhost", parts.port or 6379
    except ValueError as error:
        raise SettingsError(f"history_url: {error}") from error
    connection = socket.create_connection((host, port), limit)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _greet(wire: "_PlainWire", parts: SplitResult) -> None:
    """Log in and choose the database, as the URL says."""
    commands: list[Command] = []
    if parts.password:
        user = (unquote(parts.username),) if parts.username else ()
        commands.append(("AUTH", *user, unquote(parts.password)))
    database = parts.path.strip("/") if parts.scheme == "redis" else ""
    if database not in ("", "0"):
        commands.append(("SELECT", database))
    for reply in wire.exchange(tuple(commands)):
        if isinstance(reply, Exception):
            raise refusal(parts.geturl(), str(reply))


class _PlainWire:
    """A socket and hiredis' parser."""

    def __init__(self, connection: socket.socket) -> None:
        import hiredis

        self._socket = connection
        self._pack = hiredis.pack_command
        self._reader = hiredis.Reader()

    def exchange(self, commands: tuple[Command, ...]) -> list[Any]:
        if not commands:
            return []
        # hiredis' stub takes a tuple of one element alone
        self._socket.sendall(b"".join(self._pack(command) for command in commands))  # type: ignore[arg-type]
        return [self._reply() for _ in commands]

    def _reply(self) -> Any:
        while (reply := self._reader.gets()) is False:  # RESP2 has no false: this says that more must come
            received = self._socket.recv(_CHUNK)
            if not received:
                raise ConnectionError("the connection was closed")
            self._reader.feed(received)
        return reply

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()


class _LibraryWire:
    """redis-py's connection, for TLS and URLs with options."""

    def __init__(self, url: str, limit: float) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        try:
            pool = redis.ConnectionPool.from_url(
                url,
                socket_timeout=limit,
                socket_connect_timeout=limit,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
                driver_info=None,
            )
        except ValueError as error:
            raise SettingsError(f"history_url: {error}") from error
        self._connection: Any = pool.make_connection()

    def exchange(self, commands: tuple[Command, ...]) -> list[Any]:
        import redis.exceptions as redis_errors

        try:
            self._connection.send_packed_command(self._connection.pack_commands(commands))
            return [self._reply(redis_errors) for _ in commands]
        except redis_errors.TimeoutError as error:
            raise TimeoutError(str(error)) from error
        except redis_errors.AuthenticationError as error:
            raise SourceRefused(f"the Redis that is to hold the history refused the login: {error}") from error
        except redis_errors.RedisError as error:
            raise ConnectionError(str(error)) from error

    def _reply(self, redis_errors: Any) -> Any:
        try:
            return self._connection.read_response(disable_decoding=True)
        except redis_errors.ConnectionError:
            raise
        except redis_errors.ResponseError as error:
            # The library takes the server's code away and makes a class of it.
            code = _CODES.get(type(error).__name__, "ERR")
            return error if str(error).startswith(code) else type(error)(f"{code} {error}")

    def close(self) -> None:
        self._connection.disconnect()
