"""The other ends of a process' unix sockets, as the kernel tells them."""

import os
import socket
import sys
from pathlib import Path

import pytest

from blueplane_doctor.sources.unix_sockets import connected_sockets

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")


def test_the_socket_that_a_process_is_connected_to_is_named(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as caller:
        listener.bind(str(path))
        listener.listen()
        assert path not in connected_sockets(os.getpid()), "whoever listens is connected to nobody"
        caller.connect(str(path))
        accepted, _ = listener.accept()
        with accepted:
            assert path in connected_sockets(os.getpid())
    assert path not in connected_sockets(os.getpid())


def test_of_a_process_that_is_gone_nothing_is_known() -> None:
    assert connected_sockets(2**22 + 1) == frozenset()
