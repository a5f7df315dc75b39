"""A stand-in for the process of a running Blueplane server.

It answers GET /health, has the real one's name in its command line, and holds a connection to its Redis, so that all
that can be seen of such a process from outside is there.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """
import http.server, socket, sys, threading, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"status": "ok"}' if self.path == "/health" else b"{}"
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

redis_port, http_port = int(sys.argv[1]), int(sys.argv[2])
connection = socket.create_connection(("127.0.0.1", redis_port)) if redis_port else None
server = http.server.ThreadingHTTPServer(("127.0.0.1", http_port), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.buffer.read()
os._exit(0)
"""


@dataclass(frozen=True)
class LiveServer:
    """A running stand-in: its process and its port on the loopback interface."""

    pid: int
    port: int


@contextlib.contextmanager
def running_live_server(checkout: Path, home: Path, *, redis_port: int, port: int = 0) -> Iterator[LiveServer]:
    """Run a stand-in from `checkout` for the user whose HOME is `home`; it ends with the test process."""
    script = checkout / "scripts" / "start_server.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(_SCRIPT)
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(script), str(redis_port), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=checkout,
        env={**os.environ, "HOME": str(home)},
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield LiveServer(process.pid, int(process.stdout.readline()))
        finally:
            process.kill()
