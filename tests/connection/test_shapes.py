"""Replies have the form of their command, as real servers give it, and no other."""

from collections.abc import Iterator
from typing import Any

import pytest

from blueplane_doctor.connection.base import Command, ProtocolError, ReplyError
from blueplane_doctor.connection.failures import Endpoint
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.connection.shapes import checked_shape, checked_transaction
from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.sources.redis_source import READ_COMMANDS

KEY = "test:shapes"


@pytest.fixture
def connection(any_server: RunningServer) -> Iterator[Connection]:
    connection = Connection(Endpoint(any_server.url))
    connection.ask(("DEL", KEY))
    yield connection
    connection.ask(("DEL", KEY))
    connection.close()


def test_real_servers_answer_in_these_forms(connection: Connection) -> None:
    """Connection checks each: one that differs would raise."""
    commands: list[Command] = [
        ("PING",),
        ("INFO", "server"),
        ("CONFIG", "GET", "save"),
        ("EXISTS", KEY),
        ("XLEN", KEY),
        ("XRANGE", KEY, "-", "+"),
        ("XADD", KEY, "1-1", "a", "b"),
        ("XGROUP", "CREATE", KEY, "g", "0"),
        ("XREADGROUP", "GROUP", "g", "c", "STREAMS", KEY, ">"),
        ("XPENDING", KEY, "g"),
        ("XPENDING", KEY, "g", "-", "+", 10),
        ("XINFO", "STREAM", KEY),
        ("XINFO", "GROUPS", KEY),
        ("XINFO", "CONSUMERS", KEY, "g"),
        ("XRANGE", KEY, "-", "+"),
        ("XREVRANGE", KEY, "+", "-"),
        ("XDEL", KEY, "1-1"),
        ("EXPIRE", KEY, 60),
        ("DEL", KEY),
        ("HSET", KEY, "a", 1),
        ("HINCRBY", KEY, "a", 1),
        ("HGET", KEY, "a"),
        ("HGET", KEY, "b"),
        ("HGETALL", KEY),
        ("WATCH", KEY),
    ]
    for command in commands:
        connection.ask_one(*command)
    assert connection.transaction(("HGETALL", KEY), ("EXISTS", KEY)) == [[b"a", b"2"], 1]


def stream(**changes: Any) -> list[Any]:
    """XINFO STREAM with other values."""
    values = {"length": 1, "last_generated_id": b"1-1", "first_entry": [b"1-1", [b"a", b"b"]], "entries_added": 1}
    return named(values | changes)


def group(**changes: Any) -> list[Any]:
    """One group of XINFO GROUPS with other values."""
    values = {"name": b"g", "consumers": 0, "pending": 0, "last_delivered_id": b"0-0", "entries_read": None, "lag": 1}
    return named(values | changes)


def named(values: dict[str, Any]) -> list[Any]:
    reply: list[Any] = []
    for name, value in values.items():
        reply += [name.replace("_", "-").encode(), value]
    return reply


