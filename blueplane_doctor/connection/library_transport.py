"""TLS, and URLs with options: redis-py opens the connection, the rest is as with any other.

Only its sockets are used: its own reading knows neither a limit of bytes nor a time for a whole reply.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import redis
import redis.exceptions as redis_errors
from redis.backoff import NoBackoff
from redis.retry import Retry

from blueplane_doctor.connection.base import Limits, NoConnection
from blueplane_doctor.connection.socket_transport import SocketTransport, logged_in, look_up
from blueplane_doctor.privacy.error_phrases import error_text


def open_with_library(url: str, limits: Limits) -> SocketTransport:
    """Connect as the URL and its options say. Raises OSError, ReplyError, ProtocolError, ValueError."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        look_up(parts.hostname or "localhost", parts.port or 6379, limits)
    pool = redis.ConnectionPool.from_url(url, **_options(limits))
    return _opened(pool.make_connection(), limits, pool.connection_kwargs)


def open_tls(host: str, port: int, options: Mapping[str, Any], limits: Limits) -> SocketTransport:
    """Connect to one node; `options` are redis-py's. Raises as `open_with_library` does."""
    look_up(host, port, limits)
    tls = {}
    for name, value in options.items():
        if name.startswith("ssl_"):
            tls[name] = value
    return _opened(redis.SSLConnection(host=host, port=port, **tls, **_options(limits)), limits, options)


def _options(limits: Limits) -> dict[str, Any]:
    return {
        "socket_timeout": limits.connect_seconds,
        "socket_connect_timeout": limits.connect_seconds,
        "retry": Retry(NoBackoff(), 0),  # by default a refused connection takes seconds to be reported
        "protocol": 2,  # every server supports it, and HELLO needs no permission then
        "redis_connect_func": _leave_the_login,
    }


def _leave_the_login(connection: Any) -> None:
    """What redis-py calls instead of its own login: replies to that would be read without our limits."""


def _opened(connection: Any, limits: Limits, login: Mapping[str, Any]) -> SocketTransport:
    try:
        connection.connect()
    except (redis_errors.RedisError, redis_errors.RedisClusterException) as error:
        raise NoConnection(_problem(error, limits)) from error
    # The library has no public way to its socket.
    return logged_in(SocketTransport(connection._sock, limits, connection.disconnect), login)


def _problem(error: Exception, limits: Limits) -> str:
    """What redis-py complains of; its own texts quote hosts."""
    if isinstance(error, redis_errors.TimeoutError):
        return f"no connection in {limits.connect_seconds:g} s"
    return error_text(error)
