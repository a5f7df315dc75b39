"""Redis behind Sentinel, and in a Cluster: which node to ask.

What Redis documents for clients: https://redis.io/docs/latest/develop/reference/sentinel-clients/ and
https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
"""

import time
from binascii import crc_hqx
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from blueplane_doctor.connection.base import Command, Limits, NoConnection, ProtocolError, ReplyError, Transport
from blueplane_doctor.connection.socket_transport import SocketTransport, connect, logged_in
from blueplane_doctor.connection.topology import SENTINEL, Node, RedisTopology

Opened = TypeVar("Opened")

_SLOTS = 16_384
"""Of every cluster, by its protocol."""
_SHORTEST_ATTEMPT_SECONDS = 0.2
"""Even for the last node, when those before it have used up the time."""
_MOST_DIGITS = 5
"""Of a port."""
_KEYLESS = frozenset({"PING", "INFO", "CONFIG", "MULTI", "EXEC", "TS.QUERYINDEX"})
"""Commands without a key, which any node may be asked."""
_KEY_AFTER_SUBCOMMAND = frozenset({"XINFO", "XGROUP"})


def open_topology(topology: RedisTopology, limits: Limits) -> Transport:
    """Connect to what the nodes name. Raises OSError, ReplyError and ProtocolError when none of them helps."""
    if topology.kind == SENTINEL:
        return _first_that_works(topology, limits, _open_master)
    return _first_that_works(topology, limits, _open_cluster)


def _first_that_works(
    topology: RedisTopology, limits: Limits, attempt: Callable[[RedisTopology, Node, Limits], Opened]
) -> Opened:
    """The first node's result; one that hangs takes no more than its share of the time."""
    end = time.monotonic() + limits.connect_seconds
    failures: list[Exception] = []
    for index, node in enumerate(topology.nodes):
        share = (end - time.monotonic()) / (len(topology.nodes) - index)
        seconds = max(_SHORTEST_ATTEMPT_SECONDS, share)
        try:
            return attempt(topology, node, limits._replace(connect_seconds=seconds))
        except (OSError, ReplyError, ProtocolError) as error:
            failures.append(error)
    # A node that answers says more than those that are not there.
    answers = [failure for failure in failures if not isinstance(failure, OSError)]
    raise (answers or failures)[0]


def _open_master(topology: RedisTopology, sentinel: Node, limits: Limits) -> SocketTransport:
    address = _ask_node(
        sentinel, topology.sentinel_login, limits, ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", topology.service)
    )
    if address is None:
        raise ReplyError("the sentinel knows no master of that name")
    try:
        host, port = address
        master = _node_named(host, port)
    except (TypeError, ValueError, AttributeError) as error:
        raise ProtocolError("the sentinel's reply is no address") from error
    return _open_node(master, topology.login, limits)


def _open_cluster(topology: RedisTopology, node: Node, limits: Limits) -> "ClusterTransport":
    reply = _ask_node(node, topology.login, limits, ("CLUSTER", "SLOTS"))
    # Each command looks through the ranges: a million of them would take longer than any time limit.
    if type(reply) is not list or len(reply) > _SLOTS:
        raise ProtocolError("CLUSTER SLOTS came in an unknown form")
    try:
        ranges = [_slot_range(row, node[0]) for row in reply]
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise ProtocolError("CLUSTER SLOTS came in an unknown form") from error
    if not ranges:
        raise NoConnection("no node of this cluster holds any slot")
    return ClusterTransport(sorted(ranges), lambda node: _open_node(node, topology.login, limits))


def _slot_range(row: Any, asked_host: str) -> tuple[int, int, Node]:
    first, last, master = row[:3]
    if type(first) is not int or type(last) is not int:
        raise TypeError("a slot is a number")
    # A node that knows no name of its own gives none.
    return first, last, _node_named(master[0] or asked_host.encode(), master[1])


def _node_named(host: Any, port: Any) -> Node:
    """A node as a server names it. Raises TypeError, ValueError and AttributeError for what is none.

    A number beyond the ports must not get through: the system takes it for the rest of a division by 65,536.
    """
    number = port
    if isinstance(port, bytes) and len(port) <= _MOST_DIGITS:
        number = int(port)
    if type(number) is not int or not 0 < number < 1 << 16:
        raise ValueError("no port has this number")
    return host.decode(), number


def _ask_node(node: Node, login: Mapping[str, Any], limits: Limits, command: Command) -> Any:
    """One command's reply on a connection of its own. Raises ReplyError also when it is refused."""
    transport = _open_node(node, login, limits._replace(reply_seconds=limits.connect_seconds))
    try:
        transport.send([command])
        reply = transport.receive()
    finally:
        transport.close()
    if isinstance(reply, ReplyError):
        raise reply
    return reply


def _open_node(node: Node, login: Mapping[str, Any], limits: Limits) -> SocketTransport:
    host, port = node
    if login.get("ssl"):
        from blueplane_doctor.connection.library_transport import open_tls  # with redis-py, as in redis_connection

        return open_tls(host, port, login, limits)
    return logged_in(SocketTransport(connect(host, port, limits), limits), login)


class ClusterTransport:
    """Sends each command to the node that holds its key, and gives the replies back in the commands' order."""

    def __init__(self, ranges: Sequence[tuple[int, int, Node]], open_node: Callable[[Node], Transport]) -> None:
        """`ranges`: the first and last slot of each, and the master that holds them."""
        self._ranges = ranges
        self._open_node = open_node
        self._transports: dict[Node, Transport] = {}
        self._asked: deque[Transport] = deque()

    def send(self, commands: Sequence[Command]) -> None:
        batches: dict[Node, list[Command]] = {}
        in_transaction: Node | None = None
        for index, command in enumerate(commands):
            if command[0] == "MULTI":
                in_transaction = self._node_of_first_key(commands[index:])
            # A transaction belongs to one node; keys of others are refused there.
            node = in_transaction or self._node_of(key_of(command))
            batches.setdefault(node, []).append(command)
            self._asked.append(self._transport(node))
            if command[0] == "EXEC":
                in_transaction = None
        for node, batch in batches.items():
            self._transport(node).send(batch)

    def receive(self) -> Any:
        return self._asked.popleft().receive()

    def is_gone(self) -> bool:
        return any(transport.is_gone() for transport in self._transports.values())

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()

    def _node_of_first_key(self, commands: Sequence[Command]) -> Node:
        for command in commands:
            key = key_of(command)
            if key is not None:
                return self._node_of(key)
        return self._node_of(None)

    def _node_of(self, key: bytes | None) -> Node:
        if key is None:
            return self._ranges[0][2]
        slot = slot_of(key)
        for first, last, node in self._ranges:
            if first <= slot <= last:
                return node
        raise NoConnection(f"no node of the cluster holds slot {slot}")

    def _transport(self, node: Node) -> Transport:
        if node not in self._transports:
            self._transports[node] = self._open_node(node)
        return self._transports[node]


def key_of(command: Command) -> bytes | None:
    """The first key of a command that the doctor sends; None for one without."""
    name = str(command[0]).upper()
    if name in _KEYLESS:
        return None
    place = 1
    if name in _KEY_AFTER_SUBCOMMAND:
        place = 2
    elif name == "EVAL":
        place = 3
    key = command[place]
    if isinstance(key, bytes):
        return key
    return str(key).encode()


def slot_of(key: bytes) -> int:
    """The slot of a key: of what stands between the first braces, where something does."""
    _, brace, rest = key.partition(b"{")
    tag, end, _ = rest.partition(b"}")
    if brace and end and tag:
        key = tag
    return crc_hqx(key, 0) % _SLOTS
