"""Of what a receiver answers the code alone is taken."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.service.test_metrics import require_otel
from tests.waiting import PATIENCE_SECONDS


@contextmanager
def answering(head: bytes) -> Iterator[str]:
    """The URL of a receiver that answers one request with this head, and a body without end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(1 << 16)
                connection.sendall(head + b"\r\n\r\n")
                while True:
                    connection.sendall(b"x" * (1 << 20))

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1/metrics"
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive(), "the connection is still read"


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"HTTP/1.1 200 OK", 200),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 9999999999", 400),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/", 302),
    ],
)
def test_an_answer_without_end_is_not_read(head: bytes, code: int) -> None:
    require_otel()
    from blueplane_doctor.service.otlp_session import session

    with answering(head) as url, session() as made:
        answer = made.post(url, data=b"numbers", timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.text) == (code, "")
