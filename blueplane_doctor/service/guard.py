"""The ASGI layer around the application: refuses what security.py and limits.py refuse, and adds headers."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from blueplane_doctor.service.answers import Plain, dumped
from blueplane_doctor.service.limits import Rate, Refusal, too_large
from blueplane_doctor.service.security import HEADERS, HostCheck, TokenCheck

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Hot = Callable[[str, bytes, str | None], Plain | None]
"""From path, query and If-None-Match to an answer, or None for what the application has to answer."""


class Guard:
    """Stands before the application; knows nothing of what it does."""

    def __init__(
        self,
        app: Application,
        *,
        hosts: HostCheck,
        token: TokenCheck,
        rate: Rate,
        hot: Hot = lambda path, query, if_none_match: None,
    ) -> None:
        """`hot` are answers from memory: given at once, at a quarter of the framework's cost."""
        self._app, self._hosts, self._token, self._rate = app, hosts, token, rate
        self._hot = hot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # a websocket: uvicorn refuses it when nothing accepts
            await send({"type": "websocket.close", "code": 1000})
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = with_ours(message.get("headers", []))
            await send(message)

        refusal = self._refusal(scope)
        if refusal:
            await _refuse(sent, refusal)
            return
        if scope["method"] in ("GET", "HEAD"):
            plain = self._hot(scope["path"], scope["query_string"], _header(scope, b"if-none-match"))
            if plain:
                await _give(sent, plain)
                return
        if scope["method"] == "HEAD":  # the server leaves the body out
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, sent)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = scope["headers"]
        if not self._rate.take():
            return Refusal(429, "too many requests", "ask less often; the answers change once a second")
        refusal = too_large(scope.get("raw_path") or b"", scope.get("query_string") or b"", headers)
        if refusal:
            return refusal
        if not self._hosts.allows(headers):
            return Refusal(421, "this name is not mine", "ask for localhost, the address, or a name of --allow-host")
        if not self._token.allows(scope["path"], headers):
            return Refusal(401, "a token is needed", "Authorization: Bearer TOKEN, as in --token-file")
        return None


def with_ours(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers, and those of ours that are not among them."""
    there = {name.lower() for name, _ in headers}
    return [*headers, *(header for header in HEADERS if header[0] not in there)]


def _header(scope: Scope, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), None)


async def _give(send: Send, plain: Plain) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in plain.headers.items()]
    if plain.code != 304:
        headers.append((b"content-length", b"%d" % len(plain.body)))
    await send({"type": "http.response.start", "status": plain.code, "headers": headers})
    await send({"type": "http.response.body", "body": plain.body})


_MORE = {429: (b"retry-after", b"1"), 401: (b"www-authenticate", b'Basic realm="blueplane-doctor", charset="UTF-8"')}


async def _refuse(send: Send, refusal: Refusal) -> None:
    body = dumped({"error": refusal.error, "hint": refusal.hint})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(b"cache-control", b"no-store")] + ([_MORE[refusal.code]] if refusal.code in _MORE else [])
    if refusal.code in (413, 431):
        headers.append((b"connection", b"close"))  # the body that is still under way is not read
    await send({"type": "http.response.start", "status": refusal.code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
