"""The one way to Redis: whatever answers, it ends in time and within its memory, with an error of ours."""

from collections.abc import Iterator

import psutil
import pytest
import redis

from blueplane_doctor.connection.base import Limits, ReplyError
from blueplane_doctor.connection.failures import Endpoint
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.errors import (
    SettingsError,
    SourceMissing,
    SourceProtocolError,
    SourceTimeout,
    SourceUnreachable,
    SourceUnusable,
)
from tests.connection.hostile import Speak, drips, says, says_without_end, speaking

PATIENT = Limits(connect_seconds=60, reply_seconds=60)
"""Long enough that no test here ends by time."""
MEGABYTE = 1_000_000


@pytest.fixture
def connection(valkey: RunningServer) -> Iterator[Connection]:
    connection = Connection(Endpoint(valkey.url))
    connection.ask(("DEL", "test:connection"))
    yield connection
    connection.ask(("DEL", "test:connection"))
    connection.close()


@pytest.mark.parametrize(
    "speak",
    [
        pytest.param(says(b"*4000000000\r\n"), id="an array of four billion"),
        pytest.param(says(b"*1\r\n*4000000000\r\n"), id="one inside another"),
        pytest.param(says(b">4000000000\r\n"), id="of a kind that was not asked for"),
        pytest.param(says(b"%2000000000\r\n"), id="a map of two billion"),
        pytest.param(says(b"*9000000\r\n"), id="nine million elements"),
        pytest.param(says_without_end(b"$-2147483648\r\n", b"x"), id="a negative length"),
        pytest.param(says_without_end(b"$99999999999\r\n", b"x"), id="a string without end"),
        pytest.param(says_without_end(b"+", b"x"), id="a line without end"),
        pytest.param(says_without_end(b"", b"*1\r\n"), id="arrays in arrays without end"),
        pytest.param(says_without_end(b"*7999999\r\n", b":1\r\n"), id="small elements without end"),
        pytest.param(says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), id="another protocol"),
        pytest.param(says(b":1\r\n"), id="a number instead of a text"),
        pytest.param(says(b"*0\r\n"), id="a list instead of a text"),
        pytest.param(says(b"$-1\r\n"), id="nothing instead of a text"),
    ],
)
def test_what_is_no_reply_is_refused_and_takes_no_memory(speak: Speak) -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    with speaking(speak) as url:
        connection = Connection(Endpoint(url), PATIENT)
        with pytest.raises(SourceProtocolError, match="does not answer as Redis does"):
            connection.ask(("PING",))
        grown = process.memory_info().rss - before
        assert connection.failure is not None
    assert grown < 700 * MEGABYTE


@pytest.mark.slow
def test_a_reply_that_drips_ends_at_the_limit_of_the_whole() -> None:
    with speaking(drips(b"$1000\r\n", 0.05)) as url:
        connection = Connection(Endpoint(url), Limits(reply_seconds=0.6))
        with pytest.raises(SourceTimeout, match=r"gave no answer in 0\.6 s"):
            connection.ask_one("PING")


@pytest.mark.slow
@pytest.mark.parametrize("login", ["user:word@", ":word@"])
def test_a_login_that_drips_ends_too(login: str) -> None:
    with speaking(drips(b"+", 0.05)) as url:
        connection = Connection(Endpoint(url.replace("://", f"://{login}")), Limits(reply_seconds=0.6))
        with pytest.raises(SourceTimeout):
            connection.ask_one("PING")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["redis", "redis+sentinel", "redis+cluster"])
@pytest.mark.parametrize(
    ("speak", "error", "seconds"),
    [
        pytest.param(drips(b"$1000\r\n", 0.05), SourceTimeout, 1, id="drips"),
        pytest.param(says_without_end(b"$99999999999\r\n", b"x"), SourceProtocolError, 60, id="without end"),
        pytest.param(says(b"*4000000000\r\n"), SourceProtocolError, 60, id="an array of four billion"),
        pytest.param(says(b"+what\r\n"), SourceProtocolError, 60, id="of another form"),
        pytest.param(lambda connection: None, SourceUnreachable, 60, id="closes"),
    ],
)
def test_who_tells_the_way_is_bounded_as_well(
    scheme: str, speak: Speak, error: type[Exception], seconds: float
) -> None:
    with speaking(speak) as url:
        address = url.replace("redis", scheme)
        if "sentinel" in scheme:
            address = address.replace("/0", "/main")
        connection = Connection(Endpoint(address), Limits(connect_seconds=seconds, reply_seconds=seconds))
        with pytest.raises(error):
            connection.ask_one("XLEN", "a")


