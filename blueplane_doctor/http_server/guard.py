"""The ASGI layer before the application: who may ask, by which name, how much, how often; headers for browsers."""

import hmac
import ipaddress
import re
import shlex
import stat
from base64 import b64decode
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from blueplane_doctor.errors import FileUnreadable, UsageError
from blueplane_doctor.files.ownership import stranger_of
from blueplane_doctor.files.reading import SMALL_BYTES, file_state, read_text
from blueplane_doctor.http_server.problems import problem
from blueplane_doctor.http_server.rates import PeerRates, peer_of

_SHORTEST_TOKEN = 16
"""Characters. As random ones of base64 they are 96 bits, which nobody guesses over a network."""
_MOST_QUERY_BYTES = 2_048
_MOST_PATH_BYTES = 1_024
MOST_HEADER_BYTES = 16_384
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Sent with every answer that does not say otherwise. There is no CORS header, on purpose."""

_HOST = re.compile(r"(?:\[(?P<address>[0-9a-fA-F:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::[0-9]{1,5})?")


class Access(NamedTuple):
    """Who may ask, and how often."""

    token: str | None
    """Asked of everybody; None: nobody needs one."""
    host_names: Collection[str]
    """Names that the Host header may hold beside localhost and addresses."""
    requests_per_second: float
    """Of one peer."""


class SpecialPaths(NamedTuple):
    """Paths of the application with rules of their own."""

    open: Collection[str]
    """Answered without a token."""
    unlimited: Collection[str]
    """Answered however often they are asked for."""
    linked: Collection[str]
    """Pages that a link of another site may lead to."""


class Guard:
    """Stands before the application; knows nothing of what it does."""

    def __init__(self, app: ASGIApp, access: Access, paths: SpecialPaths) -> None:
        self._app = app
        names = []
        for name in ("localhost", *access.host_names):
            names.append(name.lower().rstrip("."))
        self._names = frozenset(names)
        self._token = access.token
        self._rates = PeerRates(access.requests_per_second)
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refusal(scope) or self._app
        if scope["method"] == "HEAD":  # the server leaves the body out
            scope = {**scope, "method": "GET"}
        await answer(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        host = (scope.get("client") or ("",))[0]
        # The rate first: what is refused must cost less than what is answered.
        if scope["path"] not in self._paths.unlimited and not self._rates.take(peer_of(host)):
            return problem(429, "too many requests", "ask again in a second, and less often", {"Retry-After": "1"})
        headers = Headers(scope=scope)
        too_large = _too_large(scope, headers)
        if too_large:
            return too_large
        if not names_us(headers, self._names):
            return problem(421, "this name is not mine", "ask for localhost, the address, or a name of --allow-host")
        if comes_from_another_site(headers, may_be_linked=scope["path"] in self._paths.linked):
            return problem(403, "another site's page may not ask", "open the address itself, in a tab of its own")
        if self._token and scope["path"] not in self._paths.open and not has_token(headers, self._token):
            login = {"WWW-Authenticate": 'Basic realm="blueplane-doctor", charset="UTF-8"'}
            return problem(401, "a token is needed", "Authorization: Bearer TOKEN, as in --token-file", login)
        return None


def _too_large(scope: Scope, headers: Headers) -> Response | None:
    """The refusal of a request that is larger than anything that makes sense here; its body is not read."""
    close = {"Connection": "close"}
    if len(scope.get("query_string") or b"") > _MOST_QUERY_BYTES:
        return problem(414, f"the query is longer than {_MOST_QUERY_BYTES:,} bytes")
    if len(scope.get("raw_path") or b"") > _MOST_PATH_BYTES:
        return problem(414, f"the path is longer than {_MOST_PATH_BYTES:,} bytes")
    if sum(len(name) + len(value) for name, value in headers.raw) > MOST_HEADER_BYTES:
        return problem(431, f"the headers are longer than {MOST_HEADER_BYTES:,} bytes", headers=close)
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        return problem(413, "nothing here takes a body", headers=close)
    return None


def names_us(headers: Headers, names: Iterable[str]) -> bool:
    """Whether there is exactly one Host header, and it holds one of these names or an address.

    A page whose name was pointed at this machine (DNS rebinding) sends its own name. Addresses pass: no name was
    looked up for them.
    """
    hosts = headers.getlist("host")
    if len(hosts) != 1:
        return False
    match = _HOST.fullmatch(hosts[0].strip())
    if match is None:
        return False
    name = match["address"] or match["name"]
    return name.lower().rstrip(".") in names or _address(name) is not None


def comes_from_another_site(headers: Headers, *, may_be_linked: bool) -> bool:
    """Whether a browser asks for a page of somebody else's; browsers say so, and no page can keep them from it.

    Another port of this machine is another site too. A link to what may be linked is followed from anywhere. Over
    plain HTTP from another machine browsers leave Sec-Fetch-Site out, and name the page's Origin.
    """
    if any(origin.partition("://")[2] != headers.get("host") for origin in headers.getlist("origin")):
        return True
    sites = set()
    for site in headers.getlist("sec-fetch-site"):
        sites.add(site.strip().lower())
    if sites <= {"none", "same-origin"}:
        return False
    navigates = headers.getlist("sec-fetch-mode") == ["navigate"]
    fills_a_tab = headers.getlist("sec-fetch-dest") == ["document"]
    return not (may_be_linked and navigates and fills_a_tab)


def has_token(headers: Headers, token: str) -> bool:
    """Whether the token is sent: `Authorization: Bearer TOKEN`, or as the password of Basic, as browsers send it."""
    given = headers.getlist("authorization")
    if len(given) != 1:
        return False
    kind, _, secret = given[0].strip().partition(" ")
    sent = secret.strip().encode("latin-1")
    if kind.lower() == "basic":
        try:
            sent = b64decode(sent, validate=True).partition(b":")[2]
        except ValueError:
            return False
    elif kind.lower() != "bearer":
        return False
    return hmac.compare_digest(sent, token.encode())  # in a time that tells nothing of what is the same


def read_token(path: Path) -> str:
    """The token in a file that nobody else may read, nor put there. Raises UsageError, never quoting it."""
    quoted = shlex.quote(str(path))
    try:
        others = file_state(path).st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        token = read_text(path, SMALL_BYTES).strip()
    except FileUnreadable as error:
        raise UsageError(f"--token-file {error.message}") from None
    if others:
        raise UsageError(f"--token-file {path}: other users may use it", f"chmod 600 {quoted}")
    stranger = stranger_of(path)
    if stranger:
        raise UsageError(f"--token-file {path}: others decide what stands there", stranger.told())
    if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"--token-file {path}: must hold at least {_SHORTEST_TOKEN} printable characters without blanks",
            f"openssl rand -hex 32 > {quoted}",
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
