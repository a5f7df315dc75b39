"""What the doctor wants to know of the hook: how much waits in the spool, what was lost, when it last failed."""

import json
import stat
from dataclasses import dataclass
from pathlib import Path

from blueplane_hook.spool import COUNTS_FILE, ROOM, SPOOL_FILE

_LONGEST = 2 * ROOM
"""Bytes that are read of a file, whatever others put in its place."""


@dataclass(frozen=True)
class SpoolState:
    """The spool and the counters beside it. Counters count since the home was made."""

    waiting: int
    """Events in the spool."""
    waiting_bytes: int
    spooled: int
    """Events that ever had to be kept, because the server did not take them."""
    dropped: int
    """Events lost because the spool or the disk was full."""
    refused: int
    """Events that the server refused for ever (400, 413)."""
    unreadable: int
    """Calls whose input was no JSON object."""
    last_failure: str | None
    """ISO 8601, UTC."""


def spool_state(home: Path) -> SpoolState:
    """The state of that home's spool. Raises OSError when a file is there and cannot be read."""
    lines = _content(home / SPOOL_FILE)
    counts = _counts(home / COUNTS_FILE)
    last = counts.get("last_failure")
    return SpoolState(
        waiting=lines.count(b"\n"),
        waiting_bytes=len(lines),
        **{name: _number(counts.get(name)) for name in _COUNTED},
        last_failure=last if isinstance(last, str) else None,
    )


_COUNTED = ("spooled", "dropped", "refused", "unreadable")


def _counts(path: Path) -> dict[str, object]:
    try:
        content = json.loads(_content(path))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _content(path: Path) -> bytes:
    """The file's bytes, as many as a spool can have; none where there is no file, or something else in its place."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return b""
        with path.open("rb") as file:
            return file.read(_LONGEST)
    except FileNotFoundError:
        return b""


def _number(value: object) -> int:
    """A counter's value; 0 for what no counter can hold."""
    return value if isinstance(value, int) and value > 0 else 0
