"""A proxy before a real Redis that cuts all connections at the n-th command: before it is run or answered."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import hiredis

from tests.connection.changing_proxy import read_raw

NEVER = 1 << 30


class CuttingProxy:
    """Listens on loopback. From the cut on nobody is served any more, as when Redis is gone."""

    def __init__(self, backend: str, cut_at: int, *, is_run: bool) -> None:
        """`backend`: the unix socket of the server; `is_run`: whether the command of the cut still reaches it."""
        self.commands = 0
        self._backend = backend
        self._cut_at = cut_at
        self._is_run = is_run
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    @property
    def has_cut(self) -> bool:
        return self.commands > self._cut_at

    def __enter__(self) -> "CuttingProxy":
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(10)
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(30)
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(self._backend)
            requests = hiredis.Reader()
            with server.makefile("rb") as answers:
                while data := client.recv(1 << 16):
                    requests.feed(data)
                    while (command := requests.gets()) is not False:
                        self._pass_on(command, client, server, answers)

    def _pass_on(self, command: list[bytes], client: socket.socket, server: socket.socket, answers: object) -> None:
        with self._lock:
            number = self.commands
            self.commands += 1
        if number > self._cut_at or (number == self._cut_at and not self._is_run):
            raise ConnectionAbortedError
        server.sendall(hiredis.pack_command(tuple(command)))
        reply = read_raw(answers)  # type: ignore[arg-type]
        if number == self._cut_at:
            raise ConnectionAbortedError
        client.sendall(reply)


@contextlib.contextmanager
def cutting(url: str, cut_at: int = NEVER, *, is_run: bool = False) -> Iterator[CuttingProxy]:
    """A proxy before the server of this URL, which names a unix socket."""
    with CuttingProxy(url.removeprefix("unix://").partition("?")[0], cut_at, is_run=is_run) as proxy:
        yield proxy
