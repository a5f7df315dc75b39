"""Redis behind Sentinel or in a Cluster: the client that the URL asks for, and which node is to be asked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from blueplane_doctor.redis_places import SENTINEL, Places

Command = Sequence[str | bytes | int]


def open_places(places: Places, options: Mapping[str, Any]) -> Any:
    """A client for them. Raises redis' own errors when nobody there answers."""
    from redis.exceptions import ConnectionError as NotConnected
    from redis.exceptions import RedisClusterException

    if places.kind == SENTINEL:
        from redis.sentinel import Sentinel

        sentinel: Any = Sentinel
        with_sentinels = {**options, **places.sentinel_login}
        sentinels = sentinel(places.nodes, sentinel_kwargs=with_sentinels, **{**options, **places.login})
        return sentinels.master_for(places.service)
    from redis.cluster import ClusterNode, RedisCluster

    node: Any = ClusterNode
    nodes = [node(host, port) for host, port in places.nodes]
    try:
        return RedisCluster(startup_nodes=nodes, require_full_coverage=False, **{**options, **places.login})
    except RedisClusterException as error:
        raise NotConnected(str(error)) from error


def settle(connection: Any) -> None:
    """Log in, and wait for one answer: what TLS 1.3 sends after its handshake is read with it.

    Left unread, redis-py takes it for an answer that nobody asked for, and gives the connection up.
    """
    connection.on_connect()
    connection.send_command("PING")
    connection.read_response()


def pool_for(client: Any, key: str | bytes | int | None) -> Any:
    """The connections to the node that holds the key."""
    if not hasattr(client, "get_node_from_key"):
        return client.connection_pool
    node = client.get_default_node() if key is None else client.get_node_from_key(key)
    return client.get_redis_connection(node).connection_pool


def by_node(client: Any, commands: Sequence[Command]) -> Iterator[tuple[Any, list[int]]]:
    """The connections to ask, each with the places of the commands that it is to be asked."""
    if not hasattr(client, "get_node_from_key"):
        yield client.connection_pool, list(range(len(commands)))
        return
    groups: dict[int, tuple[Any, list[int]]] = {}
    for index, command in enumerate(commands):
        pool = pool_for(client, _key(command))
        groups.setdefault(id(pool), (pool, []))[1].append(index)
    yield from groups.values()


def _key(command: Command) -> str | bytes | int | None:
    """The key that a read command names."""
    name = str(command[0]).upper()
    if name in ("PING", "INFO", "CONFIG"):
        return None
    return command[2] if name == "XINFO" else command[1]
