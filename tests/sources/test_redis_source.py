"""Redis as a source: errors in words, nothing but reading, no secret in an address."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from blueplane_doctor.connection.base import ReplyError
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.connection.topology import address_of
from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import (
    SettingsError,
    SourceElsewhere,
    SourceError,
    SourceMissing,
    SourceNotServing,
    SourceProtocolError,
    SourceRefused,
    SourceTimeout,
    SourceUnreachable,
    SourceUnusable,
    SourceWrongType,
)
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.redis_source import READ_COMMANDS, RedisSource, pairs
from tests.connection.hostile import speaking

XRANGE = ("XRANGE", "telemetry:dlq", "-", "+")


@pytest.fixture
def source(valkey: RunningServer) -> Iterator[RedisSource]:
    source = RedisSource(valkey.url, Deadline(10))
    yield source
    source.close()


def ours(error: Exception, command: tuple[str, ...] = XRANGE) -> SourceError:
    """What the doctor makes of a client's error."""
    with pytest.raises(SourceError) as raised:
        RedisSource("redis://u:geheim@example.org:7000/2", Deadline(1)).checked(error, command)
    assert raised.value.__cause__ is error
    return raised.value


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (
            ConnectionError("the connection was closed"),
            SourceUnreachable,
            "the connection was closed",
        ),
        (ConnectionRefusedError(111, "Connection refused"), SourceUnreachable, "cannot be reached: Connection refused"),
        (ReplyError("LOADING Redis is loading the dataset in memory"), SourceNotServing, "still loading"),
        (ReplyError("BUSY Redis is busy running a script. SHUTDOWN NOSAVE"), SourceNotServing, "runs a script"),
        (ReplyError("MASTERDOWN Link with MASTER is down"), SourceNotServing, "lost its master"),
        (ReplyError("CLUSTERDOWN Hash slot not served"), SourceNotServing, "a cluster that is down"),
        (ReplyError("MOVED 1 10.0.0.1:7000"), SourceElsewhere, "another node of its cluster"),
        (ReplyError("ASK 1 10.0.0.1:7000"), SourceElsewhere, "being moved to another node"),
        (ReplyError("TRYAGAIN Multiple keys"), SourceElsewhere, "are being moved"),
        (ReplyError("CROSSSLOT Keys in request"), SourceElsewhere, "on several nodes"),
        (TimeoutError("timed out"), SourceTimeout, "gave no answer in 2 s"),
        (TimeoutError(), SourceTimeout, "gave no answer"),
        (ReplyError("ERR AUTH <password> called without any password configured"), SourceRefused, "refused the login"),
        (ReplyError("ERR invalid password"), SourceRefused, "refused the login"),
        (ReplyError("WRONGPASS invalid"), SourceRefused, "refused the login"),
        (ReplyError("NOAUTH Authentication required."), SourceRefused, "refused the login"),
        (
            ReplyError("NOPERM User x has no permissions to run the 'xinfo|stream' command"),
            SourceRefused,
            "+xinfo|stream",
        ),
        (ReplyError("NOPERM No permissions to access a key"), SourceRefused, "%R~telemetry:*"),
        (ReplyError("WRONGTYPE Operation against a key"), SourceWrongType, "not a stream"),
        (ReplyError("ERR no such key"), SourceMissing, "there is no such key"),
        (ReplyError("ERR unknown command 'XINFO'"), SourceUnusable, "was refused: ERR unknown command"),
    ],
)
def test_each_error_becomes_ours_and_says_what_and_where(error: Exception, kind: type[SourceError], said: str) -> None:
    found = ours(error)
    assert type(found) is kind
    assert said in found.message
    assert ":7000 database 2" in found.message
    assert "geheim" not in found.message + found.hint
    assert "10.0.0.1" not in found.message + found.hint
    assert "SHUTDOWN" not in found.message + found.hint


def test_control_characters_of_an_error_do_not_get_through() -> None:
    said = ours(ReplyError("ERR \x1b[31m\r\nlong" + "x" * 10_000)).message
    assert said.isprintable() and len(said) < 600


@pytest.mark.parametrize(
    "command",
    [
        ("XADD", "k", "*", "a", "b"),
        ("xack", "k", "g", "1-1"),
        ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "k", ">"),
        ("XCLAIM", "k", "g", "c", 0, "1-1"),
        ("FLUSHALL",),
        ("SET", "k", "v"),
        ("DEL", "k"),
        ("CONFIG", "SET", "save", ""),
        ("XINFO", "HELP"),
        (b"EVAL", "return 1", 0),
        ("KEYS", "*"),
        ("XTRIM", "k", "MAXLEN", 0),
    ],
)
@pytest.mark.parametrize("together", [False, True])
def test_what_writes_is_never_sent(
    source: RedisSource, pipeline: Pipeline, command: tuple[str | bytes | int, ...], together: bool
) -> None:
    pipeline.enqueue_cursor(3)
    with pytest.raises(AssertionError, match="is not a read command"):
        source.ask(("PING",), command, together=together)
    assert pipeline.client.xlen(pipeline.queue) == 3
    assert source.ask_one("PING") == b"PONG", "and the connection is as it was"


