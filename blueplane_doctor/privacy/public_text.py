"""Public text: what anybody may read, in a report, a log or on a terminal.

Text is let in, never taken out. Whatever comes from outside (a stream's field, a key, a name, an error's text) is a
plain `str` or `bytes` and private, until a function here recognises it: a name that known_names.py lists, or an ID of a
known form. All else is replaced by words about it, or by a fingerprint where one has to be told from another.

Health records hold no other text than `Public`, so that whatever a check writes about them is public too
(tests/privacy/test_records.py).
"""

import re
from collections.abc import Collection
from pathlib import Path

from blueplane_doctor.pipeline import CONSUMER_STEMS
from blueplane_doctor.privacy.known_names import (
    ERROR_CLASSES,
    ERROR_MODULES,
    EVENT_TYPES,
    FILES,
    FOLDERS,
    GROUPS,
    PLATFORMS,
    STREAMS,
)
from blueplane_doctor.privacy.machine_key import fingerprint
from blueplane_doctor.text.characters import Public
from blueplane_doctor.text.patterns import pattern

NONE = Public("none")
OTHER = Public("other")
"""What stands for each name that is not known."""
_STREAM_ID = r"\d{1,20}-\d{1,20}"
_UUID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_CURSOR_SESSION = r"curs_\d{1,17}_[0-9a-f]{8}"
_KNOWN_ID = pattern(rf"(?:{_STREAM_ID}|{_UUID}|{_CURSOR_SESSION})\Z", re.ASCII)

_OWN_CODE = pattern(r"(?:check|cause|monitor)_[A-Za-z0-9_]{1,60}\.py\Z")


def _decoded(text: str | bytes) -> str:
    if isinstance(text, bytes):
        return text.decode("utf-8", "replace")
    return text


def identifier(value: str | bytes) -> Public:
    """A UUID, a stream ID or a session's ID as it is; any other by its fingerprint."""
    text = _decoded(value)
    if _KNOWN_ID.match(text):
        return Public(text)
    return hidden(value)


def hidden(value: str | bytes) -> Public:
    """What stands for private text that has to be told from others: `<hidden-5f0c6a52>`.

    In a command it stops the shell, as every placeholder does; see locations.py.
    """
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
    return Public(f"<hidden-{fingerprint(value)}>")


def known(value: str | bytes | None, names: Collection[str]) -> Public:
    """One of these names as it is; `none` for nothing, `other` for anything else."""
    if not value:
        return NONE
    text = _decoded(value)
    if text in names:
        return Public(text)
    return OTHER


def event_type(value: str | bytes | None) -> Public:
    """A type of event or of hook."""
    return known(value, EVENT_TYPES)


def platform(value: str | bytes | None) -> Public:
    """`cursor` or `claude_code`."""
    return known(value, PLATFORMS)


def stream(name: str | bytes) -> Public:
    """A stream of the pipeline; any other by its fingerprint."""
    return known_or_hidden(name, STREAMS)


def group(name: str | bytes) -> Public:
    """A consumer group of the pipeline; any other by its fingerprint."""
    if not name:
        return NONE
    return known_or_hidden(name, GROUPS)


def known_or_hidden(name: str | bytes, names: Collection[str]) -> Public:
    """One of these names as it is; any other by its fingerprint."""
    text = _decoded(name)
    if text in names:
        return Public(text)
    return hidden(name)


def consumer(name: str | bytes) -> Public:
    """A consumer's name as the pipeline gives it; any other by its fingerprint, for it may name a person or a host."""
    text = _decoded(name)
    stem, _, process = text.rpartition("-")
    is_process = process.isascii() and process.isdigit() and len(process) < 12
    if text in CONSUMER_STEMS or (stem in CONSUMER_STEMS and is_process):
        return Public(text)
    return hidden(name)


def place(path: Path) -> Public:
    """A path as it may be shown: in full where the pipeline chose it, else a known file's name, else its fingerprint.

    A file of checks or monitors has its name from its author, who knows that reports show it.
    """
    try:
        relative = path.relative_to(Path.home())
    except (ValueError, RuntimeError):
        relative = Path(path.name)
    name = path.name
    if name not in FILES and not _OWN_CODE.match(name):
        return hidden(str(path))
    folders = relative.parts[:-1]
    if relative.parts[0] in FOLDERS and (not folders or folders in ((".blueplane",), (".cursor",))):
        return Public(f"~/{relative.as_posix()}")
    return Public(name)


def error_class(value: str | bytes | None) -> Public:
    """The name of an error's class, with its module, where both are known; else `another error`."""
    if not value:
        return Public("")
    *modules, name = _decoded(value[:120]).split(".")
    if name in ERROR_CLASSES and ERROR_MODULES.issuperset(modules):
        return Public(".".join([*modules, name]))
    return Public("another error")
