"""A stand-in for Blueplane's server process: answers GET /health, and has the real one's name in its command.

It is run as a file, by an interpreter without packages: it imports nothing of the doctor. It prints its port, on the
loopback interface, and stays until its standard input ends.
"""

import contextlib
import os
import socket
import sys
import threading

_CLIENT_SECONDS = 1.0
"""The longest wait for a client that sends nothing: clients are answered one after the other."""


def _serve(listener: socket.socket) -> None:
    """Answer one client after the other."""
    while True:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.settimeout(_CLIENT_SECONDS)
            healthy = connection.recv(65_536).startswith(b"GET /health ")
            status = b"404 Not Found"
            body = b"{}"
            if healthy:
                status = b"200 OK"
                body = b'{"status": "ok"}'
            head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            connection.sendall(head % (status, len(body)) + body)


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener,), daemon=True).start()
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        sys.stdin.buffer.read()
        os._exit(0)  # at once: the thread may be waiting for a client
