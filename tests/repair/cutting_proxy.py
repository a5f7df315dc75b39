"""A proxy before a real Redis that cuts all connections at the n-th command: before it is run or answered."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import hiredis

from tests.connection.changing_proxy import Proxy, read_raw

NEVER = 1 << 30


class CuttingProxy(Proxy):
    """From the cut on nobody is served any more, as when Redis is gone."""

    def __init__(self, backend: str, cut_at: int, *, is_run: bool) -> None:
        """`is_run`: whether the command of the cut still reaches the server."""
        super().__init__(backend)
        self.commands = 0
        self._cut_at = cut_at
        self._is_run = is_run
        self._lock = threading.Lock()

    @property
    def has_cut(self) -> bool:
        return self.commands > self._cut_at

    def _serve_one(self, client: socket.socket, server: socket.socket) -> None:
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
