"""What is answered: a snapshot of both looks, and HTTP answers rendered from it once, before any framework."""

import json
import time
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from blueplane_doctor.model import Finding, Report, Status, counted, worst
from blueplane_doctor.times import from_milliseconds, iso

QUICK_RECORDS = ("connections", "redis", "server", "spool", "database")
CUSTODY_RECORDS = ("queue", "capture", "chain")
"""Those that take a walk through the stream."""
AREAS = ("queue", "database", "capture", "chain")
"""Those with an endpoint, which shows the health record of the same name."""


@dataclass(frozen=True)
class Part:
    """When one half of the evidence was read, and from when on it does not hold (both in seconds since 1970)."""

    taken_at: float
    stale_after: float

    def age_ms(self, now: float) -> int:
        """Milliseconds since it was read."""
        return max(0, int((now - self.taken_at) * 1000))


@dataclass(frozen=True)
class Snapshot:
    """What every endpoint shows; frozen, and replaced as a whole."""

    version: int
    report: Report
    quick: Part
    custody: Part
    rendered: dict[Any, Any] = field(default_factory=dict, compare=False)
    """What whoever shows it made of it already."""

    @property
    def status(self) -> Status:
        """The worst of all, or `unknown` while a part is missing and nothing is red."""
        return self.report.status

    def area_status(self, name: str) -> Status:
        """An area's status: `unknown` where the record of its endpoint is missing and nothing is red."""
        found = worst(finding.status for finding in counted(self._findings(name)))
        missing = name in AREAS and self.report.metrics.get(name) is None
        return Status.UNKNOWN if missing and found is not Status.RED else found

    def cause(self, name: str) -> str:
        """Why the area is unknown; empty when it is not."""
        if self.area_status(name) is not Status.UNKNOWN:
            return ""
        return next((f.cause for f in self._findings(name) if f.cause), "no check of it was run")

    def _findings(self, area: str) -> list[Finding]:
        areas = (area, "dead-letters") if area == "queue" else (area,)
        return [finding for finding in self.report.findings if finding.area in areas]


def moment(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 with milliseconds, UTC."""
    return iso(from_milliseconds(int(seconds * 1000))) or ""


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
