"""What GET /health brings, in words; tests/monitoring/test_server_health.py has the answers of all forms."""

import socket

import pytest

from blueplane_doctor.demo.servers import stand_in_server
from blueplane_doctor.sources.server_source import ask_health


def test_the_server_answers() -> None:
    with stand_in_server() as server:
        url = f"http://127.0.0.1:{server.port}"
        assert ask_health(url, 5) == (f"ok on port {server.port}", True)
        assert ask_health(f"{url}/", 5) == (f"ok on port {server.port}", True)


@pytest.mark.parametrize("backlog", [0])
def test_one_that_accepts_and_does_not_answer(backlog: int) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listener:
        port = listener.getsockname()[1]
        assert ask_health(f"http://127.0.0.1:{port}", 0.1) == (f"no answer in 0.1 s on port {port}", False)


def test_nobody_listens() -> None:
    assert ask_health("http://127.0.0.1:1", 1) == ("nobody listens on port 1", False)
