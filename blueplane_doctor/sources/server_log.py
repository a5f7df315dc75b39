"""The tail of the server's log: how many errors, of which kind, since when; never their text.

Reading a whole log takes too long while a server writes 2,900 lines a second. So what is read may begin later than the
window that is asked about, and then a count is a lower bound.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.errors import FileMissing, FileUnreadable
from blueplane_doctor.files.reading import file_state
from blueplane_doctor.pipeline import DATABASE_LINE, MONITOR_LOGGERS, REDIS_LINE, START_LINE, WRITE_FAILURE_LOGGERS
from blueplane_doctor.sources.log_entries import (
    TAIL_BYTES,
    LogEntry,
    are_doubled,
    each_once,
    entries_of,
    last_start,
    last_stop,
    newest_bytes,
)
from blueplane_doctor.sources.log_kinds import OTHER, kind_of

_WINDOW = timedelta(minutes=5)
_SHORTEST_SPAN = timedelta(minutes=1)
"""A log that began a second ago is no base for a rate a minute."""
_FEWEST_FOR_A_RATE = 100
"""Of fewer errors within seconds nobody knows whether they go on like this."""
_MOST_ORDINARY_ERRORS = 20
"""Errors of a normal start or stop in the window that are not counted: each writes up to five."""
_WIDEST_ZONES = timedelta(hours=26)
"""Between the clocks of UTC+14 and UTC-12."""
_SERIES_GAP = timedelta(minutes=30)
"""After so long without an error of its kind, the next one belongs to another fault."""
# No time zone is off by anything else than whole quarters of an hour.
_ZONE_STEP = timedelta(minutes=15)
# The time of a line is cut to the second, and the line is written a moment later.
_ZONE_TOLERANCE = timedelta(seconds=3)
_REDIS = re.compile(REDIS_LINE.encode())
_START = re.compile(START_LINE[1].encode() + rb": (\d{1,10})\b")
_DATABASE = re.compile(DATABASE_LINE.encode())


class ErrorKind(NamedTuple):
    """The errors of one kind in the part of the log that was read."""

    kind: str
    """One of log_kinds.KINDS, or OTHER."""
    times: int
    """Errors of it."""
    lately: int
    """Of these, those in the window."""
    first: datetime
    """The first of the last series: between two of its errors lies less than _SERIES_GAP."""
    last: datetime
    may_be_older: bool = False
    """Whether the part that was read begins within the series, so that older ones may have been logged."""


class LogTail(NamedTuple):
    """Counts of what was read; None where there is no log to read."""

    lines: int | None = None
    errors_in_window: int | None = None
    monitor_errors: int | None = None
    last_error: datetime | None = None
    last_write_failure: datetime | None = None
    servers: frozenset[int] = frozenset()
    """Process ids of the servers that wrote it, as each names itself when it starts."""
    first_start: datetime | None = None
    """When the first of these started: any that started later is among them."""
    last_line: datetime | None = None
    """When the server last logged anything."""
    stopped: datetime | None = None
    """When it said that it stops, unless it was started since."""
    window_seconds: float = _WINDOW.total_seconds()
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
        if errors < _FEWEST_FOR_A_RATE:
            # Two errors behind a line of many megabytes are no storm, though less than a second was read.
            seconds = max(seconds, _SHORTEST_SPAN.total_seconds())
        return round(errors / (seconds / 60), 2)


def read_log(path: Path, now: datetime) -> LogTail:
    """Lines are in local time, as the server writes them. A log that cannot be read gives an empty LogTail."""
    try:
        tail = newest_bytes(path)
    except FileMissing:
        return LogTail()
    except FileUnreadable as error:
        return LogTail(cause=error.reason)
    entries = list(entries_of(tail))
    if tail and not entries:
        return LogTail(cause="no line of it is one of the server's log")
    redis, database = _said_at_start(entries)
    lines = len(entries)
    is_doubled = are_doubled(entries)
    if is_doubled:
        entries = list(each_once(entries))
    counter = _Counter(now)
    moments = _Moments(_zone_shift(entries, path))
    start = last_start(entries)
    for number, entry in enumerate(entries):
        if entry.is_error:
            # What the server logged before it was started again is no complaint of the one that runs.
            counter.count(entry, moments.of(entry.time), is_of_this_run=number >= start)
    is_log_whole = len(tail) < TAIL_BYTES
    is_whole = is_log_whole or start > 0
    window, is_cut = _window(entries[start:], now, moments, is_whole=is_whole)
    begins = None
    last_line = None
    if entries:
        begins = moments.of(entries[0].time)
        last_line = moments.of(entries[-1].time)
    stop = last_stop(entries)
    starts = _starts(entries)
    return LogTail(
        lines=lines,
        errors_in_window=counter.errors + max(0, counter.ordinary - _MOST_ORDINARY_ERRORS),
        monitor_errors=counter.monitors,
        last_error=counter.last_error,
        last_write_failure=counter.last_failure,
        window_seconds=window.total_seconds(),
        is_cut=is_cut,
        is_doubled=is_doubled,
        kinds=counter.kinds(None if is_log_whole else begins),
        servers=frozenset(starts),
        first_start=moments.of(next(iter(starts.values()))) if starts else None,
        last_line=last_line,
        stopped=moments.of(stop.time) if stop else None,
        redis=redis,
        database=database,
    )


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

    def count(self, entry: LogEntry, moment: datetime | None, *, is_of_this_run: bool) -> None:
        """Count an error; one whose time is none is left out."""
        if moment is None:
            return
        # Also of a clock that is a little ahead: what is logged right now must not be left out for it.
        is_lately = is_of_this_run and self._now - _WINDOW <= moment <= self._now + _WINDOW
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

    def kinds(self, cut_at: datetime | None) -> tuple[ErrorKind, ...]:
        """The kinds that were met, most frequent first. `cut_at`: where the part that was read begins, if it is cut."""
        kinds = sorted(self._kinds.values(), key=lambda kind: (-kind.lately, -kind.times, kind.kind))
        if cut_at is None:
            return tuple(kinds)
        return tuple(kind._replace(may_be_older=kind.first - cut_at < _SERIES_GAP) for kind in kinds)

    def _kind(self, entry: LogEntry) -> str:
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
        if moment - before.last >= _SERIES_GAP:
            before = before._replace(first=moment)
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


def _zone_shift(entries: Sequence[LogEntry], path: Path) -> timedelta:
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
    is_zone = -_WIDEST_ZONES <= shift < timedelta(0) and abs(difference - shift) <= _ZONE_TOLERANCE
    if not is_zone:
        return timedelta(0)
    return shift


def _window(entries: Iterable[LogEntry], now: datetime, moments: _Moments, *, is_whole: bool) -> tuple[timedelta, bool]:
    """The time before now that the entries cover, at most five minutes, and whether the reading cut it short.

    Times are to the second: the oldest line that was read is as old as it says or younger. So the span is that long or
    shorter, and a rate over it is true or too small.
    """
    times = []
    for time in {entry.time for entry in entries}:
        moment = moments.of(time)
        if moment is not None and moment <= now:
            times.append(moment)
    if not times:
        return _WINDOW, False
    span = min(now - min(times), _WINDOW)
    if is_whole:
        return max(span, _SHORTEST_SPAN), False
    return max(span, timedelta(seconds=1)), span < _WINDOW


def _said_at_start(entries: Iterable[LogEntry]) -> tuple[tuple[str, int] | None, str | None]:
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


def _starts(entries: Iterable[LogEntry]) -> dict[int, bytes]:
    """The processes that named themselves when they started, in the order of the log, each with that time."""
    starts: dict[int, bytes] = {}
    for entry in entries:
        if entry.level == b"INFO" and (match := _START.match(entry.text)):
            starts.setdefault(int(match[1]), entry.time)
    return starts
