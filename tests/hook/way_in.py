"""A server with the contract of the pipeline's `POST /events`, as it was observed; what it accepts goes to a sink."""

import contextlib
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGEST = 1_048_576


class WayIn(ThreadingHTTPServer):
    """Answers 202, or `status` when that is set; keeps the bodies that it accepted."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, sink: Callable[[dict[str, Any]], None] | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sink = sink
        self.status: int | None = None
        self.bodies: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def ids(self) -> list[str]:
        """The hook's own ID of every accepted event."""
        return [body["event"]["metadata"]["hook_event_id"] for body in self.bodies]

    def prompts(self) -> list[Any]:
        return [body["event"]["payload"]["full_data"]["hook_input"].get("prompt") for body in self.bodies]


class _Handler(BaseHTTPRequestHandler):
    server: WayIn

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if self.path != "/events" or length > LARGEST:
            self._answer(404 if self.path != "/events" else 413)
            return
        try:
            body = json.loads(self.rfile.read(length))
            good = all(body.get(name) for name in ("event", "platform", "session_id"))
        except (ValueError, AttributeError):
            good = False
        if good and self.server.status is None:
            self.server.bodies.append(body)
            if self.server.sink:
                self.server.sink(body)
        self._answer(self.server.status or (202 if good else 400))

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def way_in(sink: Callable[[dict[str, Any]], None] | None = None) -> Iterator[WayIn]:
    with WayIn(sink) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def stream_fields(body: dict[str, Any]) -> dict[str, str]:
    """What the queue writer adds to the stream for a body."""
    event = dict(body["event"])
    fields = {"event_id": str(uuid.uuid4()), "platform": body["platform"], "session_id": body["session_id"]}
    fields["external_session_id"] = body["session_id"]
    for name, value in event.items():
        fields[name] = json.dumps(value) if isinstance(value, dict | list) else str(value)
    return fields
