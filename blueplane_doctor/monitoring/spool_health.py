"""The hook's spool: what `blueplane-hook` could not deliver, and what it lost."""

import os
from pathlib import Path
from typing import Any

from blueplane_doctor.errors import DocumentError, FileMissing, FileUnreadable
from blueplane_doctor.files.documents import json_value
from blueplane_doctor.files.reading import SMALL_BYTES, read_head
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.records.base import Record
from blueplane_doctor.text.times import iso, parse_time
from blueplane_hook.kept import kept_sizes
from blueplane_hook.spool import COUNTS_FILE, ROOM, SPOOL_FILE, own_files

_LONGEST = 2 * ROOM
"""Bytes that are read of the spool, whatever others put in its place."""


class SpoolHealth(Record):
    """Spool and counters of `blueplane-hook` in Blueplane's home. The counters count since their file was made."""

    waiting_events: int | None = None
    """Events of the spool, and of calls that did not get its lock; the next calls that reach the server deliver them.
    Null when it cannot be read."""
    waiting_bytes: int | None = None
    """Size of the spool; null when it cannot be read."""
    room_bytes: int = ROOM
    """What the spool may hold; an event that does not fit is dropped."""
    spooled: int | None = None
    """Events that ever had to be kept."""
    dropped: int | None = None
    """Events lost because the spool or the disk was full."""
    refused: int | None = None
    """Events lost because the server refused them for ever (HTTP 400 or 413)."""
    unreadable: int | None = None
    """Calls without any input: there was no event to keep."""
    not_understood: int | None = None
    """Inputs that were no event the hook understands; they lie whole in files of their own."""
    not_understood_bytes: int | None = None
    """Size of these files."""
    last_failure_timestamp: str | None = None
    """When a call last failed to deliver; null when none did."""
    cause: str = ""
    """Why the spool could not be read."""

    @property
    def lost(self) -> int | None:
        """Events that no later call can deliver."""
        if self.dropped is None or self.refused is None or self.not_understood is None:
            return None
        return self.dropped + self.refused + self.not_understood


class SpoolHealthMonitor(Monitor):
    """Counts the events in hook-spool.jsonl, and reads the counters in hook-failures.json."""

    name = "spool"
    record = SpoolHealth

    def collect(self) -> SpoolHealth:
        """Always a record: a home without a spool has nothing waiting."""
        try:
            return spool_health(self.examination.settings.home)
        except FileUnreadable as error:
            return SpoolHealth(cause=f"the hook's spool cannot be read: {error.reason}")


def spool_health(home: Path) -> SpoolHealth:
    """What the spool of a home holds. Raises FileUnreadable for one that is there and cannot be read."""
    lines = _content(home / SPOOL_FILE, _LONGEST)
    counts = _counters(home / COUNTS_FILE)
    apart = []
    for name in own_files(str(home)):
        apart.append(_content(home / name, _LONGEST))
    kept_apart = [content for content in apart if content.startswith(b"{")]
    counters = []
    for content in apart:
        if not content.startswith(b"{"):
            counters.append(content)
    words = b"\n".join(counters).decode("ascii", "replace").split()
    kept_whole = kept_sizes(str(home))
    last_failure = counts.get("last_failure")
    failed_at = None
    if isinstance(last_failure, str):
        failed_at = iso(parse_time(last_failure))
    return SpoolHealth(
        waiting_events=lines.count(b"\n") + len(kept_apart),
        waiting_bytes=len(lines) + sum(map(len, kept_apart)),
        last_failure_timestamp=failed_at,
        spooled=_count(counts.get("spooled")) + len(kept_apart),
        dropped=_count(counts.get("dropped")) + words.count("dropped"),
        refused=_count(counts.get("refused")) + words.count("refused"),
        unreadable=_count(counts.get("unreadable")) + words.count("unreadable"),
        not_understood=len(kept_whole),
        not_understood_bytes=sum(kept_whole),
    )


def _counters(file: Path) -> dict[str, Any]:
    """What the file of counters holds; empty when there is none, or it holds something else."""
    try:
        counts = json_value(_content(file, SMALL_BYTES))
    except DocumentError:
        return {}
    if not isinstance(counts, dict):
        return {}
    return counts


def _count(value: object) -> int:
    if isinstance(value, int) and value > 0:
        return value
    return 0


def _content(path: Path, limit: int) -> bytes:
    """Its beginning; empty where there is no file. Raises FileUnreadable."""
    try:
        return read_head(path, limit)
    except FileMissing:
        if os.path.exists(path.parent) and not os.path.isdir(path.parent):
            raise
        return b""


MONITOR = SpoolHealthMonitor
