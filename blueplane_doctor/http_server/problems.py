"""Answers that say why there is none, as every part of the server gives them."""

import json
from typing import Any

from starlette.responses import Response


def problem(code: int, error: str, hint: str = "", headers: dict[str, str] | None = None) -> Response:
    """Why there is no answer, and what to do."""
    all_headers = {"Cache-Control": "no-store"} | (headers or {})
    return Response(to_bytes({"error": error, "hint": hint}), code, all_headers, "application/json")


def to_bytes(body: Any) -> bytes:
    """JSON without blanks; a lone surrogate, as a file name may hold, is escaped."""
    return json.dumps(body, separators=(",", ":"), allow_nan=False, default=str).encode()
