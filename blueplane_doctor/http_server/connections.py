"""The door: connections are counted when they are accepted, and those that only wait make room for those that ask.

asyncio's own server accepts up to a thousand at once, before anybody could count them, and then has no descriptor left.
"""

import asyncio
import contextlib
import errno
import resource
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from uvicorn.protocols.http.h11_impl import H11Protocol

from blueplane_doctor.http_server.complaints import Complaints
from blueplane_doctor.http_server.rates import peer_of

MOST_CONNECTIONS = 512
SHARE_OF_ONE_PEER = 0.75
"""Of all connections: the rest stays for others."""
KEPT_BACK = 64
"""Descriptors for the examination: Redis, the database, files, processes."""
OWN = 16
"""Descriptors that the process itself has open."""
FEWEST_CONNECTIONS = 4
REQUEST_SECONDS = 5.0
"""From a connection, or the first byte of a further request, to the end of the request's headers."""
_READING_SECONDS = 10.0
"""For which a caller may leave an answer unread."""
_SWEEP_SECONDS = 0.5
_PAUSE_SECONDS = 1.0
"""After the system refused to accept."""
_AT_ONCE = 8
"""Connections that are accepted before others get their turn. So many may be open beyond the limit for a moment."""


class Limits(NamedTuple):
    """How many connections there may be at once."""

    total: int
    of_one_peer: int


def limits_now() -> Limits:
    """As many as leave enough descriptors for the examination. A limit of this process that is too low is raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + KEPT_BACK + OWN
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted
        if hard != resource.RLIM_INFINITY:
            raised = min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        soft = wanted
    return limits_for(soft)


def limits_for(descriptors: int) -> Limits:
    """The limits of a process that may open so many files."""
    kept_back = min(KEPT_BACK, descriptors // 2)
    total = max(FEWEST_CONNECTIONS, min(MOST_CONNECTIONS, descriptors - kept_back - OWN))
    return Limits(total, max(1, int(total * SHARE_OF_ONE_PEER)))


@dataclass
class _Entry:
    """What is known of one connection; times by the monotonic clock."""

    peer: str
    waits_since: float
    """When its last answer was complete, or it was accepted; a request that is worked on does not wait."""
    asked: bool = False
    """Whether it has had an answer."""
    first_byte: float | None = None
    """When the request began of which not everything is there."""
    unread_since: float | None = None
    """Since when there are bytes that it has not taken."""


class Protocol(H11Protocol):
    """uvicorn's protocol, which tells the door what it needs to know."""

    door: "Door"

    def data_received(self, data: bytes) -> None:
        self.door.received(self)
        super().data_received(data)

    def on_response_complete(self) -> None:
        self.door.answered(self)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self.door.forget(self)
        super().connection_lost(exc)

    @property
    def waits(self) -> bool:
        """Whether no request of it is being answered."""
        return self.cycle is None or self.cycle.response_complete