def test_no_command_of_the_list_is_known_to_write(valkey: RunningServer) -> None:
    import redis

    with redis.Redis.from_url(valkey.url, protocol=2) as client:
        assert "'write'" in str(client.execute_command("COMMAND", "INFO", "xadd"))
        # Those of the TimeSeries module are not known here; both are read-only by its documentation.
        modules = {command for command in READ_COMMANDS if command.startswith("TS.")}
        assert modules == {"TS.QUERYINDEX", "TS.RANGE"}
        for command in READ_COMMANDS - modules:
            said = str(client.execute_command("COMMAND", "INFO", command.replace(" ", "|").lower()))
            assert "'write'" not in said


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost:6379/0", "localhost:6379"),
        ("redis://localhost", "localhost:6379"),
        ("redis://user:geheim@host:7000/3", "***:7000 database 3"),
        ("rediss://:geheim@host:7000/0?ssl_cert_reqs=none&password=geheim", "***:7000"),
        ("redis://[::1]:6380/0", "[::1]:6380"),
        ("unix:///home/geheim/run/redis.sock", "a unix socket"),
        ("unix://user:geheim@/run/redis.sock?db=2", "a unix socket"),
    ],
)
def test_an_address_shows_no_secret(url: str, shown: str) -> None:
    assert address_of(url) == shown


def test_a_url_that_cannot_be_used_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="redis_url"):
        RedisSource("http://localhost", Deadline(1)).ask(("PING",))


def test_a_dead_server_costs_one_attempt() -> None:
    source = RedisSource("unix:///nowhere/redis.sock", Deadline(5))
    with pytest.raises(SourceUnreachable) as first:
        source.ask(("PING",))
    with pytest.raises(SourceUnreachable) as second:
        source.ask(("PING",))
    assert second.value is first.value


def test_nothing_is_asked_once_the_time_is_up(valkey: RunningServer) -> None:
    with pytest.raises(SourceTimeout, match="were used up"):
        RedisSource(valkey.url, Deadline(0)).ask(("PING",))


def test_one_refused_command_does_not_take_the_others_along(source: RedisSource, pipeline: Pipeline) -> None:
    good, bad, after = source.ask(("PING",), ("XINFO", "STREAM", "telemetry:nothing"), ("XLEN", pipeline.queue))
    assert (good, after) == (b"PONG", 0)
    assert isinstance(bad, ReplyError)


def test_a_transaction_answers_as_single_commands_do(source: RedisSource, pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(2)
    commands = (
        ("XLEN", pipeline.queue),
        ("XINFO", "STREAM", "telemetry:nothing"),
        ("XPENDING", pipeline.queue, "processors"),
    )
    apart, together = source.ask(*commands), source.ask(*commands, together=True)
    assert apart[0] == together[0] == 2
    assert str(apart[1]) == str(together[1])
    assert apart[2] == together[2]


def test_pairs_of_names_that_are_not_utf_8() -> None:
    """Something else than names and values does not come this far: tests/connection/test_shapes.py."""
    assert pairs([b"a", 1, b"\xff", 2]) == {"a": 1, "\ufffd": 2}


def test_a_transaction_that_did_nothing_is_no_reply_of_redis(
    source: RedisSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "transaction", lambda self, *commands: None)
    with pytest.raises(SourceProtocolError, match="does not answer as Redis does"):
        source.ask(("XLEN", "k"), together=True)


def test_replies_that_each_come_in_time_end_with_the_run() -> None:
    """A server that drips every reply: each is complete before its own time is over, and all together are not."""

    def speak(connection: socket.socket) -> None:
        waiting = threading.Event()
        while True:
            waiting.wait(0.1)
            connection.sendall(b"+PONG\r\n")

    with speaking(speak) as url, closing(RedisSource(url, Deadline(0.5))) as source, pytest.raises(SourceTimeout):
        for _ in range(1000):
            source.ask(*[("PING",)] * 1000)


def test_what_is_asked_after_the_end_leaves_no_connection_open(
    valkey: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a monitor does for which nobody waits any more."""
    closed: list[Connection] = []
    close = Connection.close

    def close_and_count(connection: Connection) -> None:
        close(connection)
        closed.append(connection)

    monkeypatch.setattr(Connection, "close", close_and_count)
    source = RedisSource(valkey.url, Deadline(30))
    source.close()
    assert source.ask(("PING",)) == [b"PONG"]
    assert len(closed) == 1
