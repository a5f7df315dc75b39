"""What went wrong with a dead letter: for showing, and without its particulars, to tell one error from another."""

import re
from typing import NamedTuple

from blueplane_doctor.privacy.error_phrases import MOST_CHARACTERS, phrase_of
from blueplane_doctor.privacy.public_text import error_class
from blueplane_doctor.text.characters import Public
from blueplane_doctor.text.patterns import pattern

NO_REASON = Public("no reason recorded")
MALFORMED = Public("malformed payload that its writer cannot decode")
_NOT_DECODED = b"null"
"""The event in a letter of the Claude writer that could not decode the message; such a letter names no error."""
SET_ASIDE_FIELD = b"blueplane_doctor_set_aside"
"""What a dead letter bears that `repair` put there: the plan that saved its message."""
SET_ASIDE = Public("set aside by repair")
_PARTICULARS = (
    pattern(r"'[^']*'|\"[^\"]*\"|`[^`]*`"),
    pattern(r"(?:[A-Za-z]:)?(?:[/\\][^\s/\\:,;'\"]+)+[/\\]?|~[/\\]\S*"),
    pattern(r"\b[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{4,})*\b|\d+"),
)
"""Quoted text, paths, numbers. Each takes time in proportion to the text, whatever it holds."""
_RUN = pattern(r"\S+")
_SCHEME_ENDS = pattern(r"\w://\S")


class LetterError(NamedTuple):
    """The error that a dead letter names."""

    shown: Public
    """Type of the error, and its text where that is a library's own phrase."""
    general: str
    """The same for the same error, whatever its particulars. Private, never to be shown."""


def letter_error(fields: dict[bytes, bytes]) -> LetterError:
    """By the fields of the dead letter."""
    if SET_ASIDE_FIELD in fields:
        return LetterError(SET_ASIDE, SET_ASIDE)
    if fields.get(b"event") == _NOT_DECODED and b"error_type" not in fields:
        return LetterError(MALFORMED, MALFORMED)
    kind = error_class(fields.get(b"error_type"))
    text = fields.get(b"error_message", b"")[:MOST_CHARACTERS].decode("utf-8", "replace")
    shown = Public(": ".join(filter(None, (kind, _public_part(text)))))
    quoted, *others = _PARTICULARS
    text = quoted.sub("#", text)
    # By a pattern that looks for `@` anywhere in a run of characters, each character would be looked at from each.
    text = _RUN.sub(_without_address, text)
    for particular in others:
        text = particular.sub("#", text)
    return LetterError(shown or NO_REASON, f"{kind}|{text}")


def _without_address(run: re.Match[str]) -> str:
    """Characters without a space between them, with `#` in the place of an address: NAME@HOST, or SCHEME://REST."""
    text = run[0]
    if "@" in text[1:-1]:
        return "#"
    end = _SCHEME_ENDS.search(text)
    if end is None:
        return text
    begin = end.start()
    while begin and (text[begin - 1] == "_" or text[begin - 1].isalnum()):
        begin -= 1
    return text[:begin] + "#"


def _public_part(text: str) -> Public:
    if not text:
        return Public("")
    return phrase_of(text) or Public("(text is private)")
