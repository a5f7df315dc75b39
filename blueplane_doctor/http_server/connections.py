"""The door: connections are counted when they are accepted, and those that only wait make room for those that ask.

asyncio's own server accepts up to a thousand at once, before anybody could count them, and then has no descriptor left.
"""

import asyncio
import contextlib
import errno
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from blueplane_doctor.http_server.complaints import Complaints
from blueplane_doctor.http_server.rates import peer_of

# A browser opens six and a monitor one: far more than the tools of a team need.
MOST_CONNECTIONS = 512
SHARE_OF_ONE_PEER = 0.75
"""Of all connections: the rest stays for others."""
KEPT_BACK = 64
"""Descriptors for the examination: Redis, the database, files, processes."""
OWN = 16
"""Descriptors that the process itself has open."""
# However few descriptors there are, somebody is to be answered.
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


class Protocol(H11Protocol):
    """uvicorn's protocol, which knows for how long it has waited for its peer. Times are by the monotonic clock."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        app_state: dict[str, Any],
        peer: str,
        on_end: Callable[["Protocol"], None],
    ) -> None:
        super().__init__(config, state, app_state)
        self.peer = peer
        self._on_end = on_end
        self.waits_since = time.monotonic()
        """When its last answer was complete, or it was accepted; a request that is worked on does not wait."""
        self._asked = False
        """Whether it has had an answer."""
        self._first_byte: float | None = None
        """When the request began of which not everything is there."""
        self._unread_since: float | None = None
        """Since when there are bytes that the peer has not taken."""

    def data_received(self, data: bytes) -> None:
        if self._first_byte is None and self.waits:
            self._first_byte = time.monotonic()
        super().data_received(data)

    def on_response_complete(self) -> None:
        self._asked = True
        self._first_byte = None
        self.waits_since = time.monotonic()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_end(self)
        super().connection_lost(exc)

    @property
    def waits(self) -> bool:
        """Whether no request of it is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def is_over(self, now: float) -> bool:
        """Whether its peer has taken more time than it may."""
        if self.transport.get_write_buffer_size() == 0:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        elif now - self._unread_since > _READING_SECONDS:
            return True
        if not self.waits:
            return False
        if self._first_byte is not None:
            return now - self._first_byte > REQUEST_SECONDS
        return not self._asked and now - self.waits_since > REQUEST_SECONDS


MakeProtocol = Callable[[str, Callable[[Protocol], None]], Protocol]
"""Makes that of a new connection: of which peer, and what is called when it has ended."""


class Door:
    """Accepts connections for one event loop, from `open` to `close`."""

    def __init__(self, listener: socket.socket, make: MakeProtocol, limits: Limits, complain: Complaints) -> None:
        self._listener = listener
        self._make = make
        self._limits = limits
        self._complain = complain
        self._protocols: set[Protocol] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._open = False

    def open(self) -> None:
        """Begin to accept, and to close what waits too long."""
        self._open = True
        self._listener.setblocking(False)
        self._resume()
        self._keep(asyncio.create_task(self._sweep()))

    def close(self) -> None:
        """Accept no more."""
        self._open = False
        asyncio.get_running_loop().remove_reader(self._listener)
        for task in self._tasks:
            task.cancel()

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
        protocol = self._make(peer, self._protocols.discard)
        self._protocols.add(protocol)
        self._keep(asyncio.create_task(self._serve(protocol, connection)))

    async def _serve(self, protocol: Protocol, connection: socket.socket) -> None:
        if protocol not in self._protocols:  # it had to make room before its turn came
            connection.close()
            return
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection)
        except OSError:
            connection.close()
            self._protocols.discard(protocol)
            return
        if protocol not in self._protocols and protocol.transport is not None:
            protocol.transport.abort()

    def _make_room(self, peer: str) -> bool:
        """Whether one more of this peer may come; where there are too many, the one that waits longest has to go."""
        counts = Counter(protocol.peer for protocol in self._protocols)
        if peer and counts[peer] >= self._limits.of_one_peer:
            return self._close_oldest(peer)
        if len(self._protocols) < self._limits.total:
            return True
        ((most, _),) = counts.most_common(1)
        return self._close_oldest(most) or self._close_oldest(None)

    def _close_oldest(self, peer: str | None) -> bool:
        """Close the connection that waits longest, of this peer where one is named; False when none waits."""
        waiting = []
        for one in self._protocols:
            if peer in (None, one.peer) and one.waits:
                waiting.append(one)
        if not waiting:
            return False
        self._abort(min(waiting, key=lambda protocol: protocol.waits_since))
        self._complain("blueplane-doctor: many connections: those that wait longest are closed", "closing")
        return True

    def _abort(self, protocol: Protocol) -> None:
        self._protocols.discard(protocol)
        # Without a transport its turn is still to come: it then finds itself forgotten, and ends.
        if protocol.transport is not None:
            protocol.transport.abort()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = time.monotonic()
            for protocol in list(self._protocols):
                if protocol.transport is not None and protocol.is_over(now):
                    self._abort(protocol)
