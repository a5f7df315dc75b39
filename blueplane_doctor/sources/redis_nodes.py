"""Which connection a command goes to: the one that there is, or, through redis-py, the node that the URL leads to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from blueplane_doctor.redis_places import SENTINEL, Places, places_of
from blueplane_doctor.sources.wire import Command, PlainWire, Refused, Wire, is_plain, open_plain

_CODES = {
    "AuthenticationError": "WRONGPASS",
    "AuthenticationWrongNumberOfArgsError": "ERR",
    "BusyLoadingError": "LOADING",
    "NoPermissionError": "NOPERM",
    "OutOfMemoryError": "OOM",
}
"""The library takes the server's own code away and makes a class of it."""


class Nodes(Protocol):
    """The servers behind one URL."""

    def wires(self, commands: Sequence[Command]) -> Iterator[tuple[Wire, list[int]]]:
        """The connections to ask, each with the places of the commands that it is to be asked."""

    def own_wire(self, key: str) -> Wire:
        """A new connection to the node that holds the key."""

    def close(self) -> None:
        """Close all connections."""


def open_nodes(url: str, limit: float) -> Nodes:
    """Connect; no step may take longer than `limit` seconds.

    Raises OSError, Refused, and ValueError for a URL that cannot be used.
    """
    return _PlainNode(url, limit) if is_plain(url) else _LibraryNodes(url, limit)


class _PlainNode:
    def __init__(self, url: str, limit: float) -> None:
        self._url, self._limit = url, limit
        self._wire: PlainWire = open_plain(url, limit)

    def wires(self, commands: Sequence[Command]) -> Iterator[tuple[Wire, list[int]]]:
        yield self._wire, list(range(len(commands)))

    def own_wire(self, key: str) -> Wire:
        return open_plain(self._url, self._limit)

    def close(self) -> None:
        self._wire.close()


class _LibraryNodes:
    def __init__(self, url: str, limit: float) -> None:
        self._client = open_client(url, limit)
        self._wires: dict[int, LibraryWire] = {}

    def wires(self, commands: Sequence[Command]) -> Iterator[tuple[Wire, list[int]]]:
        groups: dict[int, tuple[Any, list[int]]] = {}
        for index, command in enumerate(commands):
            pool = self._pool(_key(command))
            groups.setdefault(id(pool), (pool, []))[1].append(index)
        for number, (pool, indexes) in groups.items():
            if number not in self._wires:
                self._wires[number] = LibraryWire(pool)
            yield self._wires[number], indexes

    def own_wire(self, key: str) -> Wire:
        return LibraryWire(self._pool(key))

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


class LibraryWire:
    """A connection of redis-py's, its errors turned into those of a Wire."""

    def __init__(self, pool: Any) -> None:
        """Raises what a Wire raises."""
        self._pool = pool
        with in_our_words():
            self._connection = pool.get_connection()

    def send(self, commands: Sequence[Command]) -> None:
        """See Wire."""
        with in_our_words():
            self._connection.send_packed_command(self._connection.pack_commands(commands))

    def receive(self) -> Any:
        """See Wire."""
        import redis.exceptions as redis_errors

        with in_our_words():
            try:
                return _plain(self._connection.read_response(disable_decoding=True))
            except redis_errors.ConnectionError:
                raise
            except redis_errors.ResponseError as error:
                return _refused(error)

    def close(self) -> None:
        """See Wire."""
        self._connection.disconnect()  # an answer may still be under way
        self._pool.release(self._connection)


class in_our_words:  # reads as the statement that it is
    """Turn the library's exceptions into OSError, TimeoutError and Refused."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> None:
        import redis.exceptions as redis_errors

        if isinstance(error, redis_errors.TimeoutError):
            raise TimeoutError(str(error)) from error
        if type(error).__name__ in _CODES or isinstance(error, redis_errors.ResponseError):
            raise _refused(error) from error
        if isinstance(error, redis_errors.RedisError | redis_errors.RedisClusterException):
            raise ConnectionError(str(error)) from error


def _plain(reply: Any) -> Any:
    """What is refused inside of a transaction comes as an element of its reply."""
    if isinstance(reply, list):
        return [_refused(each) if isinstance(each, Exception) else each for each in reply]
    return reply


def _refused(error: object) -> Refused:
    said, code = str(error), _CODES.get(type(error).__name__, "")
    return Refused(said if not code or said.startswith(code) else f"{code} {said}")


def open_client(url: str, limit: float, **more: Any) -> Any:
    """A client of redis-py's for any URL; `more` are options of its own. Raises OSError, Refused, and ValueError."""
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
        options["redis_connect_func"] = settle
    places = places_of(url)
    with in_our_words():
        return _open_places(places, options) if places else redis.Redis.from_url(url, **options)


def _open_places(places: Places, options: Mapping[str, Any]) -> Any:
    """A client for them. Raises redis' own errors when nobody there answers."""
    if places.kind == SENTINEL:
        from redis.sentinel import Sentinel

        sentinel: Any = Sentinel
        with_sentinels = {**options, **places.sentinel_login}
        sentinels = sentinel(places.nodes, sentinel_kwargs=with_sentinels, **{**options, **places.login})
        return sentinels.master_for(places.service)
    from redis.cluster import ClusterNode, RedisCluster

    node: Any = ClusterNode
    nodes = [node(host, port) for host, port in places.nodes]
    return RedisCluster(startup_nodes=nodes, require_full_coverage=False, **{**options, **places.login})


def settle(connection: Any) -> None:
    """Log in, and wait for one answer: what TLS 1.3 sends after its handshake is read with it.

    Left unread, redis-py takes it for an answer that nobody asked for, and gives the connection up.
    """
    connection.on_connect()
    connection.send_command("PING")
    connection.read_response()


def _key(command: Command) -> str | bytes | int | None:
    """The key that a read command names."""
    name = str(command[0]).upper()
    if name in ("PING", "INFO", "CONFIG"):
        return None
    return command[2] if name == "XINFO" else command[1]
