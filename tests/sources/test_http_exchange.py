"""One request and its answer; tests/sources/test_server_source.py has what drips, and what never ends."""

from urllib.parse import urlsplit

import pytest

from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.http_exchange import (
    END_OF_HEAD,
    StrangeAnswer,
    exchange,
    host_of,
    port_of,
    status_of,
    target,
)
from tests.connection.hostile import says, speaking

REQUEST = b"GET / HTTP/1.0\r\n\r\n"


def test_what_comes_until_it_is_complete() -> None:
    with speaking(says(b"HTTP/1.1 204 No Content\r\n\r\nrest")) as url:
        parts = urlsplit(url.replace("redis://", "http://"))
        answer = exchange(parts, REQUEST, Deadline(20), lambda data: END_OF_HEAD in data)
    assert status_of(answer) == 204


def test_a_server_without_tls() -> None:
    with speaking(says(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as url, pytest.raises(StrangeAnswer, match="no TLS"):
        exchange(urlsplit(url.replace("redis://", "https://")), REQUEST, Deadline(20), bool)


def test_a_request_line_holds_no_line_end() -> None:
    assert target("") == "/"
    assert target("/a%20b/\u00e9 \r\nHost: x", "q=1&r=/ \0") == "/a%20b/%C3%A9%20%0D%0AHost:%20x?q=1&r=/%20%00"
    with pytest.raises(ValueError, match="surrogates"):
        target("/\ud800")


def test_host_and_port() -> None:
    parts = urlsplit("https://user:password@host.example")
    assert (host_of(parts), port_of(parts)) == ("host.example", 443)
    assert port_of(urlsplit("http://host.example:81/")) == 81


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 999 x\r\n\r\n"])
def test_what_is_no_answer(answer: bytes) -> None:
    with pytest.raises(StrangeAnswer):
        status_of(answer)
