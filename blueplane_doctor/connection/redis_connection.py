"""Connection: the one way to Redis, with our errors. Behind it the read-only source, history, recorder and installer.

A plain address is spoken to over a socket, TLS is opened by redis-py; Sentinel and Cluster are asked where to connect.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from blueplane_doctor.connection.base import Command, Limits, ProtocolError, ReplyError, Transport
from blueplane_doctor.connection.failures import Endpoint, source_error
from blueplane_doctor.connection.shapes import checked_shape, checked_transaction
from blueplane_doctor.connection.socket_transport import open_plain
from blueplane_doctor.connection.topology import UnusableUrl, check_url, topology_of
from blueplane_doctor.connection.topology_transport import open_topology
from blueplane_doctor.errors import SettingsError, SourceError

_MOVED_AWAY = ("READONLY", "MOVED", "ASK ")
"""What a server says that is not, or no longer, the one to ask: after a failover, or when a slot went elsewhere."""


class Connection:
    """One connection, opened when it is first needed and again after it failed. Used by one thread at a time.

    Commands raise SourceError when Redis cannot be reached, does not answer within the limits or answers with what no
    Redis answers, and SettingsError when the URL cannot be used. Replies are raw RESP2; a refused command's is a
    ReplyError, which `check` raises as ours.
    """

    def __init__(self, endpoint: Endpoint, limits: Limits | None = None) -> None:
        self.endpoint = endpoint
        self.failure: SourceError | None = None
        """What ended the connection; None while it works."""
        self._limits = limits or Limits()
        self._transport: Transport | None = None
        self._unanswered: deque[Command] = deque()

    @property
    def address(self) -> str:
        """Where it is, as messages may show it."""
        return self.endpoint.address

    def send(self, *commands: Command) -> None:
        """Send commands and wait for nothing."""
        with self._closed_on_failure():
            self._opened().send(commands)
            self._unanswered.extend(commands)

    def receive(self) -> Any:
        """The reply to the oldest command without one."""
        with self._closed_on_failure():
            command = self._unanswered.popleft()
            return checked_shape(self._opened().receive(), command)

    def ask(self, *commands: Command) -> list[Any]:
        """Replies in the order of the commands, in one round trip."""
        if not commands:
            return []
        self.send(*commands)
        replies = [self.receive() for _ in commands]
        self._close_where_it_moved(replies)
        return replies

    def ask_one(self, *command: str | bytes | int) -> Any:
        """One command's reply. Raises SourceError also when it is refused."""
        (reply,) = self.ask(command)
        return self.check(reply, command)

    def transaction(self, *commands: Command) -> list[Any] | None:
        """Replies of commands run as one (MULTI/EXEC), in one round trip; None when a watched key was changed.

        Raises SourceError also when one is refused before anything was run.
        """
        with self._closed_on_failure():
            transport = self._opened()
            around: list[Command] = [("MULTI",), *commands, ("EXEC",)]
            transport.send(around)
            replies = [transport.receive() for _ in around]
            executed = checked_transaction(replies[-1], commands)
        self._close_where_it_moved(replies)
        if isinstance(executed, ReplyError):
            # Nothing was run. The first refused command is the reason; what EXEC says only follows from it.
            for reply, command in zip(replies, around, strict=True):
                self.check(reply, command)
        return executed  # type: ignore[no-any-return]  # checked_transaction leaves nothing else

    def check(self, reply: Any, command: Command = ()) -> Any:
        """The reply; one that is an error is raised as ours, which names the command and what to try."""
        if isinstance(reply, Exception):
            raise self._ours(reply, command) from reply
        return reply

    def check_all(self, *replies: Any) -> None:
        """Raises SourceError for the first reply that is an error."""
        for reply in replies:
            self.check(reply)

    def close_if_gone(self) -> None:
        """Close it where the other side has closed it meanwhile, so that the next command opens another and succeeds.

        For who asks seldom; only between a reply and the next command.
        """
        if self._transport and self._transport.is_gone():
            self.close()

    def close(self) -> None:
        """Close the connection; the next command opens another."""
        transport = self._transport
        self._transport = None
        self._unanswered.clear()
        if transport:
            transport.close()

    def _opened(self) -> Transport:
        if self._transport is None:
            self._transport = self._open()
            self.failure = None
        return self._transport

    def _open(self) -> Transport:
        end = min(self._limits.end, time.monotonic() + self._limits.connection_seconds)
        try:
            return open_transport(self.endpoint.url, self._limits._replace(end=end))
        except ValueError as error:
            option = self.endpoint.option
            problem = "it cannot be used as the URL of a Redis"
            if isinstance(error, UnusableUrl):
                problem = str(error)
            raise SettingsError(
                f"{self.endpoint.setting}: {problem}",
                f"for example {option} redis://localhost:6379/0 or {option} unix:///run/redis.sock",
            ) from error

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ReplyError, ProtocolError) as error:
            self.close()
            self.failure = self._ours(error)
            raise self.failure from error
        except BaseException:
            self.close()  # what is still under way must not answer the next command
            raise

    def _close_where_it_moved(self, replies: list[Any]) -> None:
        for reply in replies:
            if isinstance(reply, ReplyError) and str(reply).startswith(_MOVED_AWAY):
                self.close()
                return

    def _ours(self, error: Exception, command: Command = ()) -> SourceError:
        return source_error(error, self.endpoint, command, self._limits.reply_seconds)


def open_transport(url: str, limits: Limits) -> Transport:
    """Connect to what the URL names. Raises OSError, ReplyError, ProtocolError, and ValueError for no such URL."""
    check_url(url)
    topology = topology_of(url)
    if topology:
        return open_topology(topology, limits)
    parts = urlsplit(url)
    if parts.scheme == "rediss" or parts.query:
        # Importing redis-py takes longer than an examination; plain addresses have no need of it.
        from blueplane_doctor.connection.library_transport import open_with_library

        return open_with_library(url, limits)
    return open_plain(url, limits)
