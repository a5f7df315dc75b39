"""Metrics pushed to an OTLP receiver, a tiny one of this test's own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import UsageError
from blueplane_doctor.service import HealthService
from tests.helpers import settings_for
from tests.servers import absent
from tests.service.support import serving
from tests.waiting import PATIENCE_SECONDS, wait_until


def require_otel() -> None:
    """Only with what the extra `otel` installs."""
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        absent('needs OpenTelemetry: pip install "blueplane-doctor[otel]"')


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Its URL, and what it was sent (path, body)."""
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            import gzip

            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def values(body: bytes) -> dict[str, list[float]]:
    """Name and numbers of every metric of a request."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    request = ExportMetricsServiceRequest.FromString(body)
    metrics = [m for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics]
    return {metric.name: [point.as_double for point in metric.gauge.data_points] for metric in metrics}


@pytest.mark.slow
def test_the_same_numbers_are_pushed(healthy: Pipeline) -> None:
    require_otel()
    from blueplane_doctor.service.pushing import pushing

    settings = settings_for(healthy, ignore=["server", "redis-durability"])
    with receiver() as (url, got), HealthService(settings) as service:
        wait_until(service.ready, "not ready")
        with pushing(service, url, every=0.5):
            wait_until(lambda: len(got) > 0, "nothing came")
    path, body = got[-1]
    assert path == "/v1/metrics"
    pushed = values(body)
    assert pushed["blueplane_doctor_report_status"] == [0.0]
    assert pushed["blueplane_doctor_queue_depth_messages"] == [0.0]
    assert len(pushed["blueplane_doctor_check_status"]) > 20


@pytest.mark.slow
def test_by_the_command_and_the_last_push_is_at_the_end(healthy: Pipeline) -> None:
    require_otel()
    with receiver() as (url, got):
        with serving(healthy, "--otlp-endpoint", url) as service:
            service.ready()
        assert got


@pytest.mark.parametrize("url", ["ftp://x", "nonsense", "http://"])
def test_what_is_no_url_is_refused(pipeline: Pipeline, url: str) -> None:
    require_otel()
    from blueplane_doctor.service.pushing import pushing

    service = HealthService(settings_for(pipeline))
    with pytest.raises(UsageError), pushing(service, url):
        pass


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
    from blueplane_doctor.service.pushing import session

    with answering(head) as url, session() as made:
        answer = made.post(url, data=b"numbers", timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.text) == (code, "")


@contextmanager
def dripping(answer: bytes) -> Iterator[str]:
    """The URL of a receiver whose headers come byte by byte, without an end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def drip() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        connection.recv(1 << 16)
                        connection.sendall(answer)
                        while not over.wait(0.05):
                            connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1/metrics"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE_SECONDS)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 ", b"HTTP/1.1 200 OK\r\nX: ", b""])
def test_headers_that_drip_are_not_waited_for(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    require_otel()
    import requests

    from blueplane_doctor.service import pushing

    monkeypatch.setattr(pushing, "_ANSWER_SECONDS", 0.3)
    with dripping(answer) as url, pushing.session() as made, pytest.raises(requests.exceptions.RequestException):
        made.post(url, data=b"numbers", timeout=PATIENCE_SECONDS)
