"""The pipeline's server over HTTP: what its /health says."""

import json
import socket
from urllib.parse import urlsplit

_ANSWER_BYTES = 10_000


def ask_health(http_url: str, limit: float) -> tuple[str, bool]:
    """What GET /health brought within `limit` seconds, in words, and whether all is well."""
    port = urlsplit(http_url).port
    try:
        body = _body(http_url.rstrip("/") + "/health", limit)
    except TimeoutError:
        return f"no answer in {limit:g} s on port {port}", False
    except (OSError, ValueError) as error:
        return f"{error if isinstance(error, _Strange) else 'nobody listens'} on port {port}", False
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return f"something else answers on port {port}", False
    ok = isinstance(said, dict) and said.get("status") == "ok"
    return (f"ok on port {port}" if ok else f"not ok on port {port}"), ok


class _Strange(OSError):
    """An answer that is none of the server's."""


def _body(url: str, limit: float) -> bytes:
    parts = urlsplit(url)
    # Where nobody listens, loading the HTTP client would be the costliest part of finding out.
    socket.create_connection((parts.hostname or "localhost", parts.port or 80), limit).close()
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import ProxyHandler, build_opener

    try:
        with build_opener(ProxyHandler({})).open(url, timeout=limit) as response:
            return bytes(response.read(_ANSWER_BYTES))
    except HTTPError as error:
        error.close()
        raise _Strange(f"HTTP {error.code}") from error
    except HTTPException as error:
        raise _Strange("something else answers") from error
    except URLError as error:
        raise (error.reason if isinstance(error.reason, OSError) else OSError(str(error.reason))) from error
