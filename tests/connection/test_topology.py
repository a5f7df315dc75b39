"""Redis behind Sentinel, in a Cluster, with TLS, on a unix socket, with a password: all by --redis-url."""

import contextlib
import inspect
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.exceptions as redis_errors
from redis.cluster import ClusterNode, RedisCluster
from redis.sentinel import Sentinel

from blueplane_doctor.connection.base import ReplyError
from blueplane_doctor.connection.topology import topology_of
from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.diagnose import Doctor, diagnose
from blueplane_doctor.errors import SettingsError, SourceUnreachable
from blueplane_doctor.model import Report, Status
from blueplane_doctor.settings import load
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.redis_source import RedisSource, address_of
from blueplane_doctor.sources.wire import in_our_words
from tests.connection.servers import certificates, free_port, port_of, sentinel, wait_for
from tests.helpers import finding
from tests.servers import require_server

QUEUE, LETTERS = "telemetry:message_queue", ("telemetry:dlq", "telemetry:message_queue:dlq")
GROUPS = ("processors", "claude_processors")
SECRET = "pass word/@:"
RIGHTS = (
    *("-@all", "+ping", "+info", "+xlen", "+xpending", "+xrange", "+xrevrange"),
    *("+xinfo|stream", "+xinfo|groups", "+xinfo|consumers", "+multi", "+exec"),
)
"""Of a least-privilege user, as README.md has them."""
RIGHTS_IN_A_CLUSTER = ("+cluster|slots", "+command")
"""And what docs/SCALING.md adds."""


def fill(client: Any) -> None:
    """Five messages that wait, one dead letter in each stream."""
    for group in GROUPS:
        client.xgroup_create(QUEUE, group, id="0", mkstream=True)
    for number in range(5):
        client.xadd(QUEUE, {"event_id": f"e{number}", "platform": "cursor", "payload": "{}"})
    for stream in LETTERS:
        client.xadd(stream, {"message_id": "1-1"})


def seen(url: str, home: Path, **flags: Any) -> Report:
    """The report, which must have counted all that `fill` made."""
    report = diagnose(load({"home": home, "redis_url": url, **flags}).settings)
    queue = report.metrics["queue"]
    assert queue, finding(report, "queue-depth").cause
    assert (queue["stream_length"], queue["queue_depth"], queue["dlq_size"]) == (5, 5, 2)
    assert finding(report, "redis-reachable").status is Status.GREEN
    assert SECRET not in report.model_dump_json()
    return report


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis+sentinel://u:secret@a:1,b/main/2", "main behind the sentinels ***:1,***:26379"),
        ("rediss+cluster://[::1]:7000", "the cluster of [::1]:7000"),
    ],
)
def test_the_address_shows_no_secret(url: str, shown: str) -> None:
    assert address_of(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://a:1",
        "redis+sentinel://a:1/main/two",
        "redis+sentinel:///main",
        "redis+cluster://",
        "redis+cluster://a:0",
        "redis+cluster://a/3",
        "redis+cluster://a?socket_timeout=9",
        "redis+nothing://a",
    ],
)
def test_urls_that_say_too_little_or_too_much(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"home": tmp_path, "redis_url": url.replace("://", "://:topsecret@", 1)})
    assert "topsecret" not in caught.value.message


def test_what_the_url_says() -> None:
    places = topology_of("rediss+sentinel://u:p%40ss@a:1,b/main/2?sentinel_password=s&ssl_ca_certs=/ca")
    assert places is not None
    assert places.nodes == (("a", 1), ("b", 26379))
    assert places.login == {"ssl": True, "ssl_ca_certs": "/ca", "username": "u", "password": "p@ss", "db": 2}
    assert places.sentinel_login == {"ssl": True, "ssl_ca_certs": "/ca", "password": "s"}
    assert topology_of("redis://a:1/0") is None


@pytest.mark.parametrize("url", ["redis+sentinel://127.0.0.1:1/main", "redis+cluster://127.0.0.1:1"])
def test_nobody_there_is_said_in_time(url: str) -> None:
    began = time.monotonic()
    with pytest.raises(SourceUnreachable):
        RedisSource(url, Deadline(5)).ask_one("PING")
    assert time.monotonic() - began < 4


def test_a_password_and_a_unix_socket(tmp_path: Path) -> None:
    with run_server(require_server("valkey-9.1")) as server:
        with redis.Redis.from_url(server.url) as client:
            fill(client)
            client.config_set("requirepass", SECRET)
        from urllib.parse import quote

        seen(server.url.replace("unix://", f"unix://:{quote(SECRET, safe='')}@"), tmp_path)
        refused = Doctor(load({"home": tmp_path, "redis_url": server.url}).settings).collect(names=["queue"])
        assert "refused the login" in refused.missing["queue"]


