"""What the doctor wants to know of the hook: how much waits in the spool, what was lost, when it last failed."""

import json
import stat
from pathlib import Path
from typing import NamedTuple

from blueplane_hook.spool import COUNTS_FILE, ROOM, SPOOL_FILE

_LONGEST = 2 * ROOM
"""Bytes that are read of a file, whatever others put in its place."""


class SpoolState(NamedTuple):
    """The spool and the counters beside it, which count since the home was made; see SpoolHealth."""

    waiting: int
    waiting_bytes: int
    spooled: int
    dropped: int
    refused: int
    unreadable: int
    last_failure: str | None


def spool_state(home: Path) -> SpoolState:
    """The state of that home's spool. Raises OSError when a file is there and cannot be read."""
    lines = _content(home / SPOOL_FILE)
    try:
        counts = json.loads(_content(home / COUNTS_FILE))
    except (ValueError, RecursionError):
        counts = None
    counts = counts if isinstance(counts, dict) else {}
    counted = ("spooled", "dropped", "refused", "unreadable")
    last = counts.get("last_failure")
    return SpoolState(
        waiting=lines.count(b"\n"),
        waiting_bytes=len(lines),
        **{name: _number(counts.get(name)) for name in counted},
        last_failure=last if isinstance(last, str) else None,
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _content(path: Path) -> bytes:
    """None where there is no file, or something else in its place."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return b""
        with path.open("rb") as file:
            return file.read(_LONGEST)
    except FileNotFoundError:
        return b""
