"""One event to `POST /events`, over a plain socket: http.client alone would triple the start-up."""

import socket
import time

DELIVERED, REFUSED, FAILED = "delivered", "refused", "failed"
DEFAULT_PORT = 8787
_REFUSALS = (400, 413)
"""Answers to an event that would be the same the next time."""

Address = tuple[str, int]


def address_of(url: str) -> Address:
    """Host and port of `http://HOST:PORT`; a path is ignored, for the way in is always /events."""
    place = url.partition("://")[2] or url
    place = place.partition("/")[0]
    host, colon, port = place.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = place, ""
    return host.strip("[]"), int(port) if port.isdigit() else DEFAULT_PORT


def post(address: Address, body: bytes, deadline: float) -> str:
    """DELIVERED when it was accepted, REFUSED when it never will be, FAILED when it is worth another try."""
    try:
        status = _status(address, body, deadline)
    except (OSError, ValueError, IndexError):
        return FAILED
    if status == 202:
        return DELIVERED
    return REFUSED if status in _REFUSALS else FAILED


def _status(address: Address, body: bytes, deadline: float) -> int:
    head = (
        f"POST /events HTTP/1.1\r\nHost: {address[0]}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(address, _left(deadline)) as connection:
        connection.settimeout(_left(deadline))
        connection.sendall(head.encode("idna" if not head.isascii() else "ascii") + body)
        answer = b""
        while b"\r\n" not in answer and len(answer) < 1000:
            connection.settimeout(_left(deadline))
            part = connection.recv(1000)
            if not part:
                break
            answer += part
    return int(answer.split(b" ", 2)[1])


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
