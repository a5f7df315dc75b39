"""What GET /health brings, in words; tests/monitoring/test_server_health.py has the answers of all forms."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from blueplane_doctor.demo.servers import stand_in_server
from blueplane_doctor.sources.server_source import ask_health
from tests.connection.hostile import Speak, drips, says, says_without_end, speaking

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"status": "ok"}'


@contextmanager
def answering(speak: Speak) -> Iterator[tuple[str, str]]:
    """A server that speaks so; its URL and its port."""
    with speaking(speak) as url:
        address = url.removeprefix("redis://").removesuffix("/0")
        yield f"http://{address}", address.rpartition(":")[2]


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


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
    ],
    ids=["the status line", "a header", "a body without a length", "a body"],
)
def test_what_drips_ends_with_the_time(begin: bytes) -> None:
    """Each byte comes long before the time of a read is over."""
    with answering(drips(begin, 0.05)) as (url, port):
        assert ask_health(url, 0.3) == (f"no answer in 0.3 s on port {port}", False)


def test_a_server_that_kept_others_waiting_is_seen_again_when_it_answers() -> None:
    replies = iter([drips(b"HTTP/1.1 200 OK\r\nX: ", 0.05), drips(b"HTTP", 0.05), says(OK)])
    with answering(lambda connection: next(replies)(connection)) as (url, port):
        assert not ask_health(url, 0.2)[1]
        assert not ask_health(url, 0.2)[1]
        assert ask_health(url, 5) == (f"ok on port {port}", True)


@pytest.mark.parametrize(
    ("begin", "again"),
    [(b"", b"x"), (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), (b"HTTP/1.1 200 OK\r\n\r\n", b" ")],
    ids=["a line", "headers", "a body"],
)
def test_what_does_not_end_is_something_else(begin: bytes, again: bytes) -> None:
    with answering(says_without_end(begin, again)) as (url, port):
        assert ask_health(url, 20) == (f"something else answers on port {port}", False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    asked: list[bytes] = []

    def other(connection: socket.socket) -> None:
        asked.append(b"asked")
        says(OK)(connection)

    with answering(other) as (elsewhere, _):
        head = f"HTTP/1.1 {status} Found\r\nLocation: {elsewhere}/health\r\nContent-Length: 0\r\n\r\n"
        with answering(says(head.encode())) as (url, port):
            assert ask_health(url, 5) == (f"HTTP {status} on port {port}", False)
    assert not asked


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_no_proxy_of_the_environment_is_asked(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(says(OK)) as (proxy, _):
        monkeypatch.setenv(variable, proxy)
        monkeypatch.setenv("no_proxy", "")
        assert ask_health("http://127.0.0.1:1", 1) == ("nobody listens on port 1", False)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK",
        b"HTTP/9.9 200 OK\r\n\r\n{}",
        b"HTTP/1.1 20000000000000000000000 OK\r\n\r\n{}",
        b"SSH-2.0-x\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{"status"',
    ],
)
def test_what_is_no_answer(answer: bytes) -> None:
    with answering(lambda connection: connection.sendall(answer)) as (url, port):
        assert ask_health(url, 5) == (f"something else answers on port {port}", False)


def _resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "speak",
    [_resets, lambda connection: connection.sendall(OK[:-1])],
    ids=["reset", "shorter than it says"],
)
def test_an_answer_that_is_broken_off_is_not_believed(speak: Speak) -> None:
    with answering(speak) as (url, port):
        assert ask_health(url, 5) == (f"the connection was broken off on port {port}", False)


def test_https_is_not_spoken_in_clear_text() -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(1000))
                connection.sendall(OK)

        thread = threading.Thread(target=accept)
        thread.start()
        port = listener.getsockname()[1]
        assert ask_health(f"https://127.0.0.1:{port}", 5) == (f"no TLS with a valid certificate on port {port}", False)
        thread.join()
    assert b"GET" not in heard[0]


@pytest.mark.parametrize("host", ["a..b", "a" * 300, "[::1]", "\u00e4" * 70])
def test_hosts_without_an_address(host: str) -> None:
    assert ask_health(f"http://{host}:1", 2) == ("nobody listens on port 1", False)