def test_what_the_variants_begin_with_is_fine() -> None:
    assert checked_shape(stream(), ("XINFO", "STREAM", "k"))
    assert checked_shape(stream(first_entry=None), ("XINFO", "STREAM", "k"))
    assert checked_shape(stream()[:-2], ("XINFO", "STREAM", "k")), "before Redis 7.0"
    assert checked_shape([group(), group(lag=None)], ("XINFO", "GROUPS", "k"))
    assert checked_shape([group()[:8]], ("XINFO", "GROUPS", "k")), "before Redis 7.0"
    assert checked_shape([[1, b"1.5e3"], [2, b"nan"], [3, b"-inf"]], ("TS.RANGE", "k"))


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (("PING",), 1),
        (("INFO",), None),
        (("XLEN", "k"), b"5"),
        (("EXISTS", "k"), None),
        (("XRANGE", "k"), [b"1-1"]),
        (("XRANGE", "k"), [[1, [b"a", b"b"]]]),
        (("XRANGE", "k"), b"QUEUED"),
        (("XRANGE", "k"), [[b"1", [b"a", b"b"]]]),
        (("XRANGE", "k"), [[b"9" * 400 + b"-1", [b"a", b"b"]]]),
        (("XRANGE", "k"), [[b"1-1,2-2", [b"a", b"b"]], [b"", []]]),
        (("XRANGE", "k"), [[b"1-1", [b"a"]]]),
        (("XRANGE", "k"), [[b"1-1", [b"a", None]]]),
        (("XRANGE", "k"), [[b"1-1", [b"a", [b"b"]]]]),
        (("XRANGE", "k"), [[b"1-1", None]]),
        (("XPENDING", "k", "g"), [1, b"1-1", b"2-2"]),
        (("XPENDING", "k", "g"), [None, None, None, None]),
        (("XPENDING", "k", "g"), [1, b"x", b"2-2", []]),
        (("XPENDING", "k", "g", "-", "+", 10), [[b"1-1", b"c", b"5", 1]]),
        (("XPENDING", "k", "g", "-", "+", 10), [[b"1-1", b"c", 5, -1]]),
        (("XPENDING", "k", "g", "-", "+", 10), [[b"1-1", None, 5, 1]]),
        (("XPENDING", "k", "g", "-", "+", 10), [b"1-1"]),
        (("XINFO", "STREAM", "k"), stream(length=b"5")),
        (("XINFO", "STREAM", "k"), stream(length=-5)),
        (("XINFO", "STREAM", "k"), stream(length=None)),
        (("XINFO", "STREAM", "k"), stream(last_generated_id=b"newest")),
        (("XINFO", "STREAM", "k"), stream(first_entry=b"1-1")),
        (("XINFO", "STREAM", "k"), stream(first_entry=[b"1-1", {}])),
        (("XINFO", "STREAM", "k"), stream(entries_added=None)),
        (("XINFO", "STREAM", "k"), stream()[2:]),
        (("XINFO", "GROUPS", "k"), [group(name=1)]),
        (("XINFO", "GROUPS", "k"), [group(pending=b"0")]),
        (("XINFO", "GROUPS", "k"), [group(last_delivered_id=None)]),
        (("XINFO", "GROUPS", "k"), [group(lag=b"0")]),
        (("XINFO", "GROUPS", "k"), [group(entries_read=[])]),
        (("XINFO", "CONSUMERS", "k", "g"), [[b"name", b"c", b"pending", 1]]),
        (("XINFO", "CONSUMERS", "k", "g"), [[b"name", b"c", b"pending", 1, b"idle", None]]),
        (("CONFIG", "GET", "save"), [b"save", 1]),
        (("HGETALL", "k"), [b"a", 1]),
        (("PING",), b"hello"),
        (("XLEN", "k"), -1),
        (("EVAL", "return 1", 0), [1]),
        (("XADD", "k", "*", "a", "b"), b"newest"),
        (("TS.RANGE", "k"), [[1, b"many"]]),
        (("TS.MADD", "a", 1, "2", "b", 1, "2"), [1]),
        (("TS.MADD", "a", 1, "2"), b"1"),
        (("TS.RANGE", "k"), [[b"1", b"2"]]),
        (("XINFO", "STREAM", "k"), [b"length"]),
        (("XINFO", "STREAM", "k"), [1, 2]),
        (("XINFO", "GROUPS", "k"), [b"name", b"g"]),
        (("XINFO", "CONSUMERS", "k", "g"), [[b"name"]]),
        (("HGETALL", "k"), [b"a", b"b", b"c"]),
        (("HGETALL", "k"), {b"a": b"b"}),
        (("HGET", "k", "f"), 5),
        (("TS.QUERYINDEX", "a=b"), [1]),
        (("TS.RANGE", "k"), [[1, b"2", 3]]),
    ],
)
def test_another_form_is_refused(command: Command, reply: Any) -> None:
    with pytest.raises(ProtocolError, match=str(command[0])):
        checked_shape(reply, command)


def test_a_refusal_has_any_command_s_form() -> None:
    error = ReplyError("ERR no")
    assert checked_shape(error, ("XLEN", "k")) is error
    assert checked_transaction(error, [("XLEN", "k")]) is error


def test_every_read_command_has_a_form() -> None:
    for name in READ_COMMANDS:
        with pytest.raises(ProtocolError):
            checked_shape(object(), tuple(name.split()) + ("x",))


@pytest.mark.parametrize("reply", [b"OK", [], [1, 2], [b"text"]])
def test_a_transaction_has_one_reply_for_each_command(reply: Any) -> None:
    with pytest.raises(ProtocolError):
        checked_transaction(reply, [("XLEN", "k")])


def test_a_transaction_that_did_nothing_is_none() -> None:
    assert checked_transaction(None, [("XLEN", "k")]) is None
    assert checked_transaction([3], [("XLEN", "k")]) == [3]