def test_tls(tmp_path: Path) -> None:
    certificate, key = certificates(tmp_path)
    port = free_port()
    options = ("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key))
    options += ("--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no", "--bind", "127.0.0.1")
    with run_server(require_server("redis-7.0"), arguments=options) as server:
        with redis.Redis.from_url(server.url) as client:
            fill(client)
        seen(f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}", tmp_path)
        stranger = Doctor(load({"home": tmp_path, "redis_url": f"rediss://localhost:{port}/0"}).settings).collect(
            names=["queue"]
        )
        assert "certificate" in stranger.missing["queue"].lower()


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
        assert "other" in unknown.missing["queue"]


@pytest.mark.slow
def test_in_a_cluster_each_stream_is_asked_of_its_own_node(tmp_path: Path) -> None:
    program = require_server("valkey-9.1")
    with ExitStack() as stack:
        buses = [free_port() for _ in range(3)]
        nodes = [
            stack.enter_context(
                run_server(program, tcp=True, arguments=("--cluster-enabled", "yes", "--cluster-port", str(bus)))
            )
            for bus in buses
        ]
        clients = [stack.enter_context(redis.Redis.from_url(node.url)) for node in nodes]
        for number, client in enumerate(clients):
            first, last = number * 5462, min(16383, number * 5462 + 5461)
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            for other, bus in zip(nodes, buses, strict=True):
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", port_of(other), bus)
        for client in clients:
            wait_for(lambda c=client: b"cluster_state:ok" in c.execute_command("CLUSTER", "INFO"))
        ports = [port_of(node) for node in nodes]
        cluster = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", ports[0])])  # type: ignore[no-untyped-call]
        with contextlib.closing(cluster):
            wait_for(lambda: all(cluster.keyslot(name) is not None for name in (QUEUE, *LETTERS)))
            fill(cluster)
            homes = {cluster.get_node_from_key(name).port for name in (QUEUE, *LETTERS)}
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


def test_no_error_class_of_the_library_is_left_out() -> None:
    """Each becomes what a plain connection raises: OSError, TimeoutError or ReplyError."""
    classes = [
        value
        for _, value in inspect.getmembers(redis_errors, inspect.isclass)
        if issubclass(value, redis_errors.RedisError | redis_errors.RedisClusterException)
    ]
    assert len(classes) > 20
    for kind in classes:
        error = kind.__new__(kind)
        Exception.__init__(error, "what came back")
        with pytest.raises((OSError, ReplyError), match="what came back"), in_our_words():
            raise error


@pytest.mark.parametrize(
    ("error", "ours", "said"),
    [
        (redis_errors.TimeoutError("Timeout reading"), TimeoutError, "Timeout reading"),
        (redis_errors.ConnectionError("Error 111"), ConnectionError, "Error 111"),
        (redis_errors.BusyLoadingError("Redis is loading"), ReplyError, "LOADING Redis is loading"),
        (redis_errors.AuthenticationError("invalid username"), ReplyError, "WRONGPASS invalid username"),
        (redis_errors.NoPermissionError("User x has no permissions"), ReplyError, "NOPERM User x has no permissions"),
        (redis_errors.ResponseError("WRONGTYPE Operation"), ReplyError, "WRONGTYPE Operation"),
    ],
)
def test_the_server_s_own_code_comes_back(error: Exception, ours: type[Exception], said: str) -> None:
    with pytest.raises(ours) as raised, in_our_words():
        raise error
    assert (type(raised.value), str(raised.value)) == (ours, said)


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue of connections is full: the next one is neither accepted nor refused."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.parametrize("options", ["", "?health_check_interval=5"])
def test_a_connection_that_never_comes_about_is_not_called_accepted(full_port: int, options: str) -> None:
    source = RedisSource(f"redis://127.0.0.1:{full_port}{options}", Deadline(0.4))
    with pytest.raises(SourceUnreachable, match=r"cannot be reached: (no connection in|Timeout connecting)"):
        source.ask_one("PING")


@pytest.mark.parametrize("url", ["redis://db.invalid", "rediss://db.invalid", "redis://db.invalid?protocol=2"])
def test_a_name_that_nobody_resolves_ends_in_time(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red for Redis, and all that needs no Redis is judged as ever."""
    over = threading.Event()
    known = socket.getaddrinfo

    def slow(host: Any, *more: Any, **named: Any) -> Any:
        return over.wait(60) and [] if host == "db.invalid" else known(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        report = diagnose(load({"home": tmp_path, "redis_url": url, "timeout": 8.0}).settings)
    finally:
        over.set()
    reachable = finding(report, "redis-reachable")
    assert reachable.status is Status.RED
    assert "no name server gave its address in 2 s" in reachable.summary
    assert finding(report, "database-reachable").status is Status.RED
    assert report.duration_ms < 7_000
