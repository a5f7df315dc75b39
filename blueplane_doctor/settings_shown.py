"""Settings fit to be shown to the person whose they are: flat, and without passwords."""

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit


def flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested settings by dotted name."""
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        dotted = f"{prefix}{name}"
        rows += flat(value, dotted + ".") if isinstance(value, dict) and value else [(dotted, value)]
    return rows


def masked(value: Any) -> str:
    """A value for showing: a password inside a URL becomes `***`."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    shown: str = re.sub(r"(?i)([?&]\w*(?:password|token|secret)=)[^&#]*", r"\1***", value)
    try:
        parts = urlsplit(shown)
    except ValueError:
        return shown
    if parts.password is None:
        return shown
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{host}"))
