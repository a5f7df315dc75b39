"""The door: how many connections there may be, who has to go, and that the examination goes on beside an attack."""

import contextlib
import resource
import select
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.http_server.connections import (
    FEWEST_CONNECTIONS,
    KEPT_BACK,
    MOST_CONNECTIONS,
    OWN,
    SHARE_OF_ONE_PEER,
    limits_for,
)
from tests.service.support import CALM, Served, serving
from tests.waiting import PATIENCE_SECONDS, wait_until

CLOSING = "blueplane-doctor: many connections: those that wait longest are closed"


@pytest.mark.parametrize(
    ("descriptors", "total"),
    [
        pytest.param(1_000_000, MOST_CONNECTIONS, id="plenty"),
        pytest.param(1_024, MOST_CONNECTIONS, id="usual"),
        pytest.param(256, 256 - KEPT_BACK - OWN, id="few"),
        pytest.param(32, FEWEST_CONNECTIONS, id="hardly any"),
    ],
)
def test_descriptors_are_kept_back_for_the_examination(descriptors: int, total: int) -> None:
    limits = limits_for(descriptors)
    assert limits.total == total
    assert limits.of_one_peer == int(total * SHARE_OF_ONE_PEER)


def address_of(service: Served) -> tuple[str, int]:
    host, port = service.url.removeprefix("http://").split(":")
    return host, int(port)


def asked(connection: socket.socket) -> bytes:
    """The whole answer to one request."""
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while b"}" not in answer:
        part = connection.recv(4_096)
        assert part, answer
        answer += part
    return answer


@contextlib.contextmanager
def silent(service: Served, count: int, source: str = "") -> Iterator[list[socket.socket]]:
    """So many connections on which nothing is sent."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            connection = socket.create_connection(address_of(service), 10, (source, 0) if source else None)
            opened.append(stack.enter_context(connection))
        yield opened


def closed(connections: list[socket.socket]) -> list[socket.socket]:
    """Those that the server has closed."""
    poll = select.poll()
    by_number = {}
    for connection in connections:
        poll.register(connection, select.POLLIN)
        by_number[connection.fileno()] = connection
    return [by_number[number] for number, _ in poll.poll(0)]


@pytest.mark.slow
def test_silent_connections_lock_nobody_out_and_the_verdict_stays(healthy: Pipeline) -> None:
    with serving(healthy, complaints=[CLOSING]) as service:
        service.ready()
        threads, files = service.resources()
        with silent(service, 1_100) as connections:
            # All that came before a new connection has been let in once it is answered. The service's own client has a
            # connection from before, which may have had to go: a request on it just then would find it closed.
            with httpx.Client(base_url=service.url, timeout=PATIENCE_SECONDS, trust_env=False) as newcomer:
                assert newcomer.get("/healthz").status_code == 200
            assert service.get("/healthz").status_code == 200
            assert service.status() == "green"
            assert service.resources()[1] <= files + MOST_CONNECTIONS
            wait_until(lambda: len(closed(connections)) >= 1_100 - MOST_CONNECTIONS, "too many are open")
            with httpx.Client(base_url=service.url, timeout=PATIENCE_SECONDS, trust_env=False) as newcomer:
                assert newcomer.get("/healthz").status_code == 200
            wait_until(lambda: len(closed(connections)) == 1_100, "a silent connection stays open")
            assert service.status() == "green"
        wait_until(lambda: service.resources() <= (threads, files + 1), "something is left")


@pytest.mark.slow
def test_headers_that_drip_end_however_often_a_byte_comes(healthy: Pipeline) -> None:
    with serving(healthy) as service:
        with socket.create_connection(address_of(service), 10) as dripping:
            dripping.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
            ended = False
            for _ in range(400):
                try:
                    dripping.sendall(b"x")
                except OSError:
                    ended = True
                    break
                if select.select([dripping], [], [], 0.05)[0]:
                    ended = True
                    break
        assert ended
        assert service.get("/healthz").status_code == 200


@pytest.mark.slow
def test_a_connection_that_is_kept_alive_is_not_taken_for_a_silent_one(healthy: Pipeline) -> None:
    with serving(healthy) as service, socket.create_connection(address_of(service), 10) as kept:
        kept.settimeout(PATIENCE_SECONDS)
        assert asked(kept).startswith(b"HTTP/1.1 200")
        with silent(service, 1) as others:
            wait_until(lambda: bool(closed(others)), "the silent one stays open")
        assert asked(kept).startswith(b"HTTP/1.1 200")


@pytest.mark.slow
def test_one_peer_cannot_take_the_place_of_others(healthy: Pipeline) -> None:
    share = int(MOST_CONNECTIONS * SHARE_OF_ONE_PEER)
    with (
        serving(healthy, complaints=[CLOSING]) as service,
        silent(service, 1, "127.0.0.3") as mine,
        silent(service, share + 50, "127.0.0.2") as theirs,
    ):
        wait_until(lambda: len(closed(theirs)) >= 50, "more than its share is open")
        assert closed(mine) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "darwin", reason="its soft limit may be above what is set here")
def test_with_few_descriptors_the_verdict_stays_green(healthy: Pipeline) -> None:
    """A limit of 64 that cannot be raised: there is no room for what comes, and enough for the examination."""
    command = [sys.executable, "-m", "blueplane_doctor", "--home", str(healthy.home), "--redis-url", healthy.redis_url]
    command += [*CALM, "serve", "--port", "0"]

    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=lower)
    assert process.stderr is not None
    try:
        url = process.stderr.readline().split()[-1]
        # A new connection for each question: one that is kept may be the one to be closed just when it is used again.
        fresh = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS, trust_env=False, limits=fresh) as client:
            service = Served(url, process, client)
            service.ready()
            with silent(service, 200):
                assert service.status() == "green"
                wait_until(lambda: service.get("/readyz").status_code == 200, "not ready any more")
                assert service.status() == "green"
    finally:
        process.terminate()
        rest = process.stderr.read()
        assert process.wait(PATIENCE_SECONDS) == 0
        process.stderr.close()
    assert len(rest.splitlines()) <= 2, rest
