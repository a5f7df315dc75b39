"""The contract of a connection: whatever carries it, the same methods, and limits that bound every wait."""

import inspect

import pytest

from blueplane_doctor.connection.base import Limits, Transport
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.connection.socket_transport import SocketTransport
from blueplane_doctor.connection.topology_transport import ClusterTransport

METHODS = ("send", "receive", "is_gone", "close")


@pytest.mark.parametrize("kind", [SocketTransport, ClusterTransport])
@pytest.mark.parametrize("method", METHODS)
def test_every_transport_has_the_methods_of_the_contract(kind: type, method: str) -> None:
    expected = inspect.signature(getattr(Transport, method))
    assert inspect.signature(getattr(kind, method)) == expected


def test_the_contract_has_no_other_methods() -> None:
    public = {name for name in vars(Transport) if not name.startswith("_")}
    assert public == set(METHODS)


def test_a_connection_has_what_the_users_of_one_need() -> None:
    assert {"send", "receive", "ask", "ask_one", "transaction", "close"} <= set(dir(Connection))


def test_the_limits_are_those_of_the_design() -> None:
    limits = Limits()
    assert (limits.connect_seconds, limits.reply_seconds, limits.reply_bytes) == (2, 2, 64_000_000)
