"""Connections to Redis: commands out, raw RESP2 replies back.

Importing redis-py takes longer than an examination, so plain addresses are spoken to through hiredis, its parser; TLS,
Sentinel, Cluster and URLs with options go through redis-py.
"""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from blueplane_doctor.connection.base import Command, ReplyError
from blueplane_doctor.connection.topology import SENTINEL, RedisTopology, topology_of

_CHUNK = 1 << 17
_CODES = {
    "AuthenticationError": "WRONGPASS",
    "AuthenticationWrongNumberOfArgsError": "ERR",
    "BusyLoadingError": "LOADING",
    "NoPermissionError": "NOPERM",
    "OutOfMemoryError": "OOM",
}
"""redis-py takes the server's own code away and makes a class of it."""


class Wire(Protocol):
    """A connection that is logged in. All of it raises OSError, of which TimeoutError is one."""

    def send(self, commands: Sequence[Command]) -> None:
        """Send commands and wait for nothing."""

    def receive(self) -> Any:
        """The next reply, a refused command's as a `ReplyError`."""

    def close(self) -> None:
        """Close the connection."""


class Nodes(Protocol):
    """The servers behind one URL."""

    def wires(self, commands: Sequence[Command]) -> Iterator[tuple[Wire, list[int]]]:
        """The connections to ask, each with the places of its commands."""

    def own_wire(self, key: str) -> Wire:
        """A new connection to the node that holds the key."""

    def close(self) -> None:
        """Close all connections."""


def open_nodes(url: str, limit: float) -> Nodes:
    """Connect; no step may take longer than `limit` seconds.

    Raises OSError, ReplyError, and ValueError for a URL that cannot be used.
    """
    parts = urlsplit(url)
    plain = parts.scheme in ("redis", "unix") and not parts.query
    return _PlainWire(url, limit) if plain else _LibraryNodes(url, limit)


class _PlainWire:
    """A Wire, and the only one of its Nodes."""

    def __init__(self, url: str, limit: float) -> None:
        import hiredis

        self._url, self._limit = url, limit
        self._pack = hiredis.pack_command
        self._reader = hiredis.Reader(protocolError=ConnectionError, replyError=ReplyError)
        self._chunk = bytearray(_CHUNK)
        parts = urlsplit(url)
        self._socket = _connected(parts, limit)
        try:
            self._greet(parts)
        except BaseException:
            self.close()
            raise

    def wires(self, commands: Sequence[Command]) -> Iterator[tuple[Wire, list[int]]]:
        yield self, list(range(len(commands)))

    def own_wire(self, key: str) -> Wire:
        return _PlainWire(self._url, self._limit)

    def send(self, commands: Sequence[Command]) -> None:
        # hiredis' stub takes a tuple of one element alone
        self._socket.sendall(b"".join(self._pack(command) for command in commands))  # type: ignore[arg-type]

    def receive(self) -> Any:
        while (reply := self._reader.gets()) is False:  # RESP2 has no false: this says that more must come
            received = self._socket.recv_into(self._chunk)
            if not received:
                raise ConnectionError("the connection was closed")
            self._reader.feed(self._chunk, 0, received)  # type: ignore[arg-type]  # any buffer will do
        return reply

    def close(self) -> None:
        with suppress(OSError):
            self._socket.close()

    def _greet(self, parts: SplitResult) -> None:
        commands: list[Command] = []
        if parts.password:
            user = (unquote(parts.username),) if parts.username else ()
            commands.append(("AUTH", *user, unquote(parts.password)))
        database = parts.path.strip("/") if parts.scheme == "redis" else ""
        if database not in ("", "0"):
            commands.append(("SELECT", str(int(database))))
        if not commands:
            return
        self.send(commands)
        for reply in [self.receive() for _ in commands]:
            if isinstance(reply, ReplyError):
                raise reply


def _connected(parts: SplitResult, limit: float) -> socket.socket:
    if parts.scheme == "redis":
        connection = _reached(_looked_up(parts, limit), limit)
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


def _looked_up(parts: SplitResult, limit: float) -> list[Any]:
    # getaddrinfo itself knows no limit: where no name server answers it takes half a minute.
    host, port = parts.hostname or "localhost", parts.port or 6379
    found: list[Any] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            failed.append(error)

    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(limit)
    if not found:
        raise failed[0] if failed else ConnectionError(f"no name server gave its address in {limit:g} s")
    return found


def _reached(addresses: Sequence[Any], limit: float) -> socket.socket:
    failures: list[OSError] = []
    for *_, address in addresses:
        try:
            return socket.create_connection(address[:2], limit)
        except TimeoutError:
            failures.append(ConnectionError(f"no connection in {limit:g} s"))
        except OSError as error:
            failures.append(error)
    raise failures[0]


