"""Text that came from outside, made harmless: no control characters, no tricks, bounded, and never private."""

import re
import unicodedata

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}\Z")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}\Z")


def plain(text: str | bytes, limit: int = 120) -> str:
    """One line without control, format or surrogate characters; longer text ends in `…`."""
    if isinstance(text, bytes):
        text = text[: limit * 4 + 4].decode("utf-8", "replace")
    cleaned = "".join(
        character if unicodedata.category(character)[0] != "C" else "\N{REPLACEMENT CHARACTER}"
        for character in text[: limit + 1]
    )
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + "…"


def identifier(value: str | bytes) -> str:
    """An ID as it is when it looks like one; anything else is only described, for it may be private text."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return text if _IDENTIFIER.match(text) else f"(not an ID, {len(value)} characters)"


def word(value: str | bytes | None) -> str:
    """A type or kind as it is when it is one word; `other` for what may be private text."""
    if not value:
        return "none"
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return text if _WORD.match(text) else "other"
