"""What guards a server of our own: who may ask (token), by which name (Host header), and what browsers are told."""

import hmac
import ipaddress
import re
import stat
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from blueplane_doctor.errors import UsageError

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""Probes cannot log in, and these two say nothing of the pipeline."""
SHORTEST_TOKEN = 16

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""Sent with every answer that does not say otherwise itself. There is no CORS header, on purpose."""

_HOST = re.compile(r"(?:\[(?P<address>[0-9a-fA-F:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::[0-9]{1,5})?")

Headers = Iterable[tuple[bytes, bytes]]


def read_token(path: Path) -> str:
    """The token in a file that nobody else may read. Raises UsageError, never quoting it."""
    try:
        others = path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--token-file {path}: cannot be read: {getattr(error, 'strerror', None) or 'not text'}"
        ) from None
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
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class HostCheck:
    """Refuses names that are not ours: a web page whose name was pointed at this machine (DNS rebinding) sends its own.

    Bare addresses pass: no name was looked up for them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(name.lower().rstrip(".") for name in ("localhost", *names))

    def allows(self, headers: Headers) -> bool:
        """Whether there is exactly one Host header, and it names us."""
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1:
            return False
        found = _HOST.fullmatch(hosts[0].decode("latin-1").strip())
        if not found:
            return False
        name = found["address"] or found["name"]
        return name.lower().rstrip(".") in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class TokenCheck:
    """`Authorization: Bearer TOKEN`, or Basic with the token as password, which browsers can ask for."""

    def __init__(self, token: str | None) -> None:
        self._digest = None if token is None else _digest(token.encode())

    def allows(self, path: str, headers: Headers) -> bool:
        """Whether the request may be answered; the comparison takes the same time whatever was sent."""
        if self._digest is None or path in OPEN_PATHS:
            return True
        given = [_secret(value) for name, value in headers if name == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(_digest(given[0]), self._digest)


def _digest(secret: bytes) -> bytes:
    return sha256(secret).digest()


def _secret(value: bytes) -> bytes:
    kind, _, rest = value.strip().partition(b" ")
    rest = rest.strip()
    if kind.lower() == b"bearer":
        return rest
    if kind.lower() != b"basic":
        return b""
    try:
        return b64decode(rest, validate=True).partition(b":")[2]
    except (NotBase64, ValueError):
        return b""
