"""How much of something is used within a time: requests of each peer, and the work that look-ups make."""

import ipaddress
import time
from collections import OrderedDict

MOST_PEERS = 1_024
"""Peers that are remembered; beyond that the one that was seen longest ago is forgotten."""
_IPV6_NETWORK_BITS = 64
"""One subscriber has a whole network of that size, and could take another address for every request."""


class Rate:
    """A bucket of tokens: `per_second` in the long run, at most `burst` at once. For one thread, the server's loop."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._rate = per_second
        self._burst = burst
        self._tokens = burst
        self._filled_at = time.monotonic()

    def take(self) -> bool:
        """Whether one more is within the limit; it is taken then."""
        if not self.has(1):
            return False
        self._tokens -= 1
        return True

    def has(self, tokens: float) -> bool:
        """Whether so many could be taken now."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        return self._tokens >= tokens

    def charge(self, tokens: float) -> None:
        """Take what was used, as far as below nothing: what something costs may be known only afterwards."""
        self._tokens -= tokens


class PeerRates:
    """A bucket for each peer: one that asks too often does not take away what others may ask."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._rates: OrderedDict[str, Rate] = OrderedDict()

    def take(self, peer: str) -> bool:
        """Whether one more request of this peer is within the limit."""
        rate = self._rates.pop(peer, None)
        if rate is None:
            # A page that is opened asks for several things at once.
            rate = Rate(self._per_second, burst=2 * self._per_second)
        self._rates[peer] = rate  # the last place: it was seen now
        if len(self._rates) > MOST_PEERS:
            self._rates.popitem(last=False)
        return rate.take()


def peer_of(host: str) -> str:
    """Who asks from this address: an IPv4 address, or an IPv6 network; empty for a unix socket."""
    if ":" not in host:
        return host
    try:
        address = ipaddress.IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, _IPV6_NETWORK_BITS), strict=False))
