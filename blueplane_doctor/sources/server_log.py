"""The tail of the server's log: how many errors, of which kind, since when; never their text.

Reading a whole log takes too long while a server writes 2,900 lines a second. So what is read may begin later than the
window that is asked about, and then a count is a lower bound.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.errors import FileMissing, FileUnreadable
from blueplane_doctor.file_reading import file_state, read_tail
from blueplane_doctor.pipeline import (
    DATABASE_LINE,
    MONITOR_LOGGERS,
    ORDINARY_ERROR_LINES,
    REDIS_LINE,
    START_LINE,
    WRITE_FAILURE_LOGGERS,
)

TAIL_BYTES = 1_000_000
"""Read from the log's end: some 8,000 lines."""
WINDOW = timedelta(minutes=5)
SHORTEST_SPAN = timedelta(minutes=1)
"""A log that began a second ago is no base for a rate a minute."""
FEWEST_FOR_A_RATE = 100
"""Of fewer errors within seconds nobody knows whether they go on like this."""
WIDEST_ZONES = timedelta(hours=26)
"""Between the clocks of UTC+14 and UTC-12."""
_ZONE_STEP = timedelta(minutes=15)
_ZONE_TOLERANCE = timedelta(seconds=3)
MOST_ORDINARY_ERRORS = 20
"""Errors of a normal start or stop in the window that are not counted: each writes up to five."""
LINE = re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:,\d+)? - (\S+) - ([A-Z]+) - ")
ERRORS = (b"ERROR", b"CRITICAL")
LOGIN_REFUSALS = (
    b"HELLO must be called with the client already authenticated",
    b"Authentication required",
    b"invalid username-password pair",
)
"""What a warning holds that is an error: to redis-py a refused login is a lost connection, which is only warned of."""
OTHER = "another error"
REFUSED_LOGIN = "Redis refuses the login"
NO_PERMISSION = "Redis permission is missing (NOPERM)"
# redis-py takes the code from most of Redis' errors, so that OOM or NOPERM stands in no line of the log.
KINDS: tuple[tuple[str, bytes], ...] = (
    ("database is locked", rb"database (?:table |schema )?is locked"),
    ("UNIQUE constraint failed", rb"UNIQUE constraint failed"),
    ("another constraint failed", rb"constraint failed"),
    ("database is read-only", rb"readonly database"),
    ("disk is full", rb"disk is full|No space left on device|Disk quota exceeded"),
    ("file system is read-only", rb"Read-only file system"),
    ("database is damaged", rb"disk image is malformed|file is not a database"),
    ("no such table or column", rb"no such (?:table|column)"),
    ("unable to open the database", rb"unable to open database"),
    ("disk I/O error", rb"disk I/O error|Input/output error"),
    ("value that SQLite refuses", rb"too large to convert to SQLite|surrogates not allowed|Error binding parameter"),
    ("NOGROUP", rb"\bNOGROUP\b"),
    ("stream key is gone", rb"stream key no longer exists"),
    ("Redis memory is full (OOM)", rb"command not allowed when used memory"),
    ("Redis is a read-only replica (READONLY)", rb"You can't write against a read only"),
    ("Redis cannot save (MISCONF)", rb"\bMISCONF\b"),
    ("Redis has too few replicas (NOREPLICAS)", rb"\bNOREPLICAS\b"),
    ("Redis is loading", rb"\bLOADING\b|is loading the dataset"),
    ("Redis is busy with a script", rb"\bBUSY Redis"),
    ("Redis replica without its master (MASTERDOWN)", rb"\bMASTERDOWN\b|Link with MASTER is down"),
    (REFUSED_LOGIN, rb"\b(?:NOAUTH|WRONGPASS)\b|[Aa]uthentication required|invalid (?:username-)?password|HELLO must"),
    (NO_PERMISSION, rb"\bNOPERM\b|has no permissions to|No permissions to access"),
    ("Redis key of another type (WRONGTYPE)", rb"\bWRONGTYPE\b"),
    ("Redis Cluster names another node", rb"\b(?:MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b|cluster is down|same slot"),
    ("connection refused", rb"[Cc]onnection refused"),
    ("connection lost", rb"Connection (?:reset|closed|lost|aborted)|Broken pipe|Error while reading from"),
    ("timeout", rb"[Tt]imed out|Timeout"),
    ("host is not found", rb"Name or service not known|nodename nor servname|name resolution"),
    ("address already in use", rb"[Aa]ddress already in use"),
    ("permission denied", rb"[Pp]ermission denied|Operation not permitted"),
    ("too many open files", rb"Too many open files"),
    ("out of memory", rb"MemoryError|Cannot allocate memory"),
    ("invalid JSON", rb"JSONDecodeError|Expecting value|Extra data:"),
)
"""What an error is called, and what a line of that kind holds. The first that fits counts; all else is OTHER."""

