"""Who listens at a place: read from the tables of the system, and as written there by hand."""

import os
import socket
import time
from pathlib import Path

import pytest

from blueplane_hook import peer
from tests.waiting import PATIENCE_SECONDS

MINE = os.geteuid()
OTHER = 54321
OWN = ("127.0.0.1", 40000)
SERVER = ("127.0.0.1", 8787)


def line(local: str, remote: str, state: str, user: int) -> str:
    return f"  0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {user:>5} 0 1 1 0 100 0 0 10 0\n"


def in_time() -> float:
    """A deadline that does not pass."""
    return time.monotonic() + PATIENCE_SECONDS


def address(host: str, port: int) -> str:
    """As the tables write it, of an IPv4 address on this machine."""
    (written,) = [word for word in peer._written(host) if len(word) == 8]
    return f"{written}:{port:04X}"


NOBODY = "00000000:0000"


@pytest.mark.parametrize(
    ("lines", "trusted"),
    [
        pytest.param([line(address("127.0.0.1", 8787), NOBODY, "0A", MINE)], True, id="mine"),
        pytest.param([line(address("127.0.0.1", 8787), NOBODY, "0A", 0)], True, id="root"),
        pytest.param([line(address("0.0.0.0", 8787), NOBODY, "0A", OTHER)], False, id="another-user-everywhere"),
        pytest.param([line("0" * 32 + ":2253", NOBODY, "0A", OTHER)], False, id="another-user-everywhere-by-ipv6"),
        pytest.param([], False, id="nobody"),
        pytest.param([line(address("127.0.0.1", 8788), NOBODY, "0A", MINE)], False, id="another-port"),
        pytest.param(
            [
                line(address("127.0.0.2", 8787), NOBODY, "0A", OTHER),
                line(address("127.0.0.1", 8787), NOBODY, "0A", MINE),
            ],
            True,
            id="another-address-of-another-user",
        ),
        pytest.param(
            [
                line(address("127.0.0.1", 8787), NOBODY, "0A", MINE),
                line(address("127.0.0.1", 8787), address("127.0.0.1", 40000), "01", OTHER),
            ],
            False,
            id="accepted-by-another-user-who-listens-no-more",
        ),
        pytest.param(None, True, id="a-system-that-tells-nothing"),
    ],
)
def test_only_this_user_and_root_are_trusted(lines: list[str] | None, trusted: bool) -> None:
    assert peer._only_ours(lines, OWN, SERVER) is trusted


@pytest.mark.skipif(not Path(peer.TABLES[0]).exists(), reason="this system does not tell")
@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_listener_of_ones_own_is_found(family: int, host: str) -> None:
    try:
        listener = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip("no IPv6 here")
    with listener, socket.create_connection(listener.getsockname()[:2]) as connection:
        assert peer.is_trusted(connection, in_time())
        lines = peer._lines_of(listener.getsockname()[1], in_time())
        listening = [text for text in lines or [] if " 0A " in text]
        assert len(listening) == 1


def test_more_sockets_than_there_is_time_for_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = tmp_path / "tcp", tmp_path / "tcp6"
    monkeypatch.setattr(peer, "TABLES", tuple(map(str, tables)))
    mine = line(address("127.0.0.1", 8787), NOBODY, "0A", MINE)
    others = line(address("127.0.0.1", 9999), NOBODY, "0A", OTHER) * 10_000
    tables[0].write_text("names of the columns\n" + others + mine)
    assert peer._lines_of(8787, in_time()) == [mine]
    with pytest.raises(TimeoutError):
        peer._lines_of(8787, time.monotonic() - 1)
    tables[0].unlink()
    assert peer._lines_of(8787, in_time()) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("user", [MINE, OTHER])
def test_behind_a_socket_that_looks_private_may_be_another_user(tmp_path: Path, user: int) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        # The system notes who calls listen().
        os.seteuid(user)
        try:
            listener.listen()
        finally:
            os.seteuid(MINE)
        path.chmod(0o600)
        assert peer.is_private_socket(str(path))
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            assert peer.is_trusted(connection, in_time()) is (user == MINE)


def test_a_private_socket_is_one_that_no_other_user_may_use(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        link = tmp_path / "link"
        link.symlink_to(path)
        assert peer.is_private_socket(str(path))
        assert not peer.is_private_socket(str(link))
        path.chmod(0o660)
        assert not peer.is_private_socket(str(path))
    (tmp_path / "file").touch(mode=0o600)
    assert not peer.is_private_socket(str(tmp_path / "file"))
    assert not peer.is_private_socket("")
