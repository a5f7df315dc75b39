"""The journal of one repair: what was done with each item of its plan."""

import json
import os
from typing import NamedTuple

from blueplane_doctor.repair.private_files import json_line

REFUSED = "refused"
UNDONE = "undone"
"""What a journal says of an item with which something is still to be done, if the plan is applied again."""


class JournalEntry(NamedTuple):
    """What was done with one item of a plan."""

    number: int
    """The item's place in the plan, from 0."""
    done: str
    """`delivered`, `set aside`, `acknowledged`, `refused`, `undone`, …"""
    copy_id: str = ""
    """The ID of its copy."""
    reason: str = ""


class Journal:
    """The journal of one repair, open for adding.

    A line that was written survives the end of this process. It is synced once at the end and not line by line: what a
    power cut takes away is found again by the marks of the copies in the stream.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def add(self, *entries: JournalEntry) -> None:
        """Write down what was done with these items."""
        os.write(self._handle, b"".join(json_line(list(entry)) for entry in entries))


def entries_in(content: bytes) -> list[JournalEntry]:
    """The entries of a journal. A line that was cut off by a power cut is passed over: its item is looked up anew."""
    entries = []
    for line in content.splitlines():
        if not line.startswith(b"["):
            continue  # a file of others may have millions of lines, and each error takes its time
        entry = _entry(line)
        if entry is not None:
            entries.append(entry)
    return entries


def _entry(line: bytes) -> JournalEntry | None:
    """None for a line that was cut off, or that holds something else."""
    try:
        entry = JournalEntry(*json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (entry.done, entry.copy_id, entry.reason)
    if isinstance(entry.number, int) and all(isinstance(text, str) for text in texts):
        return entry
    return None
