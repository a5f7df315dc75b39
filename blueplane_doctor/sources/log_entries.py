"""The newest entries of the server's log, each once, with the last line of its traceback."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.files.reading import read_tail
from blueplane_doctor.pipeline import ORDINARY_ERROR_LINES, START_LINE, STOP_LINE
from blueplane_doctor.text.patterns import pattern

TAIL_BYTES = 1_000_000
"""Read from the log's end: some 8,000 lines."""
LINE = pattern(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:,\d+)? - (\S+) - ([A-Z]+) - ")
ERRORS = (b"ERROR", b"CRITICAL")
_LOGIN_REFUSALS = (
    b"HELLO must be called with the client already authenticated",
    b"Authentication required",
    b"invalid username-password pair",
)
"""What a warning holds that is an error: to redis-py a refused login is a lost connection, which is only warned of."""
_END_OF_TRACEBACK = pattern(rb"[A-Za-z_][\w.]*(?:Error|Exception|Timeout)\b: ")
_ORDINARY = [(logger.encode(), text.encode()) for logger, text in ORDINARY_ERROR_LINES]
_START_LOGGER = START_LINE[0].encode()
_START_TEXT = START_LINE[1].encode()
_STOP_LOGGER = STOP_LINE[0].encode()
_STOP_TEXT = STOP_LINE[1].encode()
_PAIRS = 3
"""Errors that stand there exactly twice: so many are no chance."""


class LogEntry(NamedTuple):
    """One entry of the log, with the last line of its traceback."""

    time: bytes
    logger: bytes
    level: bytes
    text: bytes
    error: bytes

    @property
    def is_error(self) -> bool:
        """Whether the server complains."""
        if self.level == b"WARNING":
            return any(words in self.text for words in _LOGIN_REFUSALS)
        return self.level in ERRORS

    @property
    def is_ordinary(self) -> bool:
        """Whether every normal start or stop writes it."""
        return any(self.logger.endswith(logger) and text in self.text for logger, text in _ORDINARY)


def newest_bytes(path: Path) -> bytes:
    """The log's newest bytes, from the rotated file too where needed. Raises FileUnreadable without a log."""
    newest = read_tail(path, TAIL_BYTES)
    if len(newest) < TAIL_BYTES:  # perhaps rotated a moment ago
        with suppress(FileUnreadable):
            newest = read_tail(path.with_name(path.name + ".1"), TAIL_BYTES - len(newest)) + newest
    return newest


def entries_of(tail: bytes) -> Iterator[LogEntry]:
    """The entries in these bytes; what stands before the first is the rest of one that was cut."""
    entry: LogEntry | None = None
    for line in tail.splitlines():
        match = LINE.match(line)
        if match:
            if entry:
                yield entry
            entry = LogEntry(match[1], match[2], match[3], line[match.end() :], b"")
        elif entry and _END_OF_TRACEBACK.match(line):
            entry = entry._replace(error=line)
    if entry:
        yield entry


def are_doubled(entries: list[LogEntry]) -> bool:
    """Whether each line stands there twice: in daemon mode the log's file is also where stdout goes.

    Then every run of equal lines has an even length. A storm of equal lines may have one by chance; so pairs count,
    and lines that are no errors have the say where there are few pairs.
    """
    runs = []
    for entry, alike in groupby(entries):
        runs.append((entry, sum(1 for _ in alike)))
    runs = runs[1:]  # the first may be cut by the beginning of what was read
    if runs and len(entries) % 2:
        runs = runs[:-1]  # the second copy of the last line may not be written yet
    pairs = 0
    others = 0
    others_are_even = True
    for entry, length in runs:
        if not entry.is_error:
            others += 1
            others_are_even = others_are_even and length % 2 == 0
        elif length % 2:
            return False
        elif length == 2:
            pairs += 1
    return pairs >= _PAIRS or (others > 0 and others_are_even)


def each_once(entries: Iterable[LogEntry]) -> Iterator[LogEntry]:
    """Every second of equal lines."""
    for _, same in groupby(entries):
        yield from list(same)[::2]


def last_start(entries: Sequence[LogEntry]) -> int:
    """The number of the entry with which the server last started; 0 where none of them is a start."""
    # From the end: only the last start counts.
    for number in range(len(entries) - 1, 0, -1):
        entry = entries[number]
        if entry.logger.endswith(_START_LOGGER) and entry.text.startswith(_START_TEXT):
            return number
    return 0


def last_stop(entries: Sequence[LogEntry]) -> LogEntry | None:
    """The entry with which the server, as last started, said that it stops; None where it did not."""
    for entry in reversed(entries[last_start(entries) :]):
        if entry.logger.endswith(_STOP_LOGGER) and entry.text.startswith(_STOP_TEXT):
            return entry
    return None
