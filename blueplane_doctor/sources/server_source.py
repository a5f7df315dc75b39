"""The pipeline's server over HTTP: what its /health says.

Over a plain socket: an HTTP library's time limit begins anew with every byte, follows redirects to other servers, and
reads the environment for a proxy. Loading one would also be the costliest part of finding out that nobody listens.
"""

import json
import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from blueplane_doctor.connection.base import Limits
from blueplane_doctor.connection.socket_transport import look_up
from blueplane_doctor.sources import Deadline

_MOST_BYTES = 64_000
"""Of head and body together: the server answers in 200."""
_CHUNK_BYTES = 16_384
_DEFAULT_PORTS = {"http": 80, "https": 443}
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])[ \r]")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ \t]*([0-9]{1,10})[ \t]*\r\n")
_END_OF_HEAD = b"\r\n\r\n"


def ask_health(http_url: str, limit: float) -> tuple[str, bool]:
    """What GET /health brought within `limit` seconds, in words, and whether all is well."""
    parts = urlsplit(http_url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 80)
    try:
        answer = _get(parts, port, Deadline(limit))
    except TimeoutError:
        return f"no answer in {limit:g} s on port {port}", False
    except _Strange as error:
        return f"{error} on port {port}", False
    except (OSError, ValueError):
        return f"nobody listens on port {port}", False
    if answer.status != 200:
        return f"HTTP {answer.status} on port {port}", False
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        return f"something else answers on port {port}", False
    if isinstance(content, dict) and content.get("status") == "ok":
        return f"ok on port {port}", True
    return f"not ok on port {port}", False


class _Strange(Exception):
    """An answer that is none of the server's."""


@dataclass(frozen=True)
class _Answer:
    """An HTTP answer."""

    status: int
    body: bytes


def _get(parts: SplitResult, port: int, deadline: Deadline) -> _Answer:
    """Raises OSError (TimeoutError is one), _Strange, and ValueError for a host that has no address."""
    host = parts.hostname or "localhost"
    with _connected(host, port, deadline) as plain:
        connection = plain
        if parts.scheme == "https":
            connection = _encrypted(plain, host)
        path = parts.path.rstrip("/") + "/health"
        # HTTP/1.0 asks for a body as it is, and for the end of the connection behind it.
        request = f"GET {path} HTTP/1.0\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nConnection: close\r\n\r\n"
        connection.settimeout(_left(deadline))
        connection.sendall(request.encode("ascii", "replace"))
        return _answer(_read(connection, deadline))


def _connected(host: str, port: int, deadline: Deadline) -> socket.socket:
    """A socket to the first of the host's addresses that answers. Raises OSError."""
    failure: OSError = ConnectionError("no address")
    for *_, address in look_up(host, port, Limits(connect_seconds=_left(deadline))):
        try:
            connected = socket.create_connection(address[:2], _left(deadline))
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
        raise _Strange("no TLS with a valid certificate") from error


def _read(connection: socket.socket, deadline: Deadline) -> bytes:
    """All that comes until the answer is complete. Raises OSError, and _Strange for too much."""
    data = b""
    while not _is_complete(data):
        # Set anew before each call: a socket's time limit begins anew with every byte.
        connection.settimeout(_left(deadline))
        part = connection.recv(_CHUNK_BYTES)
        if not part:
            break
        data += part
        if len(data) > _MOST_BYTES:
            raise _Strange("something else answers")
    return data


def _is_complete(data: bytes) -> bool:
    head, end, body = data.partition(_END_OF_HEAD)
    if not end:
        return False
    length = _LENGTH.search(head + b"\r\n")
    return length is not None and len(body) >= int(length[1])


def _answer(data: bytes) -> _Answer:
    head, end, body = data.partition(_END_OF_HEAD)
    status = _STATUS_LINE.match(head + b"\r")
    if status is None or not end:
        raise _Strange("something else answers")
    return _Answer(int(status[1]), body)


def _left(deadline: Deadline) -> float:
    """Seconds until the deadline. Raises TimeoutError when it has passed."""
    if deadline.passed:
        raise TimeoutError
    return deadline.remaining
