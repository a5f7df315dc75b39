"""A proxy before a real Redis that changes the replies to one command: what no Redis would send reaches the doctor."""

import contextlib
import io
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Self

import hiredis

from tests.waiting import PATIENCE_SECONDS

Raw = bytes
"""A reply as it is sent."""
Change = Callable[[Raw], Raw]
"""What becomes of a reply."""
_WITH_SUBCOMMAND = ("XINFO", "CONFIG", "XGROUP")


@dataclass(frozen=True)
class Behaviour:
    """What the proxy does with the replies to one command."""

    change: Change = bytes
    and_close: bool = False
    """Close the connection right after the changed reply."""
    endless: Raw = b""
    """Send this again and again after the changed reply."""
    drip_seconds: float = 0.0
    """Send the changed reply byte by byte, with so many seconds before each."""


class Proxy:
    """Listens on loopback, and serves each client in a thread of its own; what it does with one is `_serve_one`'s."""

    def __init__(self, backend: str) -> None:
        """`backend`: the unix socket of the real server."""
        self._backend = backend
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(PATIENCE_SECONDS)
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(PATIENCE_SECONDS)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(self._backend)
            self._serve_one(client, server)

    def _serve_one(self, client: socket.socket, server: socket.socket) -> None:
        raise NotImplementedError

    def pause(self, seconds: float) -> None:
        """Wait; raises OSError when the proxy is to end."""
        if self._over.wait(seconds):
            raise ConnectionAbortedError


class ChangingProxy(Proxy):
    """`target` and `behaviour` may be changed between two runs."""

    def __init__(self, backend: str) -> None:
        super().__init__(backend)
        self.target = ""
        self.behaviour = Behaviour()
        self.seen: set[str] = set()
        """Names of the commands that came."""

    def _serve_one(self, client: socket.socket, server: socket.socket) -> None:
        _Talk(self, client, server).serve()


class _Talk:
    """One client's connection."""

    def __init__(self, proxy: ChangingProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._answers = server.makefile("rb")
        self._queued: list[str] | None = None
        """Names of the commands of a transaction."""

    def serve(self) -> None:
        requests = hiredis.Reader()
        with self._answers:
            while data := self._client.recv(1 << 16):
                requests.feed(data)
                while (command := requests.gets()) is not False:
                    self._answer(command)

    def _answer(self, command: Sequence[bytes]) -> None:
        name = name_of(command)
        self._proxy.seen.add(name)
        self._server.sendall(hiredis.pack_command(tuple(command)))
        reply = read_raw(self._answers)
        of_transaction = self._queued
        if name == "MULTI":
            self._queued = []
        elif name == "EXEC":
            self._queued = None
        elif of_transaction is not None:
            of_transaction.append(name)
            self._client.sendall(reply)
            return
        if name == self._proxy.target:
            self._send(self._proxy.behaviour.change(reply))
        elif name == "EXEC" and self._proxy.target in (of_transaction or []):
            self._send(self._changed_inside(reply, of_transaction or []))
        else:
            self._client.sendall(reply)

    def _changed_inside(self, reply: Raw, names: Sequence[str]) -> Raw:
        """The reply to EXEC with the change inside."""
        if not reply.startswith(b"*"):
            return reply
        head, *elements = parts_of(reply)
        for place, name in enumerate(names):
            if name == self._proxy.target:
                elements[place] = self._proxy.behaviour.change(elements[place])
        return head + b"".join(elements)

    def _send(self, reply: Raw) -> None:
        """Send as the proxy behaves."""
        behaviour = self._proxy.behaviour
        if behaviour.drip_seconds:
            for byte in reply:
                self._proxy.pause(behaviour.drip_seconds)
                self._client.sendall(bytes([byte]))
        else:
            self._client.sendall(reply)
        while behaviour.endless:
            self._client.sendall(behaviour.endless)
            self._proxy.pause(0)
        if behaviour.and_close:
            raise ConnectionAbortedError


def name_of(command: Sequence[bytes]) -> str:
    """The command, with its subcommand where it has one."""
    name = command[0].decode().upper()
    if name in _WITH_SUBCOMMAND:
        name += " " + command[1].decode().upper()
    return name


def read_raw(stream: BinaryIO) -> Raw:
    """The next reply, as it came. Raises OSError at the end."""
    line = stream.readline()
    if not line:
        raise ConnectionAbortedError
    kind = line[:1]
    if kind == b"$" and int(line[1:]) >= 0:
        return line + stream.read(int(line[1:]) + 2)
    if kind == b"*" and int(line[1:]) > 0:
        return line + b"".join([read_raw(stream) for _ in range(int(line[1:]))])
    return line


def parts_of(reply: Raw) -> list[Raw]:
    """The head of an array, and each of its elements."""
    stream = io.BytesIO(reply)
    head = stream.readline()
    return [head, *[read_raw(stream) for _ in range(max(0, int(head[1:])))]]


def decoded(reply: Raw) -> Any:
    """What a reply says."""
    reader = hiredis.Reader()
    reader.feed(reply)
    return reader.gets()


def encoded(value: Any) -> Raw:
    """A value as a reply."""
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, bool):
        return b"#t\r\n" if value else b"#f\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, bytes):
        return b"$%d\r\n%s\r\n" % (len(value), value)
    if isinstance(value, dict):
        return b"%%%d\r\n" % len(value) + b"".join(encoded(part) for pair in value.items() for part in pair)
    if isinstance(value, hiredis.ReplyError):
        return b"-" + str(value).encode() + b"\r\n"
    return b"*%d\r\n" % len(value) + b"".join(map(encoded, value))


@contextlib.contextmanager
def changing(url: str) -> Iterator[ChangingProxy]:
    """A proxy before the server of this URL, which names a unix socket."""
    with ChangingProxy(url.removeprefix("unix://").partition("?")[0]) as proxy:
        yield proxy