def test_a_payload_that_looks_like_a_large_array_is_only_a_payload(
    connection: Connection, valkey: RunningServer
) -> None:
    payload = b"*4000000000\r\n" * 50_000 + b"\n" * 2_000_000
    with redis.Redis.from_url(valkey.url) as client:
        for _ in range(3):
            client.xadd("test:connection", {"payload": payload})
    entries = connection.ask_one("XRANGE", "test:connection", "-", "+")
    assert [fields for _, fields in entries] == [[b"payload", payload]] * 3


def test_it_opens_again_after_it_failed() -> None:
    with run_server(tcp=True) as server, redis.Redis.from_url(server.url) as client:
        connection = Connection(Endpoint(server.url))
        assert connection.ask_one("PING") == b"PONG"
        client.client_kill_filter(_type="normal", skipme=True)
        with pytest.raises(SourceUnreachable) as failed:
            connection.ask_one("PING")
        assert connection.failure is failed.value
        assert connection.ask_one("PING") == b"PONG"
        assert connection.failure is None
        connection.close()


def test_a_connection_that_was_closed_while_idle_can_be_left_before_it_fails() -> None:
    with run_server(tcp=True) as server, redis.Redis.from_url(server.url) as client:
        connection = Connection(Endpoint(server.url))
        connection.close_if_gone()
        first = connection.ask_one("CLIENT", "ID")
        connection.close_if_gone()
        assert connection.ask_one("CLIENT", "ID") == first
        client.client_kill_filter(_type="normal", skipme=True)
        connection.close_if_gone()
        assert connection.ask_one("CLIENT", "ID") > first
        connection.close()


def test_a_refused_command_is_no_failure_of_the_connection(connection: Connection) -> None:
    with pytest.raises(SourceMissing):
        connection.ask_one("XINFO", "STREAM", "test:connection")
    assert connection.failure is None
    refused, pong = connection.ask(("XINFO", "STREAM", "test:connection"), ("PING",))
    assert isinstance(refused, ReplyError)
    assert pong == b"PONG"


def test_replies_come_in_order_when_sent_ahead(connection: Connection) -> None:
    connection.send(("PING",))
    connection.send(("EXISTS", "test:connection"))
    assert connection.receive() == b"PONG"
    assert connection.receive() == 0


def test_a_transaction_is_run_whole_or_refused_before(connection: Connection) -> None:
    assert connection.transaction(("HSET", "test:connection", "a", 1), ("HGET", "test:connection", "a")) == [1, b"1"]
    with pytest.raises(SourceUnusable, match="NOTHING"):
        connection.transaction(("HSET", "test:connection", "a", 2), ("NOTHING",))
    assert connection.ask_one("HGET", "test:connection", "a") == b"1"
    (refused,) = connection.transaction(("XLEN", "test:connection")) or []
    assert isinstance(refused, ReplyError)


def test_a_transaction_after_a_watched_key_changed_does_nothing(connection: Connection, valkey: RunningServer) -> None:
    connection.ask_one("WATCH", "test:connection")
    with redis.Redis.from_url(valkey.url) as client:
        client.hset("test:connection", "a", "of somebody else")
    assert connection.transaction(("HSET", "test:connection", "a", 1)) is None
    assert connection.ask_one("HGET", "test:connection", "a") == b"of somebody else"


def test_a_replica_is_left_after_it_refused_to_write() -> None:
    """After a failover behind Sentinel the next command has to look for the new master."""
    with run_server(tcp=True, arguments=("--replicaof", "127.0.0.1", "1")) as server:
        connection = Connection(Endpoint(server.url))
        (first,) = connection.ask(("CLIENT", "ID"))
        (refused,) = connection.ask(("HSET", "a", "b", 1))
        assert str(refused).startswith("READONLY")
        (second,) = connection.ask(("CLIENT", "ID"))
        assert second > first
        connection.close()


@pytest.mark.parametrize("url", ["http://localhost", "redis://localhost/zero", "redis+nothing://a", "localhost:6379"])
def test_a_url_that_cannot_be_used_names_the_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="history_url: ") as refused:
        Connection(Endpoint(url, setting="history_url")).ask_one("PING")
    assert "--history-url" in refused.value.hint
