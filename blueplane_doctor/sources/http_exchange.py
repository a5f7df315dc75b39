"""One HTTP request and its answer over a plain socket, within a total time and a total size.

An HTTP library's time limit begins anew with every byte, it follows redirects to other servers, and reads the
environment for a proxy. Loading one would also be the costliest part of finding out that nobody listens.
"""

import re
import socket
from collections.abc import Callable
from urllib.parse import SplitResult, quote

from blueplane_doctor.connection.base import Limits
from blueplane_doctor.connection.socket_transport import connected_to, look_up
from blueplane_doctor.sources import Deadline

_MOST_BYTES = 64_000
"""Of head and body together."""
END_OF_HEAD = b"\r\n\r\n"
_CHUNK_BYTES = 16_384
_DEFAULT_PORTS = {"http": 80, "https": 443}
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])[ \r]")
_KEPT_IN_A_TARGET = "/%:@!$&'()*+,;=?"
"""Signs that a path and a query may hold as they are."""


class StrangeAnswer(Exception):
    """What came is no HTTP answer, or none that may be believed; its text is the doctor's own."""


def port_of(parts: SplitResult) -> int:
    """The port that a URL names, else that of its scheme. Raises ValueError for one that is none."""
    return parts.port or _DEFAULT_PORTS.get(parts.scheme, 80)


def host_of(parts: SplitResult) -> str:
    """What the header Host names: without user and password."""
    return parts.netloc.rpartition("@")[2]


def exchange(parts: SplitResult, request: bytes, deadline: Deadline, is_complete: Callable[[bytes], bool]) -> bytes:
    """What came until it is complete, or the connection was closed.

    Raises OSError (TimeoutError is one), StrangeAnswer, and ValueError for a URL that cannot be asked.
    """
    host = parts.hostname or "localhost"
    with _connected(host, port_of(parts), deadline) as plain:
        connection = plain
        if parts.scheme == "https":
            connection = _encrypted(plain, host)
        connection.settimeout(_left(deadline))
        connection.sendall(request)
        return _read(connection, deadline, is_complete)


def target(path: str, query: str = "") -> str:
    """The path of a request, and its query. Raises ValueError for text that no encoding can write."""
    text = quote(path or "/", safe=_KEPT_IN_A_TARGET)
    if query:
        text += "?" + quote(query, safe=_KEPT_IN_A_TARGET)
    return text


def status_of(answer: bytes) -> int:
    """The code of an answer whose head is there. Raises StrangeAnswer."""
    head, end, _ = answer.partition(END_OF_HEAD)
    status = _STATUS_LINE.match(head + b"\r")
    if status is None or not end:
        raise StrangeAnswer("something else answers")
    return int(status[1])


def _connected(host: str, port: int, deadline: Deadline) -> socket.socket:
    """A socket to the first of the host's addresses that answers. Raises OSError."""
    failure: OSError = ConnectionError("no address")
    for *_, address in look_up(host, port, Limits(connect_seconds=_left(deadline))):
        try:
            connected = connected_to(address, _left(deadline))
        except OSError as error:
            failure = error
        else:
            return connected
    raise failure


def _encrypted(plain: socket.socket, host: str) -> socket.socket:
    import ssl  # only an address that somebody has set begins with https

    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except ssl.SSLError as error:
        raise StrangeAnswer("no TLS with a valid certificate") from error


def _read(connection: socket.socket, deadline: Deadline, is_complete: Callable[[bytes], bool]) -> bytes:
    """All that comes until the answer is complete. Raises OSError, and StrangeAnswer for too much."""
    data = b""
    while not is_complete(data):
        # Set anew before each call: a socket's time limit begins anew with every byte.
        connection.settimeout(_left(deadline))
        part = connection.recv(_CHUNK_BYTES)
        if not part:
            break
        data += part
        if len(data) > _MOST_BYTES:
            raise StrangeAnswer("something else answers")
    return data


def _left(deadline: Deadline) -> float:
    """Seconds until the deadline. Raises TimeoutError when it has passed."""
    if deadline.passed:
        raise TimeoutError
    return deadline.remaining
