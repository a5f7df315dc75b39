"""The tail of the server's log: how many errors, when; never what they say."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.pipeline import MONITOR_LOGGERS, WRITE_FAILURE_LOGGERS

TAIL_BYTES = 1_000_000
"""Read from the end: some 8,000 lines."""
WINDOW = timedelta(minutes=5)
LINE = re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:,\d+)? - (\S+) - ([A-Z]+) - ")
ERRORS = (b"ERROR", b"CRITICAL")


class LogTail(NamedTuple):
    """Counts over the last minutes of the log; None where there is no log to read."""

    lines: int | None = None
    errors_in_window: int | None = None
    monitor_errors: int | None = None
    last_error: datetime | None = None
    last_write_failure: datetime | None = None

    @property
    def errors_per_minute(self) -> float | None:
        """Mean over the window of five minutes."""
        if self.errors_in_window is None:
            return None
        return round(self.errors_in_window / (WINDOW.total_seconds() / 60), 2)


def read_log(path: Path, now: datetime) -> LogTail:
    """Lines are in local time, as the server writes them. A missing or unreadable log gives an empty LogTail."""
    try:
        tail = read_tail(path)
    except OSError:
        return LogTail()
    lines = errors = monitors = 0
    last_error = last_failure = None
    for line in tail.splitlines():
        found = LINE.match(line)
        if not found:
            continue
        lines += 1
        if found[3] not in ERRORS:
            continue
        logger = found[2].decode("utf-8", "replace")
        try:
            moment = datetime.fromisoformat(found[1].decode()).astimezone(UTC)
        except (ValueError, OverflowError):  # looks like a time, and is none
            continue
        last_error = moment
        if logger.endswith(WRITE_FAILURE_LOGGERS):
            last_failure = moment
        if now - WINDOW <= moment <= now + WINDOW:
            errors += 1
            monitors += logger.endswith(MONITOR_LOGGERS)
    return LogTail(lines, errors, monitors, last_error, last_failure)


def read_tail(path: Path) -> bytes:
    """The newest bytes of the log, from the rotated file too where it is needed. Raises OSError without a log."""
    tail = _tail(path, TAIL_BYTES)
    if len(tail) < TAIL_BYTES:  # perhaps rotated a moment ago
        with suppress(OSError):
            tail = _tail(path.with_name(path.name + ".1"), TAIL_BYTES - len(tail)) + tail
    return tail


def _tail(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - limit))
        return file.read(limit)
