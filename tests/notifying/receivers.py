"""Real receivers on loopback: an HTTP server that behaves as it is told, and a mail server."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    def document(self) -> dict[str, Any]:
        """The body as JSON."""
        value: dict[str, Any] = json.loads(self.body)
        return value


@dataclass
class Web:
    """An HTTP server: what came in, and how it answers."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    status: int = 200
    location: str = ""
    hangs: threading.Event = field(default_factory=threading.Event)
    """While it is set, nothing is answered."""
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def place(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"


@contextmanager
def web() -> Iterator[Web]:
    """The HTTP server, for as long as the block runs."""
    state = Web()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode()
            state.requests.append(Request(self.command, self.path, dict(self.headers), body))
            if state.hangs.is_set():
                state.released.wait(60)
                return
            self.send_response(state.status)
            if state.location:
                self.send_header("Location", state.location)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = answer
        do_POST = answer
        do_PUT = answer

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mail:
    """A mail server, and the messages that it was given."""

    port: int = 0
    messages: list[str] = field(default_factory=list)
    answer: str = "250 OK"


@contextmanager
def mail() -> Iterator[Mail]:
    """The mail server, for as long as the block runs."""
    from aiosmtpd.controller import Controller

    state = Mail()

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            state.messages.append(envelope.content.decode())
            return state.answer

    class OnAnyPort(Controller):
        def _trigger_server(self) -> None:
            self.port = state.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    controller = OnAnyPort(Handler(), hostname="127.0.0.1", port=0)
    controller.start()
    try:
        yield state
    finally:
        controller.stop()