_END_OF_TRACEBACK = re.compile(rb"[A-Za-z_][\w.]*(?:Error|Exception|Timeout)\b: ")
_ORDINARY = [(logger.encode(), text.encode()) for logger, text in ORDINARY_ERROR_LINES]
_REDIS = re.compile(REDIS_LINE.encode())
_DATABASE = re.compile(DATABASE_LINE.encode())


class ErrorKind(NamedTuple):
    """The errors of one kind in the part of the log that was read."""

    kind: str
    """One of KINDS, or OTHER."""
    times: int
    """Errors of it."""
    lately: int
    """Of these, those in the window."""
    first: datetime
    last: datetime


class LogTail(NamedTuple):
    """Counts of what was read; None where there is no log to read."""

    lines: int | None = None
    errors_in_window: int | None = None
    monitor_errors: int | None = None
    last_error: datetime | None = None
    last_write_failure: datetime | None = None
    window_seconds: float = WINDOW.total_seconds()
    """The time before now that `errors_in_window` counts."""
    is_cut: bool = False
    """Whether that is less than was asked for, because more was logged in it than is read."""
    is_doubled: bool = False
    """Whether each line stands there twice, as a server in daemon mode writes it; it is counted once."""
    kinds: tuple[ErrorKind, ...] = ()
    """Most frequent first."""
    redis: tuple[str, int] | None = None
    """Host and port of the Redis that the server last said it is connected to."""
    database: str | None = None
    """The file that the server last said it opened; a private path."""
    cause: str = ""
    """Why a log that is there was not read."""

    @property
    def errors_per_minute(self) -> float | None:
        """Mean of the window; a lower bound where it is cut."""
        errors = self.errors_in_window
        if errors is None:
            return None
        seconds = self.window_seconds
        if errors < FEWEST_FOR_A_RATE:
            # Two errors behind a line of many megabytes are no storm, though less than a second was read.
            seconds = max(seconds, SHORTEST_SPAN.total_seconds())
        return round(errors / (seconds / 60), 2)


class _Entry(NamedTuple):
    """One entry of the log, with the last line of its traceback."""

    time: bytes
    logger: bytes
    level: bytes
    text: bytes
    error: bytes

    @property
    def is_error(self) -> bool:
        if self.level == b"WARNING":
            return any(words in self.text for words in LOGIN_REFUSALS)
        return self.level in ERRORS

    @property
    def is_ordinary(self) -> bool:
        """Whether every normal start or stop writes it."""
        return any(self.logger.endswith(logger) and text in self.text for logger, text in _ORDINARY)


