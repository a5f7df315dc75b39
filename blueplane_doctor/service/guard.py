"""The ASGI layer before the application: who may ask, by which name, how much, how often; headers for browsers."""

import hmac
import ipaddress
import re
import stat
import time
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from starlette.responses import Response

from blueplane_doctor.errors import UsageError
from blueplane_doctor.service.answers import problem

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""Probes cannot log in, and these two say nothing of the pipeline."""
SHORTEST_TOKEN = 16
MOST_QUERY_BYTES = 2_048
MOST_PATH_BYTES = 1_024
MOST_HEADER_BYTES = 16_384
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""Sent with every answer that does not say otherwise. There is no CORS header, on purpose."""

_HOST = re.compile(r"(?:\[(?P<address>[0-9a-fA-F:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::[0-9]{1,5})?")

Headers = list[tuple[bytes, bytes]]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class Guard:
    """Stands before the application; knows nothing of what it does."""

    def __init__(
        self, app: Application, *, host_names: Iterable[str], token: str | None, requests_per_second: float
    ) -> None:
        self._app = app
        self._hosts = HostCheck(host_names)
        self._token = TokenCheck(token)
        self._rate = Rate(requests_per_second)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", [])
                names = {name.lower() for name, _ in own}
                message["headers"] = [*own, *(header for header in HEADERS if header[0] not in names)]
            await send(message)

        answer: Application = self._refusal(scope) or self._app
        if scope["method"] == "HEAD":  # the server leaves the body out
            scope = {**scope, "method": "GET"}
        await answer(scope, receive, send_with_headers)

    def _refusal(self, scope: Message) -> Response | None:
        headers = scope["headers"]
        if not self._rate.take():
            hint = "ask less often; the answers change once a second"
            return problem(429, "too many requests", hint, {"Retry-After": "1"})
        refusal = too_large(scope.get("raw_path") or b"", scope.get("query_string") or b"", headers)
        if refusal:
            return refusal
        if not self._hosts.allows(headers):
            return problem(421, "this name is not mine", "ask for localhost, the address, or a name of --allow-host")
        if not self._token.allows(scope["path"], headers):
            login = {"WWW-Authenticate": 'Basic realm="blueplane-doctor", charset="UTF-8"'}
            return problem(401, "a token is needed", "Authorization: Bearer TOKEN, as in --token-file", login)
        return None


class Rate:
    """A bucket of tokens: `per_second` requests in the long run, twice as many at once, all askers together."""

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._burst = 2 * per_second
        self._tokens = self._burst
        self._filled_at = time.monotonic()

    def take(self) -> bool:
        """Whether one more request is within the limit. For one thread, the server's loop."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def too_large(path: bytes, query: bytes, headers: Headers) -> Response | None:
    """The refusal of a request that is larger than anything that makes sense here; its body is not read."""
    close = {"Connection": "close"}
    if len(query) > MOST_QUERY_BYTES:
        return problem(414, f"the query is longer than {MOST_QUERY_BYTES:,} bytes")
    if len(path) > MOST_PATH_BYTES:
        return problem(414, f"the path is longer than {MOST_PATH_BYTES:,} bytes")
    if sum(len(name) + len(value) for name, value in headers) > MOST_HEADER_BYTES:
        return problem(431, f"the headers are longer than {MOST_HEADER_BYTES:,} bytes", headers=close)
    for name, value in headers:
        has_length = name == b"content-length" and value.strip() not in (b"", b"0")
        if has_length or name == b"transfer-encoding":
            return problem(413, "nothing here takes a body", headers=close)
    return None


class HostCheck:
    """Refuses names that are not ours: a page whose name was pointed at this machine (DNS rebinding) sends its own.

    Addresses pass: no name was looked up for them.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(name.lower().rstrip(".") for name in ("localhost", *names))

    def allows(self, headers: Headers) -> bool:
        """Whether there is exactly one Host header, and it names us."""
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1:
            return False
        match = _HOST.fullmatch(hosts[0].decode("latin-1").strip())
        if match is None:
            return False
        name = match["address"] or match["name"]
        return name.lower().rstrip(".") in self._names or _address(name) is not None


class TokenCheck:
    """`Authorization: Bearer TOKEN`, or Basic with the token as password, which browsers can ask for."""

    def __init__(self, token: str | None) -> None:
        self._digest = sha256(token.encode()).digest() if token is not None else None

    def allows(self, path: str, headers: Headers) -> bool:
        """Whether the request may be answered; compares in constant time."""
        if self._digest is None or path in OPEN_PATHS:
            return True
        given = [_secret(value) for name, value in headers if name == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(sha256(given[0]).digest(), self._digest)


def _secret(value: bytes) -> bytes:
    kind, _, rest = value.strip().partition(b" ")
    rest = rest.strip()
    if kind.lower() == b"bearer":
        return rest
    if kind.lower() != b"basic":
        return b""
    try:
        user_and_password = b64decode(rest, validate=True)
    except ValueError:
        return b""
    return user_and_password.partition(b":")[2]


def read_token(path: Path) -> str:
    """The token in a file that nobody else may read. Raises UsageError, never quoting it."""
    try:
        others = path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise UsageError(f"--token-file {path}: cannot be read: {reason}") from None
    if others:
        raise UsageError(f"--token-file {path}: other users may use it", f"chmod 600 {path}")
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"--token-file {path}: must hold at least {SHORTEST_TOKEN} printable characters without blanks",
            f"openssl rand -hex 32 > {path}",
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    address = _address(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
