"""HTTP answers, before any framework: rendered once for each reading, only the age is put in when asked."""

import json
import time
from hashlib import blake2b
from typing import Any, NamedTuple

from blueplane_doctor.service.snapshot import Part, moment


class Rendered(NamedTuple):
    """A body but for its age, and its headers."""

    rest: bytes
    etag: str
    code: int
    part: Part


class Plain(NamedTuple):
    """An answer."""

    code: int
    headers: dict[str, str]
    body: bytes


def render(body: dict[str, Any], code: int, part: Part) -> Rendered:
    """The body with when its evidence was read, and until when it holds."""
    around = {
        "status": "unhealthy" if code == 503 else "healthy",
        "measured_at": moment(part.taken_at),
        "stale_after": moment(part.stale_after),
    }
    rest = dumped(around | body)[1:]
    return Rendered(rest, etag_of(rest), code, part)


def given(rendered: Rendered, if_none_match: str | None) -> Plain:
    """The answer now; 304 where the caller has it already."""
    age = rendered.part.age_ms(time.time())
    headers = {"ETag": rendered.etag, "Cache-Control": "no-cache", "Age": str(age // 1000)}
    if rendered.code == 200 and same(if_none_match, rendered.etag):
        return Plain(304, headers, b"")
    headers["Content-Type"] = "application/json"
    return Plain(rendered.code, headers, b'{"age_ms":%d,%s' % (age, rendered.rest))


def problem(code: int, error: str, hint: str = "", headers: dict[str, str] | None = None) -> Plain:
    """Why there is no answer, and what to do."""
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"} | (headers or {})
    return Plain(code, headers, dumped({"error": error, "hint": hint}))


def dumped(body: Any) -> bytes:
    """JSON without blanks; a lone surrogate, as a file name may hold, is escaped."""
    return json.dumps(body, separators=(",", ":"), allow_nan=False, default=str).encode()


def etag_of(body: bytes) -> str:
    """A weak tag: the same evidence has the same, whatever its age."""
    return f'W/"{blake2b(body, digest_size=9).hexdigest()}"'


def same(asked: str | None, etag: str) -> bool:
    """Whether an If-None-Match names this tag."""
    return asked is not None and (asked.strip() == "*" or etag in [tag.strip() for tag in asked.split(",")])