def read_log(path: Path, now: datetime) -> LogTail:
    """Lines are in local time, as the server writes them. A log that cannot be read gives an empty LogTail."""
    try:
        tail = newest_bytes(path)
    except FileMissing:
        return LogTail()
    except FileUnreadable as error:
        return LogTail(cause=error.reason)
    entries = list(_entries(tail))
    if tail and not entries:
        return LogTail(cause="no line of it is one of the server's log")
    redis, database = _said_at_start(entries)
    is_doubled = _is_doubled(entries)
    lines = len(entries)
    if is_doubled:
        entries = list(_once(entries))
    counter = _Counter(now)
    moments = _Moments(_zone_shift(entries, path))
    start = _last_start(entries)
    for number, entry in enumerate(entries):
        if entry.is_error:
            # What the server logged before it was started again is no complaint of the one that runs.
            counter.count(entry, moments.of(entry.time), is_of_this_run=number >= start)
    is_whole = len(tail) < TAIL_BYTES or start > 0
    window, is_cut = _window(entries[start:], now, moments, is_whole=is_whole)
    return LogTail(
        lines=lines,
        errors_in_window=counter.errors + max(0, counter.ordinary - MOST_ORDINARY_ERRORS),
        monitor_errors=counter.monitors,
        last_error=counter.last_error,
        last_write_failure=counter.last_failure,
        window_seconds=window.total_seconds(),
        is_cut=is_cut,
        is_doubled=is_doubled,
        kinds=counter.kinds(),
        redis=redis,
        database=database,
    )


def newest_bytes(path: Path) -> bytes:
    """The log's newest bytes, from the rotated file too where needed. Raises FileUnreadable without a log."""
    newest = read_tail(path, TAIL_BYTES)
    if len(newest) < TAIL_BYTES:  # perhaps rotated a moment ago
        with suppress(FileUnreadable):
            newest = read_tail(path.with_name(path.name + ".1"), TAIL_BYTES - len(newest)) + newest
    return newest


def kind_of(text: bytes) -> str:
    """What kind of error a line tells of."""
    for kind, pattern in KINDS:
        # Compiled by the first error that is looked at, and kept by `re`: most logs hold none.
        if re.search(pattern, text):
            return kind
    return OTHER


