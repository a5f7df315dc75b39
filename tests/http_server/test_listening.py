"""Where the service listens: ports, unix sockets, and what is in the way."""

import socket
from pathlib import Path

import pytest

from blueplane_doctor.errors import UsageError
from blueplane_doctor.http_server.listening import ListenAddress, bound, url_of


def test_any_free_port() -> None:
    with bound(ListenAddress(port=0)) as listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert listener.proto == socket.IPPROTO_TCP, "asyncio would delay small answers"


def test_a_port_that_is_taken_is_said() -> None:
    with bound(ListenAddress(port=0)) as listener:
        port = listener.getsockname()[1]
        with (
            pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}") as caught,
            bound(ListenAddress(port=port)),
        ):
            pass
    assert "choose another --port" in caught.value.hint


def test_a_unix_socket_is_private_and_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "doctor.sock"
    with bound(ListenAddress(uds=path)) as listener:
        assert path.stat().st_mode & 0o077 == 0
        assert url_of(listener) == f"unix:{path}"
    assert not path.exists()


def test_only_the_socket_of_a_dead_server_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "doctor.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with bound(ListenAddress(uds=path)), pytest.raises(UsageError), bound(ListenAddress(uds=path)):
        pass
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(UsageError, match="Address already in use") as caught, bound(ListenAddress(uds=file)):
        pass
    assert file.read_text() == "mine"
    assert "another file" in caught.value.hint


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["hangs", "takes datagrams"])
def test_the_socket_of_a_living_server_stays(kind: socket.SocketKind, tmp_path: Path) -> None:
    """Also where it takes no connection: one that hangs is not waited for."""
    path = tmp_path / "doctor.sock"
    with socket.socket(socket.AF_UNIX, kind) as theirs, socket.socket(socket.AF_UNIX) as client:
        theirs.bind(str(path))
        own = path.stat().st_ino
        if kind is socket.SOCK_STREAM:
            theirs.listen(0)
            client.connect(str(path))  # the backlog is full
        with pytest.raises(UsageError, match="Address already in use"), bound(ListenAddress(uds=path)):
            pass
        assert path.stat().st_ino == own


def test_what_is_no_name_of_a_host_is_said() -> None:
    with pytest.raises(UsageError, match="no name of a host"), bound(ListenAddress(host="é..é")):
        pass


def test_a_socket_that_another_server_has_put_there_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "doctor.sock"
    with socket.socket(socket.AF_UNIX) as other:
        with bound(ListenAddress(uds=path)):
            path.unlink()
            other.bind(str(path))
            theirs = path.stat().st_ino
        assert path.stat().st_ino == theirs


def test_a_link_to_a_socket_is_not_followed(tmp_path: Path) -> None:
    dead = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(dead))
    link = tmp_path / "doctor.sock"
    link.symlink_to(dead)
    with pytest.raises(UsageError), bound(ListenAddress(uds=link)):
        pass
    assert link.is_symlink() and dead.exists()
