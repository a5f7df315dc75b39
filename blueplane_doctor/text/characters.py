"""Characters of text from outside made harmless: none controls a terminal, or is a command of a CI runner.

That is its form alone. Whether the text may be shown at all is another question; see public_text.py.
"""

import re
import unicodedata
from typing import Any, NewType, TextIO

from blueplane_doctor.text.patterns import pattern

Public = NewType("Public", str)
"""Text that may be shown to anybody: a constant, or what public_text.py made, or numbers and other public text."""
NOTHING = Public("")
_LONGEST_BEGINNING = 100
"""Characters of a line's beginning: more blanks are before no command."""
_COMMAND = pattern(r"^([^\S\n]*)::", re.MULTILINE)
_AZURE_COMMAND = pattern(r"##(?=\[|vso\[)")
_UNSEEN = (
    "[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f]"
    r"|\r(?!\n)"
)
"""Control and format characters, but for whole line ends, tabs and the escape character of the doctor's own colours."""


def plain(text: str | bytes, limit: int = 120) -> str:
    """One line without control, format or surrogate characters; longer text ends in `…`. It is not public by that."""
    shown = _decoded(text[: limit * 4 + 4])[: limit + 1]
    cleaned = "".join(map(_visible, shown))
    if len(cleaned) > limit:
        return cleaned[: limit - 1] + "…"
    return cleaned


def holds_controls(text: str) -> bool:
    """Whether a control character is in it, such as a line end."""
    return any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text)


def lines(text: str) -> str:
    """Text of several lines without what a terminal, or a CI runner that reads along, takes for a command."""
    shown = []
    for line in text.split("\n"):
        if not line.isprintable():
            line = _kept_tabs(line)
        shown.append(line)
    return without_commands("\n".join(shown))


def without_commands(text: str, instead_of_a_colon: str = " :", instead_of_a_hash: str = " #") -> str:
    """Text in which no line is a command of a CI runner; otherwise as it is.

    GitHub's runner obeys lines that begin with `::`, Azure's obeys `##` anywhere before a bracket. Of these pairs the
    second sign is replaced.
    """
    if "::" in text:
        text = _COMMAND.sub(rf"\1:{instead_of_a_colon}", text)
    if "##" in text:
        text = _AZURE_COMMAND.sub(f"#{instead_of_a_hash}", text)
    return text


def document(text: str, *, is_markup: bool = False) -> str:
    """A whole document as a terminal or a log may get it: colours stay, whatever else is not seen is written `\\u202e`.

    That is how JSON writes such characters; in markup there are references for the signs of commands.
    """
    # The pattern takes a while to compile, and what goes into a pipe seldom needs it.
    if not text.replace("\n", "").isprintable():
        text = re.sub(_UNSEEN, _escaped, text)
    if is_markup:
        return without_commands(text, "&#58;", "&#35;")
    return without_commands(text)


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))


def _kept_tabs(line: str) -> str:
    return "\t".join("".join(map(_visible, part)) for part in line.split("\t"))


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    # Control, format, surrogate, private use, unassigned; and the separators at which some readers end a line.
    if category.startswith("C") or category in ("Zl", "Zp"):
        return "\N{REPLACEMENT CHARACTER}"
    return character


def _decoded(text: str | bytes) -> str:
    if isinstance(text, bytes):
        return text.decode("utf-8", "replace")
    return text


class PlainStream:
    """A stream whose lines are made plain: what stderr is in a run, for a CI runner and a terminal obey what they read.

    Libraries write there too, and quote what was typed.
    """

    def __init__(self, unguarded: TextIO) -> None:
        self.unguarded = unguarded
        """For the doctor's own control of a terminal."""
        self._line = ""
        """How the line begins that has not ended yet."""

    def write(self, text: str) -> int:
        """Write; returns the number of characters that were given."""
        # A command may follow blanks, and come in two pieces.
        begun = self._line.strip()
        if begun == ":" and text.startswith(":"):
            self.unguarded.write(" ")
        if begun:
            first, newline, rest = text.partition("\n")
            self.unguarded.write(_kept_tabs(first) + newline + lines(rest))
        else:
            self.unguarded.write(lines(text))
        _, newline, last = text.rpartition("\n")
        if not newline:
            last = self._line + last
        self._line = last[:_LONGEST_BEGINNING]
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unguarded, name)
