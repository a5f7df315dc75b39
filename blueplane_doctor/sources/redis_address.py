"""Whether two addresses lead to the same Redis, as far as addresses can tell."""

import ipaddress
from enum import Enum
from functools import cache
from typing import NamedTuple

from blueplane_doctor.connection.topology import HIDDEN, shown_host
from blueplane_doctor.privacy.public_text import hidden
from blueplane_doctor.process.light_imports import psutil
from blueplane_doctor.sources.process_use import Address


class Comparison(Enum):
    """What two addresses tell."""

    SAME = "the same Redis"
    PERHAPS_ANOTHER = "perhaps another: one Redis may have several addresses"
    ANOTHER = "another Redis"
    UNKNOWN = "nothing to compare"


class ExaminedRedis(NamedTuple):
    """What is known of the place of the examined Redis."""

    address: Address | None
    """By its URL; None for a unix socket, and for Sentinel and Cluster, whose nodes are several."""
    own_port: int | None = None
    """The port that it says itself; None where it did not answer, or listens on a file alone."""
    runs_here: bool = False
    """Whether its process is one of this machine: so it is behind no tunnel, and in no container."""


def compare(server: Address, examined: ExaminedRedis) -> Comparison:
    """Whether the server, which uses a Redis at this address, uses the examined one."""
    ports = {examined.own_port}
    if examined.address is not None:
        ports.add(examined.address.port)
    ports.discard(None)
    if not ports:
        return Comparison.UNKNOWN
    if server.port not in ports:
        return Comparison.ANOTHER
    return _of_equal_ports(server.host, examined)


def _of_equal_ports(host: str, examined: ExaminedRedis) -> Comparison:
    is_local = is_this_machine(host)
    if is_local is None:
        return Comparison.SAME  # a name: the port is all that can be compared
    if examined.runs_here:
        return Comparison.SAME if is_local else Comparison.ANOTHER
    if examined.address is None:
        return Comparison.SAME
    examined_is_local = is_this_machine(examined.address.host)
    if examined_is_local is not False:
        # The way to it begins on this machine and ends in a container or behind a tunnel: the server may have another.
        return Comparison.SAME
    if host == examined.address.host:
        return Comparison.SAME
    return Comparison.PERHAPS_ANOTHER


def is_this_machine(host: str) -> bool | None:
    """Whether an address is one of this machine's; None for a name, which is not looked up."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    # A socket that takes both kinds of addresses shows those of IPv4 as `::ffff:127.0.0.1`.
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    return address.is_loopback or str(address) in _own_addresses()


@cache
def _own_addresses() -> frozenset[str]:
    addresses = set()
    for interface in psutil.net_if_addrs().values():
        for each in interface:
            addresses.add(each.address.partition("%")[0])
    return frozenset(addresses)


def shown(address: Address) -> str:
    """An address as reports may show it: of another machine a fingerprint, so that two can be told apart."""
    host = shown_host(address.host)
    if host == HIDDEN:
        host = hidden(address.host)
    return f"{host}:{address.port}"