class Door:
    """Accepts connections for one event loop, from `open` to `close`."""

    def __init__(
        self, listener: socket.socket, make: Callable[[], Protocol], limits: Limits, complain: Complaints
    ) -> None:
        self._listener = listener
        self._make = make
        self._limits = limits
        self._complain = complain
        self._entries: dict[Protocol, _Entry] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._open = False

    def open(self) -> None:
        """Begin to accept, and to close what waits too long."""
        self._open = True
        self._listener.setblocking(False)
        self._resume()
        self._keep(asyncio.create_task(self._sweep_again_and_again()))

    def close(self) -> None:
        """Accept no more."""
        self._open = False
        asyncio.get_running_loop().remove_reader(self._listener)
        for task in self._tasks:
            task.cancel()

    def received(self, protocol: Protocol) -> None:
        """Bytes came on this connection."""
        entry = self._entries.get(protocol)
        if entry and entry.first_byte is None and protocol.waits:
            entry.first_byte = time.monotonic()

    def answered(self, protocol: Protocol) -> None:
        """An answer is complete, and the connection waits for the next request."""
        entry = self._entries.get(protocol)
        if entry:
            entry.asked = True
            entry.first_byte = None
            entry.waits_since = time.monotonic()

    def forget(self, protocol: Protocol) -> None:
        """This connection has ended."""
        self._entries.pop(protocol, None)

    def _keep(self, task: "asyncio.Task[Any]") -> None:
        # The loop itself holds no reference to a task that would keep it from being collected.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _resume(self) -> None:
        if self._open:
            asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause(error)
                return
            peer = ""
            if isinstance(address, tuple):  # that of a unix socket is text
                peer = peer_of(address[0])
            self._let_in(connection, peer)

    def _pause(self, error: OSError) -> None:
        """The system gives no connection now: its readiness would be told again and again."""
        name = errno.errorcode.get(error.errno or 0, "an error")
        self._complain(f"blueplane-doctor: no connection can be accepted: {name}", "accept")
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listener)
        loop.call_later(_PAUSE_SECONDS, self._resume)

    def _let_in(self, connection: socket.socket, peer: str) -> None:
        if not self._make_room(peer):
            connection.close()
            self._complain("blueplane-doctor: a connection was refused: as many as there may be are at work", "full")
            return
        connection.setblocking(False)
        protocol = self._make()
        protocol.door = self
        self._entries[protocol] = _Entry(peer, time.monotonic())
        self._keep(asyncio.create_task(self._serve(protocol, connection)))

    async def _serve(self, protocol: Protocol, connection: socket.socket) -> None:
        if protocol not in self._entries:  # it had to make room before its turn came
            connection.close()
            return
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection)
        except OSError:
            connection.close()
            self.forget(protocol)
            return
        if protocol not in self._entries and protocol.transport is not None:
            protocol.transport.abort()

    def _make_room(self, peer: str) -> bool:
        """Whether one more of this peer may come; where there are too many, the one that waits longest has to go."""
        counts: dict[str, int] = {}
        for entry in self._entries.values():
            counts[entry.peer] = counts.get(entry.peer, 0) + 1
        if counts.get(peer, 0) >= self._limits.of_one_peer and peer:
            return self._close_oldest(peer)
        if len(self._entries) < self._limits.total:
            return True
        most = max(counts, key=lambda other: counts[other])
        return self._close_oldest(most) or self._close_oldest(None)

    def _close_oldest(self, peer: str | None) -> bool:
        """Close the connection that waits longest, of this peer where one is named; False when none waits."""
        oldest = min(self._waiting(peer), key=lambda protocol: self._entries[protocol].waits_since, default=None)
        if oldest is None:
            return False
        self._abort(oldest)
        self._complain("blueplane-doctor: many connections: those that wait longest are closed", "closing")
        return True

    def _waiting(self, peer: str | None) -> Iterator[Protocol]:
        for protocol, entry in self._entries.items():
            if peer in (None, entry.peer) and protocol.waits:
                yield protocol

    def _abort(self, protocol: Protocol) -> None:
        self.forget(protocol)
        # Without a transport its turn is still to come: it then finds itself forgotten, and ends.
        if protocol.transport is not None:
            protocol.transport.abort()

    async def _sweep_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._sweep(time.monotonic())

    def _sweep(self, now: float) -> None:
        for protocol, entry in list(self._entries.items()):
            if protocol.transport is not None and self._is_over(protocol, entry, now):
                self._abort(protocol)

    def _is_over(self, protocol: Protocol, entry: _Entry, now: float) -> bool:
        """Whether this connection has taken more time than it may."""
        if protocol.transport.get_write_buffer_size() == 0:
            entry.unread_since = None
        elif entry.unread_since is None:
            entry.unread_since = now
        elif now - entry.unread_since > _READING_SECONDS:
            return True
        if not protocol.waits:
            return False
        if entry.first_byte is not None:
            return now - entry.first_byte > REQUEST_SECONDS
        return not entry.asked and now - entry.waits_since > REQUEST_SECONDS
