"""A stand-in for Blueplane's server process: answers GET /health, and has the real one's name in its command.

`python -m blueplane_doctor.demo.blueplane_server --port 0` prints its port and stays until its standard
input ends. It is also run as a file, by an interpreter without packages: it imports nothing of the doctor.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class StandIn(NamedTuple):
    """A running stand-in: its process and its port on the loopback interface."""

    pid: int
    port: int


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"status": "ok"}' if self.path == "/health" else b'{"error": "not found"}'
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: standard error belongs to whoever started the demo."""


class _Server(ThreadingHTTPServer):
    def server_bind(self) -> None:
        """Bind without the look-up of the host's own name, which takes seconds on some networks."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    with _Server(("127.0.0.1", parser.parse_args().port), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        sys.stdin.buffer.read()
        os._exit(0)  # nothing here is worth an orderly end, least of all a connection that a client keeps


@contextlib.contextmanager
def stand_in_server() -> Iterator[StandIn]:
    """Run a stand-in on a free port; it ends with the block, or with the process that runs the block."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, "--port", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield StandIn(process.pid, int(process.stdout.readline()))
        finally:
            process.kill()  # it has nothing to lose, and a test may have stopped it


if __name__ == "__main__":
    main()