class _LibraryNodes:
    def __init__(self, url: str, limit: float) -> None:
        parts = urlsplit(url)
        if parts.scheme != "unix" and not topology_of(url):  # of several places one may well be missing
            _looked_up(parts, limit)
        self._client = open_client(url, limit)
        self._wires: dict[int, _LibraryWire] = {}

    def wires(self, commands: Sequence[Command]) -> Iterator[tuple[Wire, list[int]]]:
        groups: dict[int, tuple[Any, list[int]]] = {}
        for index, command in enumerate(commands):
            pool = self._pool(_key(command))
            groups.setdefault(id(pool), (pool, []))[1].append(index)
        for number, (pool, indexes) in groups.items():
            if number not in self._wires:
                self._wires[number] = _LibraryWire(pool)
            yield self._wires[number], indexes

    def own_wire(self, key: str) -> Wire:
        return _LibraryWire(self._pool(key))

    def close(self) -> None:
        for wire in self._wires.values():
            wire.close()
        self._client.close()

    def _pool(self, key: str | bytes | int | None) -> Any:
        client = self._client
        if not hasattr(client, "get_node_from_key"):
            return client.connection_pool
        with in_our_words():
            node = client.get_default_node() if key is None else client.get_node_from_key(key)
            return client.get_redis_connection(node).connection_pool


class _LibraryWire:
    def __init__(self, pool: Any) -> None:
        self._pool = pool
        with in_our_words():
            self._connection = pool.get_connection()

    def send(self, commands: Sequence[Command]) -> None:
        with in_our_words():
            self._connection.send_packed_command(self._connection.pack_commands(commands))

    def receive(self) -> Any:
        from redis.exceptions import ResponseError

        with in_our_words():
            try:
                reply = self._connection.read_response(disable_decoding=True)
            except ResponseError as error:
                return _refused(error)
        if isinstance(reply, list):  # what is refused inside of a transaction is an element of its reply
            return [_refused(each) if isinstance(each, Exception) else each for each in reply]
        return reply

    def close(self) -> None:
        self._connection.disconnect()  # an answer may still be under way
        self._pool.release(self._connection)


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn redis-py's exceptions into OSError, TimeoutError and ReplyError."""
    import redis.exceptions as redis_errors

    try:
        yield
    except redis_errors.TimeoutError as error:
        kind = ConnectionError if "connecting" in str(error) else TimeoutError
        raise kind(str(error)) from error
    except (redis_errors.RedisError, redis_errors.RedisClusterException) as error:
        if type(error).__name__ in _CODES or isinstance(error, redis_errors.ResponseError):
            raise _refused(error) from error
        raise ConnectionError(str(error)) from error


def _refused(error: Exception) -> ReplyError:
    said, code = str(error), _CODES.get(type(error).__name__, "")
    return ReplyError(said if said.startswith(code) else f"{code} {said}")


def open_client(url: str, limit: float, **more: Any) -> Any:
    """A client of redis-py's; `more` are options of its own. Raises OSError, ReplyError, and ValueError."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    options: dict[str, Any] = {
        "socket_timeout": limit,
        "socket_connect_timeout": limit,
        "retry": Retry(NoBackoff(), 0),  # by default a refused connection takes seconds to be reported
        "protocol": 2,  # every server speaks it, and HELLO needs no permission then
        "decode_responses": False,  # fields may hold any bytes
        "client_name": None,
        "driver_info": None,  # CLIENT SETINFO is a command that the least-privilege user has no need of
        **more,
    }
    if url.startswith("rediss"):
        options["redis_connect_func"] = _settle
    places = topology_of(url)
    with in_our_words():
        return _open_places(places, options) if places else redis.Redis.from_url(url, **options)


def _open_places(places: RedisTopology, options: Mapping[str, Any]) -> Any:
    login = {**options, **places.login}
    if places.kind == SENTINEL:
        from redis.sentinel import Sentinel

        sentinel: Any = Sentinel
        sentinels = sentinel(places.nodes, sentinel_kwargs={**options, **places.sentinel_login}, **login)
        return sentinels.master_for(places.service)
    from redis.cluster import ClusterNode, RedisCluster

    node: Any = ClusterNode
    nodes = [node(host, port) for host, port in places.nodes]
    return RedisCluster(startup_nodes=nodes, require_full_coverage=False, **login)


def _settle(connection: Any) -> None:
    """Log in, and wait for one answer: what TLS 1.3 sends after its handshake is read with it.

    Left unread, redis-py takes it for an answer that nobody asked for, and gives the connection up.
    """
    connection.on_connect()
    connection.send_command("PING")
    connection.read_response()


def _key(command: Command) -> str | bytes | int | None:
    name = str(command[0]).upper()
    if name in ("PING", "INFO", "CONFIG"):
        return None
    return command[2] if name == "XINFO" else command[1]
