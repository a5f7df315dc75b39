"""Buckets of tokens: what one peer may ask, and what look-ups may use."""

import pytest

from blueplane_doctor.http_server import rates
from blueplane_doctor.http_server.rates import MOST_PEERS, PeerRates, Rate, peer_of


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by the monotonic clock, to be changed."""
    now = [100.0]
    monkeypatch.setattr(rates.time, "monotonic", lambda: now[0])
    return now


def test_a_rate_is_kept(moment: list[float]) -> None:
    rate = Rate(10, burst=20)
    assert [rate.take() for _ in range(21)] == [True] * 20 + [False]
    moment[0] += 0.5
    assert [rate.take() for _ in range(6)] == [True] * 5 + [False]


def test_what_was_used_may_cost_more_than_was_left(moment: list[float]) -> None:
    rate = Rate(0.1, burst=1)
    assert rate.has(0)
    rate.charge(1.5)
    assert not rate.has(0)
    moment[0] += 4
    assert not rate.has(0)
    moment[0] += 2
    assert rate.has(0)


def test_a_peer_does_not_use_up_what_another_may_ask(moment: list[float]) -> None:
    peers = PeerRates(2)
    assert [peers.take("10.0.0.1") for _ in range(5)] == [True] * 4 + [False]
    assert peers.take("10.0.0.2")


def test_peers_that_are_remembered_are_bounded(moment: list[float]) -> None:
    peers = PeerRates(1)
    for number in range(3 * MOST_PEERS):
        assert peers.take(str(number))
    assert len(peers._rates) == MOST_PEERS
    assert [peers.take(str(3 * MOST_PEERS - 1)) for _ in range(2)] == [True, False], "the youngest are remembered"


@pytest.mark.parametrize(
    ("host", "peer"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("", ""),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.9", "10.0.0.9"),
        ("no:address", "no:address"),
    ],
)
def test_a_peer_is_an_address_or_a_network(host: str, peer: str) -> None:
    assert peer_of(host) == peer
