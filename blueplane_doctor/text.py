"""Text from outside made harmless: no control characters, bounded, and never private."""

import re
import unicodedata

from blueplane_doctor.pipeline import CONSUMER_STEMS

_CREDENTIAL = r"(?!sk-|xox[a-z]-|gh[a-z]_|github_pat_|glpat-|npm_|pypi-|hf_|AKIA|AIza|eyJ)"
"""What the tokens of well-known services begin with."""
_IDENTIFIER = re.compile(_CREDENTIAL + r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,127}\Z")
_WORD = re.compile(_CREDENTIAL + r"[A-Za-z][A-Za-z0-9_.-]{0,63}\Z")


def plain(text: str | bytes, limit: int = 120) -> str:
    """One line without control, format or surrogate characters; longer text ends in `…`."""
    shown = _decoded(text[: limit * 4 + 4])[: limit + 1]
    cleaned = "".join(map(_visible, shown))
    if len(cleaned) > limit:
        return cleaned[: limit - 1] + "…"
    return cleaned


def _visible(character: str) -> str:
    if unicodedata.category(character).startswith("C"):  # control, format, surrogate, private use, unassigned
        return "\N{REPLACEMENT CHARACTER}"
    return character


def _decoded(text: str | bytes) -> str:
    if isinstance(text, bytes):
        return text.decode("utf-8", "replace")
    return text


def identifier(value: str | bytes) -> str:
    """An ID as it is when it looks like one; anything else is only described, for it may be private text."""
    text = _decoded(value)
    return text if _IDENTIFIER.match(text) else f"(not an ID, {len(value)} characters)"


def word(value: str | bytes | None) -> str:
    """A type or kind as it is when it is one word; `other` for what may be private text."""
    if not value:
        return "none"
    text = _decoded(value)
    return text if _WORD.match(text) else "other"


def consumer(name: str | bytes) -> str:
    """A consumer's name as the pipeline gives it; any other is only described, for it may name a person or a host."""
    text = _decoded(name)
    stem, _, process = text.rpartition("-")
    own = text in CONSUMER_STEMS or (stem in CONSUMER_STEMS and process.isascii() and process.isdigit())
    return text if own else f"(a name of its own, {len(name)} characters)"
