"""Text that no service and no mail program takes for anything but text: no mention, no link, no markup.

Messages hold public text alone (public_text.py); but checks of one's own may write anything. What may pass is listed
here, for what each service obeys changes from year to year.
"""

import re

from blueplane_doctor.privacy.known_names import FILES
from blueplane_doctor.text.characters import plain

_LONGEST = 300
"""Characters of a sentence: a lock screen shows about half of it."""
_INSTEAD = str.maketrans({"<": "‹", ">": "›", "`": "'", "[": "(", "]": ")", "{": "(", "}": ")", "&": "+", '"': "'"})
_ALLOWED = ".,:;'()%+-/=?!…‹›$~_ "
_EDGE_UNDERSCORE = re.compile(r"(?<!\w)_+|_+(?!\w)")
"""Underscores that begin or end a word set it in italics in many services; those inside a word do not."""
_STRUCK_OUT = re.compile(r"~{2,}")
_DOTTED = re.compile(r"[\w-]+(?:\.[\w-]+)+")
"""A name with dots, which many services make a link of where its end looks like that of a domain."""


def inert(text: str) -> str:
    """One line in which only letters, digits and a few signs are left."""
    kept = []
    for character in plain(text, _LONGEST).translate(_INSTEAD):
        is_harmless = character.isalnum() or character in _ALLOWED
        kept.append(character if is_harmless else "·")
    shown = "".join(kept).replace("://", ": //")
    shown = _STRUCK_OUT.sub("~", shown)
    shown = _EDGE_UNDERSCORE.sub("·", shown)
    return _DOTTED.sub(_unlinked, shown)


def _unlinked(match: re.Match[str]) -> str:
    name = match[0]
    has_letter_end = name.rpartition(".")[2][:1].isalpha()
    if name in FILES or not has_letter_end:
        return name
    return name.replace(".", "·")
