"""Limits on what one asker may send and how often; generous for dashboards, narrow for mischief."""

import time
from dataclasses import dataclass

MOST_QUERY_BYTES = 2_048
MOST_PATH_BYTES = 1_024
MOST_BODY_BYTES = 0
"""Nothing here takes a body."""
MOST_HEADER_BYTES = 16_384
MOST_CONNECTIONS = 512


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered."""

    code: int
    error: str
    hint: str = ""


class Rate:
    """A bucket of tokens: `per_second` requests in the long run, up to `burst` at once, all askers together."""

    def __init__(self, per_second: float, burst: float | None = None) -> None:
        self._rate, self._burst = per_second, burst or 2 * per_second
        self._tokens, self._at = self._burst, time.monotonic()

    def take(self) -> bool:
        """Whether one more request is within the limit. Called from one thread, the server's loop."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def too_large(path: bytes, query: bytes, headers: list[tuple[bytes, bytes]]) -> Refusal | None:
    """The refusal for a request that is larger than anything that makes sense here."""
    if len(query) > MOST_QUERY_BYTES:
        return Refusal(414, f"the query is longer than {MOST_QUERY_BYTES:,} bytes")
    if len(path) > MOST_PATH_BYTES:
        return Refusal(414, f"the path is longer than {MOST_PATH_BYTES:,} bytes")
    if sum(len(name) + len(value) for name, value in headers) > MOST_HEADER_BYTES:
        return Refusal(431, f"the headers are longer than {MOST_HEADER_BYTES:,} bytes")
    for name, value in headers:
        if name == b"content-length" and value.strip() not in (b"", b"0") or name == b"transfer-encoding":
            return Refusal(413, "nothing here takes a body")
    return None
