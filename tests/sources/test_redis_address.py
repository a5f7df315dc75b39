"""Two addresses, and whether they lead to the same Redis."""

import pytest

from blueplane_doctor.sources.process_use import Address
from blueplane_doctor.sources.redis_address import Comparison, ExaminedRedis, compare, is_this_machine, shown

SAME = Comparison.SAME
ANOTHER = Comparison.ANOTHER
PERHAPS = Comparison.PERHAPS_ANOTHER
HERE = ExaminedRedis(Address("localhost", 6379), 6379, runs_here=True)
CONTAINER = ExaminedRedis(Address("127.0.0.1", 6380), 6379)
REMOTE = ExaminedRedis(Address("192.0.2.7", 6379), 6379)
NAMED = ExaminedRedis(Address("redis.example", 6379), 6379)


@pytest.mark.parametrize(
    ("server", "examined", "comparison"),
    [
        pytest.param(Address("127.0.0.1", 6379), HERE, SAME, id="the same port here"),
        pytest.param(Address("::1", 6379), HERE, SAME, id="by IPv6"),
        pytest.param(Address("::ffff:127.0.0.1", 6379), HERE, SAME, id="IPv4 by IPv6"),
        pytest.param(Address("localhost", 6379), HERE, SAME, id="by name"),
        pytest.param(Address("127.0.0.1", 6390), HERE, ANOTHER, id="another port"),
        pytest.param(Address("192.0.2.7", 6379), HERE, ANOTHER, id="this port of another machine"),
        pytest.param(Address("redis", 6379), HERE, SAME, id="a name that may be this machine's"),
        pytest.param(Address("127.0.0.1", 6380), CONTAINER, SAME, id="a container by its published port"),
        pytest.param(Address("172.17.0.2", 6379), CONTAINER, SAME, id="a container by its own address"),
        pytest.param(Address("127.0.0.1", 6390), CONTAINER, ANOTHER, id="another port than a container's"),
        pytest.param(Address("192.0.2.7", 6379), REMOTE, SAME, id="the same machine"),
        pytest.param(Address("192.0.2.8", 6379), REMOTE, PERHAPS, id="another machine, or another address of it"),
        pytest.param(Address("127.0.0.1", 6379), REMOTE, PERHAPS, id="here, or a tunnel"),
        pytest.param(Address("192.0.2.8", 6390), REMOTE, ANOTHER, id="another machine and port"),
        pytest.param(Address("192.0.2.8", 6379), NAMED, SAME, id="a name that is not looked up"),
        pytest.param(Address("127.0.0.1", 7), ExaminedRedis(None, 7, runs_here=True), SAME, id="by a unix socket"),
        pytest.param(Address("127.0.0.1", 8), ExaminedRedis(None, 7, runs_here=True), ANOTHER, id="another than it"),
        pytest.param(Address("127.0.0.1", 8), ExaminedRedis(None), Comparison.UNKNOWN, id="no port at all"),
    ],
)
def test_two_addresses(server: Address, examined: ExaminedRedis, comparison: Comparison) -> None:
    assert compare(server, examined) is comparison


@pytest.mark.parametrize(("host", "is_here"), [("127.4.5.6", True), ("192.0.2.7", False), ("redis.example", None)])
def test_this_machine(host: str, is_here: bool | None) -> None:
    assert is_this_machine(host) is is_here


def test_of_another_machine_a_fingerprint_is_shown() -> None:
    assert shown(Address("127.0.0.1", 6390)) == "127.0.0.1:6390"
    one = shown(Address("192.0.2.7", 6379))
    assert one.startswith("<hidden-") and one.endswith(":6379")
    assert one != shown(Address("192.0.2.8", 6379))
