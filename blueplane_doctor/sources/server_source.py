"""The pipeline's server over HTTP: what its /health says."""

import json
import re
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.http_exchange import (
    END_OF_HEAD,
    StrangeAnswer,
    exchange,
    host_of,
    port_of,
    status_of,
    target,
)

_LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ \t]*([0-9]{1,10})[ \t]*\r\n")

NOBODY_LISTENS = "nobody listens"
"""How the answer begins where no program holds the port."""


def ask_health(http_url: str, limit: float) -> tuple[str, bool]:
    """What GET /health brought within `limit` seconds, in words, and whether all is well."""
    parts = urlsplit(http_url)
    port = port_of(parts)
    try:
        answer = _get(parts, Deadline(limit))
    except TimeoutError:
        return f"no answer in {limit:g} s on port {port}", False
    except StrangeAnswer as error:
        return f"{error} on port {port}", False
    except (ConnectionResetError, BrokenPipeError):
        return f"the connection was broken off on port {port}", False
    except (OSError, ValueError):
        return f"{NOBODY_LISTENS} on port {port}", False
    if answer.status != 200:
        return f"HTTP {answer.status} on port {port}", False
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        return f"something else answers on port {port}", False
    if isinstance(content, dict) and content.get("status") == "ok":
        return f"ok on port {port}", True
    return f"not ok on port {port}", False


class _Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes


def _get(parts: SplitResult, deadline: Deadline) -> _Answer:
    """Raises OSError (TimeoutError is one), StrangeAnswer, and ValueError for a URL that cannot be asked."""
    path = target(parts.path.rstrip("/") + "/health")
    # HTTP/1.0 asks for a body as it is, and for the end of the connection behind it.
    request = f"GET {path} HTTP/1.0\r\nHost: {host_of(parts)}\r\nConnection: close\r\n\r\n"
    data = exchange(parts, request.encode("ascii"), deadline, _is_complete)
    status = status_of(data)
    if _LENGTH.search(data.partition(END_OF_HEAD)[0] + b"\r\n") and not _is_complete(data):
        raise StrangeAnswer("the connection was broken off")
    return _Answer(status, data.partition(END_OF_HEAD)[2])


def _is_complete(data: bytes) -> bool:
    head, end, body = data.partition(END_OF_HEAD)
    if not end:
        return False
    length = _LENGTH.search(head + b"\r\n")
    return length is not None and len(body) >= int(length[1])
