"""What the doctor wants to know of the hook: how much waits in the spool, what was lost, when it last failed."""

import json
from dataclasses import dataclass
from pathlib import Path

from blueplane_hook.spool import COUNTS_FILE, SPOOL_FILE


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
    lines, size = _lines(home / SPOOL_FILE)
    counts = _counts(home / COUNTS_FILE)
    numbers = {name: value if isinstance(value := counts.get(name), int) else 0 for name in _COUNTED}
    last = counts.get("last_failure")
    return SpoolState(
        waiting=lines, waiting_bytes=size, **numbers, last_failure=last if isinstance(last, str) else None
    )


_COUNTED = ("spooled", "dropped", "refused", "unreadable")


def _lines(path: Path) -> tuple[int, int]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0, 0
    return content.count(b"\n"), len(content)


def _counts(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
