"""The stand-in for Blueplane's server process."""

import socket
import urllib.error
import urllib.request

import psutil
import pytest

from blueplane_doctor.demo.servers import stand_in_server
from blueplane_doctor.pipeline import SERVER_COMMANDS
from tests.waiting import PATIENCE_SECONDS


def test_it_answers_as_the_real_one_and_has_its_name() -> None:
    with stand_in_server() as server:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/health", timeout=PATIENCE_SECONDS) as answer:
            assert (answer.status, answer.read()) == (200, b'{"status": "ok"}')
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/other", timeout=PATIENCE_SECONDS)
        command = " ".join(psutil.Process(server.pid).cmdline())
        assert any(name in command for name in SERVER_COMMANDS)
    assert not psutil.pid_exists(server.pid)


@pytest.mark.slow
def test_a_client_that_sends_nothing_does_not_block_the_others() -> None:
    with stand_in_server() as server, socket.create_connection(("127.0.0.1", server.port)):
        url = f"http://127.0.0.1:{server.port}/health"
        answer = urllib.request.urlopen(url, timeout=PATIENCE_SECONDS)
        assert answer.status == 200
        answer.close()
