"""Redis behind Sentinel and in a Cluster, by --redis-url: the master is found, and each key's node."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from redis.cluster import ClusterNode, RedisCluster
from redis.crc import key_slot
from redis.sentinel import Sentinel

from blueplane_doctor.connection.base import Command
from blueplane_doctor.connection.topology_transport import ClusterTransport, key_of, slot_of
from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.errors import SourceProtocolError, SourceUnreachable
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.settings.values import load
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.redis_source import RedisSource
from tests.connection.hostile import says, speaking
from tests.connection.servers import LETTERS, QUEUE, cluster, fill, port_of, seen, sentinel, wait_for
from tests.servers import require_server
from tests.waiting import PATIENCE_SECONDS

RIGHTS = (
    *("-@all", "+ping", "+info", "+xlen", "+xpending", "+xrange", "+xrevrange"),
    *("+xinfo|stream", "+xinfo|groups", "+xinfo|consumers", "+multi", "+exec"),
)
"""Of a least-privilege user, as README.md has them."""
RIGHTS_IN_A_CLUSTER = ("+cluster|slots",)
"""And what docs/SCALING.md adds."""


@pytest.mark.parametrize("url", ["redis+sentinel://127.0.0.1:1/main", "redis+cluster://127.0.0.1:1"])
def test_nobody_there_is_said_in_time(url: str) -> None:
    began = time.monotonic()
    with pytest.raises(SourceUnreachable):
        RedisSource(url, Deadline(5)).ask_one("PING")
    assert time.monotonic() - began < 4


def _slots(first: bytes, port: bytes) -> bytes:
    return b"*1\r\n" + _range_of_slots(first, port)


def _range_of_slots(first: bytes, port: bytes) -> bytes:
    return b"*3\r\n" + first + b":16383\r\n*2\r\n$9\r\n127.0.0.1\r\n" + port


@pytest.mark.parametrize(
    ("url", "reply"),
    [
        ("redis+sentinel://{}/main", b"*2\r\n$9\r\n127.0.0.1\r\n$5\r\n65537\r\n"),
        ("redis+sentinel://{}/main", b"*2\r\n$9\r\n127.0.0.1\r\n$2\r\n-1\r\n"),
        ("redis+sentinel://{}/main", b"*2\r\n$9\r\n127.0.0.1\r\n,inf\r\n"),
        ("redis+cluster://{}", _slots(b":0\r\n", b":65537\r\n")),
        ("redis+cluster://{}", b"*16385\r\n" + _range_of_slots(b":0\r\n", b":6379\r\n") * 16_385),
        ("redis+cluster://{}", _slots(b",inf\r\n", b":6379\r\n")),
        ("redis+cluster://{}", _slots(b":0\r\n", b",nan\r\n")),
    ],
)
def test_a_node_that_cannot_be_is_no_answer_of_redis(url: str, reply: bytes) -> None:
    with speaking(says(reply)) as address:
        nodes = address.removeprefix("redis://").removesuffix("/0")
        with pytest.raises(SourceProtocolError):
            RedisSource(url.format(nodes), Deadline(PATIENCE_SECONDS)).ask_one("PING")


@pytest.mark.slow
def test_sentinel_names_the_master_also_after_a_failover(tmp_path: Path) -> None:
    program = require_server("valkey-9.1")
    with ExitStack() as stack:
        master = stack.enter_context(run_server(program, tcp=True))
        replica = stack.enter_context(
            run_server(program, tcp=True, arguments=("--replicaof", "127.0.0.1", str(port_of(master))))
        )
        port = stack.enter_context(sentinel(tmp_path, port_of(master)))
        with redis.Redis.from_url(master.url) as client, redis.Redis.from_url(replica.url) as copy:
            fill(client)
            wait_for(lambda: copy.xlen(QUEUE) == 5)
            url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/main/0"
            watching = Sentinel([("127.0.0.1", port)])
            wait_for(lambda: watching.discover_master("main")[1] == port_of(master))
            seen(url, tmp_path)
            with redis.Redis(port=port, decode_responses=True) as asked:
                wait_for(lambda: int(asked.sentinel_master("main")["num-slaves"]) == 1)
                os.kill(master.pid, signal.SIGKILL)
                moved = ("127.0.0.1", port_of(replica))
                wait_for(lambda: asked.sentinel_get_master_addr_by_name("main") == moved, 30)
            wait_for(lambda: copy.info("replication")["role"] == "master", 30)
            wait_for(lambda: watching.discover_master("main")[1] == port_of(replica), 30)
            for client_of_sentinel in watching.sentinels:
                client_of_sentinel.close()
        seen(url, tmp_path)
        unknown = Doctor(load({"home": tmp_path, "redis_url": url.replace("main", "other")}).settings).collect(
            names=["queue"]
        )
        assert "knows no master of that name" in unknown.missing["queue"]


@pytest.mark.slow
def test_in_a_cluster_each_stream_is_asked_of_its_own_node(tmp_path: Path) -> None:
    with ExitStack() as stack:
        nodes = stack.enter_context(cluster())
        clients = [stack.enter_context(redis.Redis.from_url(node.url)) for node in nodes]
        ports = [port_of(node) for node in nodes]
        client_of_all = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", ports[0])])  # type: ignore[no-untyped-call]
        with contextlib.closing(client_of_all):
            wait_for(lambda: all(client_of_all.keyslot(name) is not None for name in (QUEUE, *LETTERS)))
            fill(client_of_all)
            homes = {client_of_all.get_node_from_key(name).port for name in (QUEUE, *LETTERS)}
        assert len(homes) > 1, "or one node would have done"
        for port in ports:
            seen(f"redis+cluster://127.0.0.1:{port}", tmp_path)
        url = f"redis+cluster://doctor:word@127.0.0.1:{ports[0]}"
        for client in clients:  # ACLs are each node's own
            client.execute_command("ACL", "SETUSER", "doctor", "on", ">word", "resetkeys", "%R~telemetry:*", *RIGHTS)
            client.execute_command("ACL", "SETUSER", "doctor", *RIGHTS_IN_A_CLUSTER)
        seen(url, tmp_path)
        for right in RIGHTS_IN_A_CLUSTER:
            for client in clients:
                client.execute_command("ACL", "SETUSER", "doctor", right.replace("+", "-"))
            assert (
                "queue" in Doctor(load({"home": tmp_path, "redis_url": url}).settings).collect(names=["queue"]).missing
            ), right
            for client in clients:
                client.execute_command("ACL", "SETUSER", "doctor", right)


@pytest.mark.slow
def test_a_sentinel_that_hangs_leaves_time_for_the_next(tmp_path: Path) -> None:
    with ExitStack() as stack:
        master = stack.enter_context(run_server(require_server("valkey-9.1"), tcp=True))
        port = stack.enter_context(sentinel(tmp_path, port_of(master)))
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        url = f"redis+sentinel://127.0.0.1:{silent.getsockname()[1]},127.0.0.1:{port}/main"
        source = RedisSource(url, Deadline(10))
        assert source.ask_one("PING") == b"PONG"
        source.close()


@pytest.mark.parametrize("key", ["telemetry:dlq", "a{b}c", "a{}c", "{a", "a}{b}", "", "{user1000}.x", "ümlaut"])
def test_a_key_has_the_slot_that_redis_gives_it(key: str) -> None:
    assert slot_of(key.encode()) == key_slot(key.encode())


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("INFO", "memory"), None),
        (("XLEN", "a"), b"a"),
        (("XINFO", "STREAM", b"b"), b"b"),
        (("XGROUP", "CREATE", "c", "g", "0"), b"c"),
        (("EVAL", "return 1", 1, "d", 5), b"d"),
    ],
)
def test_the_key_of_a_command(command: tuple[str | bytes | int, ...], key: bytes | None) -> None:
    assert key_of(command) == key


class Recording:
    """A transport that answers with the node it stands for."""

    def __init__(self, node: tuple[str, int]) -> None:
        self.port = node[1]
        self.commands: list[Command] = []
        self.answered = 0

    def send(self, commands: Sequence[Command]) -> None:
        self.commands += commands

    def receive(self) -> tuple[int, str]:
        command = self.commands[self.answered]
        self.answered += 1
        return self.port, str(command[0])

    def is_gone(self) -> bool:
        return False

    def close(self) -> None:
        pass


def test_replies_come_in_the_order_of_the_commands_and_a_transaction_stays_together() -> None:
    low, high = "{a}", "{b}"  # slots 15495 and 3300
    transport = ClusterTransport([(0, 8000, ("n", 1)), (8001, 16383, ("n", 2))], Recording)
    commands: list[Command] = [("XLEN", low), ("XLEN", high), ("MULTI",), ("HGET", low), ("EXEC",), ("PING",)]
    transport.send(commands)
    assert [transport.receive() for _ in commands] == [
        (2, "XLEN"),
        (1, "XLEN"),
        (2, "MULTI"),
        (2, "HGET"),
        (2, "EXEC"),
        (1, "PING"),
    ]


def test_a_slot_that_no_node_holds_is_said() -> None:
    transport = ClusterTransport([(0, 10, ("n", 1))], Recording)
    with pytest.raises(ConnectionError, match="no node of the cluster holds slot 15495"):
        transport.send([("XLEN", "a")])
