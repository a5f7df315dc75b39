"""INFO as text with numbers that are numbers; anything else is none of Redis."""

import pytest

from blueplane_doctor.connection.base import ProtocolError
from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.redis_info import databases, dataset_bytes, integer, parse_info
from blueplane_doctor.sources.redis_source import RedisSource


def test_what_real_servers_say(any_server: RunningServer) -> None:
    source = RedisSource(any_server.url, Deadline(30))
    fields = source.info()
    source.close()
    assert int(fields["used_memory"]) > 0
    assert integer(fields["server_time_usec"])


def test_lines_without_a_value_are_left_out() -> None:
    assert parse_info(b"# Server\r\nrole:master\r\nconfig_file:\r\n\r\nexecutable:/a:b\r\n") == {
        "role": "master",
        "executable": "/a:b",
    }


@pytest.mark.parametrize("name", ["used_memory", "maxmemory", "server_time_usec", "total_commands_processed"])
@pytest.mark.parametrize(
    "value", ["-1", "--1", "1.5", "lots", "9" * 400, "9" * 5000, "²", "٣", "inf", "nan", "1e9", str(2**63), "\xff"]
)
def test_a_count_that_is_none(name: str, value: str) -> None:
    with pytest.raises(ProtocolError, match=name):
        parse_info(f"{name}:{value}\r\n".encode("latin-1", "replace"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loading", "perhaps"),
        ("aof_enabled", "2"),
        ("redis_version", "seven"),
        ("redis_version", "7." + "9" * 5000),
        ("maxmemory_policy", "ALL KEYS"),
        ("rdb_last_save_time", "yesterday"),
        ("role", "\ufffd"),
    ],
)
def test_a_value_of_another_form(name: str, value: str) -> None:
    with pytest.raises(ProtocolError, match=name):
        parse_info(f"{name}:{value}\r\n".encode())


def test_the_value_is_not_repeated() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_info(b"used_memory:secret\r\n")
    assert "secret" not in str(caught.value)


def test_minus_one_where_redis_says_so() -> None:
    assert parse_info(b"master_link_down_since_seconds:-1\r\n") == {"master_link_down_since_seconds": "-1"}


def test_two_values_of_one_field() -> None:
    assert parse_info(b"maxmemory:5\r\nmaxmemory:5\r\n") == {"maxmemory": "5"}
    with pytest.raises(ProtocolError, match="two values for maxmemory"):
        parse_info(b"maxmemory:5\r\nmaxmemory:6\r\n")


def test_endless_lines() -> None:
    with pytest.raises(ProtocolError, match="more lines"):
        parse_info(b"x:1\r\n" * 100_000)


def test_a_version_of_a_preview() -> None:
    assert parse_info(b"redis_version:7.4.0-rc1\r\n") and parse_info(b"redis_version:255.255.255\r\n")


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", 5), ("-5", -5), ("", None), (None, None), ("-", None), ("5 ", None), ("5\n", None), ("9" * 20, None)],
)
def test_integers(text: str | None, number: int | None) -> None:
    assert integer(text) == number


def test_a_size_that_the_server_counted_below_zero_is_no_error() -> None:
    # Redis subtracts its own overhead from what is used, unsigned: on a small server that may be less than nothing.
    assert parse_info(b"used_memory_dataset:18446744073709540312\r\n")["used_memory_dataset"]


def test_databases_are_told_by_names_that_redis_gives() -> None:
    fields = {"db0": "keys=3", "db11": "keys=9", "dbsize": "7", "db-1": "x", "db" + "9" * 5000: "x", "keys": "db2"}
    assert databases(fields) == {0: "keys=3", 11: "keys=9"}


@pytest.mark.parametrize(("value", "size"), [("40", 40), ("0", 0), ("-40", None), ("lots", None)])
def test_what_the_keys_take(value: str, size: int | None) -> None:
    assert dataset_bytes({"used_memory_dataset": value}) == size
    assert dataset_bytes({}) is None
