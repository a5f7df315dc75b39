"""HTTP answers: a body with the time at which its evidence was read, and a tag for it."""

import time
from hashlib import blake2b
from typing import Any, NamedTuple

from starlette.responses import Response

from blueplane_doctor.http_server.problems import to_bytes
from blueplane_doctor.service.snapshot import Freshness
from blueplane_doctor.text.times import iso_of_seconds


class Rendered(NamedTuple):
    """A body without its age, which is added when it is sent."""

    body: bytes
    etag: str
    code: int
    freshness: Freshness


def render(body: dict[str, Any], code: int, freshness: Freshness) -> Rendered:
    """The body with when its evidence was read, and until when it holds."""
    around = {
        "status": "unhealthy" if code == 503 else "healthy",
        "measured_at": iso_of_seconds(freshness.taken_at),
        "stale_after": iso_of_seconds(freshness.stale_after),
    }
    content = to_bytes(around | body)
    return Rendered(content, etag_of(content), code, freshness)


def respond(rendered: Rendered, if_none_match: str | None) -> Response:
    """The answer now; 304 where the caller has it already."""
    age = rendered.freshness.age_ms(time.time())
    headers = {"ETag": rendered.etag, "Cache-Control": "no-cache", "Age": str(age // 1000)}
    if rendered.code == 200 and names_tag(if_none_match, rendered.etag):
        return Response(status_code=304, headers=headers)
    # The age is put in front of the rendered object, so that a body need not be rendered for each caller.
    body = b'{"age_ms":%d,' % age + rendered.body[1:]
    return Response(body, rendered.code, headers, "application/json")


def etag_of(body: bytes) -> str:
    """A weak tag: the same evidence has the same tag, whatever its age."""
    return f'W/"{blake2b(body, digest_size=9).hexdigest()}"'


def names_tag(if_none_match: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names this tag."""
    if if_none_match is None:
        return False
    tags = [tag.strip() for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]