class _Counter:
    """Counts errors as they come."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._kinds: dict[str, ErrorKind] = {}
        self._known: dict[bytes, str] = {}
        self.errors = 0
        """In the window."""
        self.monitors = 0
        """Of these, those of the database monitors."""
        self.ordinary = 0
        """In the window, of a normal start or stop."""
        self.last_error: datetime | None = None
        self.last_failure: datetime | None = None

    def count(self, entry: _Entry, moment: datetime | None, *, is_of_this_run: bool) -> None:
        """Count an error; one whose time is none is left out."""
        if moment is None:
            return
        is_lately = is_of_this_run and self._now - WINDOW <= moment <= self._now + WINDOW
        if entry.is_ordinary:
            self.ordinary += is_lately
            return
        logger = entry.logger.decode("utf-8", "replace")
        self.last_error = moment
        if logger.endswith(WRITE_FAILURE_LOGGERS):
            self.last_failure = moment
        if is_lately:
            self.errors += 1
            self.monitors += logger.endswith(MONITOR_LOGGERS)
        self._count_kind(self._kind(entry), moment, is_lately)

    def kinds(self) -> tuple[ErrorKind, ...]:
        """The kinds that were met, most frequent first."""
        return tuple(sorted(self._kinds.values(), key=lambda found: (-found.lately, -found.times, found.kind)))

    def _kind(self, entry: _Entry) -> str:
        # A storm repeats one line thousands of times: it is looked at once.
        text = entry.text
        if text not in self._known:
            self._known[text] = kind_of(text)
        kind = self._known[text]
        if kind == OTHER and entry.error:
            return kind_of(entry.error)
        return kind

    def _count_kind(self, kind: str, moment: datetime, is_lately: bool) -> None:
        before = self._kinds.get(kind, ErrorKind(kind, 0, 0, moment, moment))
        self._kinds[kind] = before._replace(
            times=before.times + 1,
            lately=before.lately + is_lately,
            first=min(before.first, moment),
            last=max(before.last, moment),
        )


class _Moments:
    """Local times as moments; thousands of lines of one second have the same."""

    def __init__(self, shift: timedelta) -> None:
        """`shift` is added to each: the log may be written in another time zone."""
        self._shift = shift
        self._known: dict[bytes, datetime | None] = {}

    def of(self, time: bytes) -> datetime | None:
        """None where it looks like a time, and is none."""
        if time not in self._known:
            self._known[time] = _moment(time, self._shift)
        return self._known[time]


def _moment(time: bytes, shift: timedelta = timedelta(0)) -> datetime | None:
    try:
        return datetime.fromisoformat(time.decode()).astimezone(UTC) + shift
    except (ValueError, OverflowError):
        return None


def _zone_shift(entries: Sequence[_Entry], path: Path) -> timedelta:
    """What has to be added to the log's times: nothing, unless the last of them cannot be true.

    No line is later than the file's last change. Where it says so by whole quarters of an hour, to the second, the
    server's time zone is another than the doctor's, as in a container. A log of a zone behind looks like an old log.
    """
    last = _moment(entries[-1].time) if entries else None
    if last is None:
        return timedelta(0)
    try:
        modified = datetime.fromtimestamp(file_state(path).st_mtime, UTC)
    except FileUnreadable:
        return timedelta(0)
    difference = modified - last
    shift = round(difference / _ZONE_STEP) * _ZONE_STEP
    is_zone = -WIDEST_ZONES <= shift < timedelta(0) and abs(difference - shift) <= _ZONE_TOLERANCE
    if not is_zone:
        return timedelta(0)
    return shift


def _window(entries: Iterable[_Entry], now: datetime, moments: _Moments, *, is_whole: bool) -> tuple[timedelta, bool]:
    """The time before now that the entries cover, at most WINDOW, and whether the reading cut it short.

    Times are to the second: the oldest line that was read is as old as it says or younger. So the span is that long or
    shorter, and a rate over it is true or too small.
    """
    times = [moment for moment in map(moments.of, {entry.time for entry in entries}) if moment and moment <= now]
    if not times:
        return WINDOW, False
    span = min(now - min(times), WINDOW)
    if is_whole:
        return max(span, SHORTEST_SPAN), False
    return max(span, timedelta(seconds=1)), span < WINDOW


def _entries(tail: bytes) -> Iterator[_Entry]:
    entry: _Entry | None = None
    for line in tail.splitlines():
        match = LINE.match(line)
        if match:
            if entry:
                yield entry
            entry = _Entry(match[1], match[2], match[3], line[match.end() :], b"")
        elif entry and _END_OF_TRACEBACK.match(line):
            entry = entry._replace(error=line)
    if entry:
        yield entry


def _is_doubled(entries: list[_Entry]) -> bool:
    """Whether each line stands there twice: in daemon mode the log's file is also where stdout goes.

    Then every run of equal lines has an even length. A storm of equal lines may have one by chance; so pairs count,
    and lines that are no errors have the say where there are few pairs.
    """
    runs = [(entry.is_error, sum(1 for _ in same)) for entry, same in groupby(entries)]
    runs = runs[1:]  # the first may be cut by the beginning of what was read
    if runs and len(entries) % 2:
        runs = runs[:-1]  # the second copy of the last line may not be written yet
    errors = [length for is_error, length in runs if is_error]
    others = [length for is_error, length in runs if not is_error]
    if any(length % 2 for length in errors):
        return False
    others_are_even = bool(others) and not any(length % 2 for length in others)
    return others_are_even or errors.count(2) >= _PAIRS


_PAIRS = 3


def _once(entries: Iterable[_Entry]) -> Iterator[_Entry]:
    """Every second of equal lines."""
    for _, same in groupby(entries):
        yield from list(same)[::2]


def _last_start(entries: Sequence[_Entry]) -> int:
    """The number of the entry with which the server last started; 0 where none of them is a start."""
    logger, text = (part.encode() for part in START_LINE)
    for number in range(len(entries) - 1, 0, -1):
        entry = entries[number]
        if entry.logger.endswith(logger) and entry.text.startswith(text):
            return number
    return 0


def _said_at_start(entries: Iterable[_Entry]) -> tuple[tuple[str, int] | None, str | None]:
    """The Redis and the database that the server last named."""
    redis: tuple[str, int] | None = None
    database: str | None = None
    for entry in entries:
        if entry.level != b"INFO":
            continue
        if match := _REDIS.match(entry.text):
            redis = (match[1].decode("utf-8", "replace"), int(match[2]))
        elif match := _DATABASE.match(entry.text):
            database = match[1].decode("utf-8", "replace")
    return redis, database
