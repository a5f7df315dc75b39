"""Servers that speak to whoever connects as no Redis does."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from tests.waiting import PATIENCE_SECONDS

Speak = Callable[[socket.socket], None]


@contextlib.contextmanager
def speaking(speak: Speak) -> Iterator[str]:
    """A server on loopback that reads what comes and then speaks; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads: list[threading.Thread] = []

        def serve(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                connection.recv(1 << 16)
                speak(connection)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    thread = threading.Thread(target=serve, args=(connection,), daemon=True)
                    threads.append(thread)
                    thread.start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        # Closing alone does not wake a thread that waits in accept().
        listener.shutdown(socket.SHUT_RDWR)
    accepting.join(PATIENCE_SECONDS)
    for thread in threads:
        thread.join(PATIENCE_SECONDS)


def says(data: bytes) -> Speak:
    """Send this, and wait until the other side goes."""

    def speak(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.recv(1)

    return speak


def drips(data: bytes, seconds: float) -> Speak:
    """Send one byte every so many seconds, again and again."""

    def speak(connection: socket.socket) -> None:
        waiting = threading.Event()
        connection.sendall(data)
        while True:
            waiting.wait(seconds)
            connection.sendall(b"x")

    return speak


def says_without_end(begin: bytes, again: bytes) -> Speak:
    """Send a beginning, and then the same for ever."""
    block = again * (1 + (1 << 16) // len(again))

    def speak(connection: socket.socket) -> None:
        connection.sendall(begin)
        while True:
            connection.sendall(block)

    return speak
