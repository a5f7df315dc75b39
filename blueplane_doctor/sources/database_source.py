"""The telemetry database, read without leaving a trace of the reading.

A database in write-ahead-log mode that nobody has open has no `-wal` and `-shm` files, and opening it even with
`mode=ro` creates them and leaves them behind. So: where there is no log, it is read as an unchanging file
(`immutable=1`), and an answer is thrown away and asked again if the file changed or a log appeared meanwhile. Where
there is one, somebody has it open, and `mode=ro` reads through it as any reader does.
https://www.sqlite.org/wal.html#read_only_databases

Where there is a log without its index `-shm`, whoever had it open died, or it is a copy. `mode=ro` would make the index
and leave it behind. So SQLite is told that the file is its own (`locking_mode=exclusive`), then it keeps the index in
memory; and because it may not lock a file that it cannot write, it is told not to lock (`vfs=unix-none`). When it
closes such a log without a transaction, it deletes it: that is why one is looked for first (write_ahead_log.py).
https://www.sqlite.org/wal.html#use_of_wal_without_shared_memory

A database of an editor is read `without_locks`: a reader of a file without a write-ahead log would lock it, and keep
the editor from ending a write. So that one is only ever read as an unchanging file, between two writes. Where there is
a log, readers keep nobody from writing. https://www.sqlite.org/wal.html#concurrency

Nothing here opens the file but SQLite: closing another descriptor of it would cancel every lock that this process
holds on it, a writer's in the same process among them.
https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
"""

import errno
import os
import re
import sqlite3
import stat
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from blueplane_doctor.error_phrases import error_text
from blueplane_doctor.errors import (
    FileUnreadable,
    SourceDamaged,
    SourceError,
    SourceInterrupted,
    SourceMissing,
    SourceRefused,
    SourceTimeout,
    SourceUnusable,
)
from blueplane_doctor.file_reading import file_state
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.file_locks import is_locked_for_all
from blueplane_doctor.sources.write_ahead_log import TooLong, holds_a_transaction
from blueplane_doctor.text import place
from blueplane_doctor.user_paths import real_file

BUSY_SECONDS = 1.0
"""A read's wait for a lock. In write-ahead-log mode readers wait for nobody."""
ATTEMPTS = 5
"""Reads as an unchanging file, before it is read as a changing one."""
TICK_SECONDS = 0.02
"""Writes closer to each other than this may bear the same time stamp: Linux' clock for files ticks every 1 to 10 ms."""
_STEPS_BETWEEN_LOOKS = 10_000
_AS_ITS_USER = "run the doctor as the user that runs Blueplane"
_RIGHT_FILE = "name the right file with --database"
_MORE_TIME = "give more time with --timeout"
_HOLDER = "see which process holds the lock (lsof shows who has the file open), and end it or wait for it"
_DAMAGED = (
    "stop the server and copy the database with the -wal and -shm beside it to another folder before anything else; "
    "sqlite3's .recover on the copy reads what can still be read"
)
_ANOTHER_LOG = (
    "stop the server and copy the database with the -wal and -shm beside it to another folder before anything else; "
    "then, without these two, the file is as it was at its last checkpoint"
)
_JOURNAL = "the next start of the Blueplane server rolls the journal back; leave it beside the database until then"
_BUSY_EDITOR = "ask again when the editor writes less"
_FULL = "make room on the disk of the database"
_BROKEN_OR_FULL = (
    "see whether its disk is full (df) or broken (the system's log): until then delete nothing beside the database"
)
_FAILURES: tuple[tuple[str, bool, type[SourceError], str, str], ...] = (
    ("interrupted", False, SourceTimeout, " gave no answer within the run's {limit:g} s", _MORE_TIME),
    ("locked|busy", True, SourceTimeout, " stayed locked for {busy:g} s", _HOLDER),
    ("no such (table|column)", False, SourceMissing, ": {message}", ""),
    ("not a database", True, SourceDamaged, " is not a SQLite database", _RIGHT_FILE),
    ("malformed|corrupt|SQLITE_CORRUPT", True, SourceDamaged, " is damaged: {message}", _DAMAGED),
    ("READONLY_ROLLBACK", True, SourceInterrupted, " cannot be read: a crash left a rollback journal", _JOURNAL),
    ("disk is full", True, SourceRefused, " cannot be read: the disk is full", _FULL),
    ("disk I/O error", False, SourceUnusable, " cannot be read: disk I/O error", _BROKEN_OR_FULL),
    ("unable to open|readonly|(?i:permission)", True, SourceRefused, " cannot be opened: {message}", ""),
    ("", False, SourceUnusable, ": {message}", ""),
)
"""What SQLite says (its name for the error, then its sentence), whether it will say so again, and what we say."""
CHECKED_BYTES = 32_000_000
"""A database of at most this size is checked as a whole for damage: about 1 ms for each MB."""
CACHE_KB = 16_000
"""Of pages of the file that SQLite keeps at most: look-ups of random keys meet the same pages of an index again."""
MOST_ROWS = 200_000
"""Of one question: what is asked for has a handful of rows for each key."""
LARGEST_VALUE = 16_000_000
"""Bytes of one value or row that SQLite may make; the largest messages have some megabytes."""

Answer = TypeVar("Answer")


class _State(NamedTuple):
    """What changes whenever somebody writes."""

    inode: int
    size: int
    modified_ns: int
    has_log: bool
    """Whether a log or a journal is there that somebody may have open, or has to roll back."""
    abandoned_log: tuple[int, int] | None = None
    """Size and time of the last change of a write-ahead log that nobody has open; None where there is none."""

    @property
    def is_fresh(self) -> bool:
        """Whether the next write may leave no trace in it; what git calls racily clean."""
        modified_ns = self.modified_ns
        if self.abandoned_log is not None:
            modified_ns = max(modified_ns, self.abandoned_log[1])
        return abs(time.time_ns() - modified_ns) < TICK_SECONDS * 1e9


def write_ahead_log(path: Path) -> Path:
    """The write-ahead log of a database."""
    file = real_file(path)
    return file.with_name(file.name + "-wal")


class DatabaseSource:
    """One SQLite file, opened read-only when first asked; a failure that lasts is remembered."""

    def __init__(
        self, path: Path, deadline: Deadline, *, what: str = "the telemetry database", without_locks: bool = False
    ) -> None:
        """`without_locks`: it is never read in a way that keeps others from writing."""
        self.path = path
        self.damage: SourceDamaged | None = None
        """The first damage that any question met."""
        self._file = real_file(path)
        self.what = f"{what} {place(path)}"
        self._deadline = deadline
        self._without_locks = without_locks
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._seen: _State | None = None
        self._seen_fresh = False
        self._dead: SourceError | None = None

    def read(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """What `question` answers on a read-only connection, consistent in itself.

        The question may be asked more than once. Raises SourceError.
        """
        with self._lock:
            if self._dead:
                raise self._dead
            try:
                return self._read(question)
            except sqlite3.Error as error:
                raise self._ours(error) from error

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one query, at most MOST_ROWS. Raises SourceError."""
        rows = self.read(lambda connection: connection.execute(sql, values).fetchmany(MOST_ROWS + 1))
        if len(rows) > MOST_ROWS:
            raise SourceUnusable(f"{self.what} holds more than {MOST_ROWS:,} rows of one key", _RIGHT_FILE)
        return rows

    def tables(self) -> frozenset[str]:
        """Names of the tables there. Raises SourceError."""
        return frozenset(str(name) for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'"))

    def columns(self, table: str) -> frozenset[str]:
        """Names of a table's columns. Raises SourceError."""
        return frozenset(str(name) for (name,) in self.rows("SELECT name FROM pragma_table_info(?)", (table,)))

    def look_for_damage(self) -> None:
        """Look through a small database as a whole. Raises SourceError, SourceDamaged among them."""
        if self._is_small():
            ((answer, *_), *_) = self.rows("PRAGMA quick_check(1)")
            if answer != "ok":
                # What SQLite answers may quote the schema: the report says that it is damaged, and not how.
                raise self._ours(sqlite3.DatabaseError("database disk image is malformed"))

    def look_for_another_log(self, wanted: Collection[str]) -> None:
        """Where none of these tables is there: raises SourceDamaged if the file holds them without its log.

        SQLite takes any complete log for that of the file beside it, as it is left after a copy or a restored backup.
        """
        with suppress(OSError, sqlite3.Error):
            if not write_ahead_log(self.path).stat().st_size:
                return
            uri = f"file:{quote(str(self._file))}?mode=ro&immutable=1"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            if wanted and not {str(name) for (name,) in names}.isdisjoint(wanted):
                self.damage = self._dead = SourceDamaged(
                    f"{self.what} is damaged: the file holds the tables of traces, and read with its write-ahead log "
                    "it does not; the log is that of another database, or the tables were dropped",
                    _ANOTHER_LOG,
                )
        if self._dead:
            raise self._dead

    def _is_small(self) -> bool:
        try:
            return file_state(self.path).st_size <= CHECKED_BYTES
        except FileUnreadable:
            return False  # whoever asks for its rows is told why

    def close(self) -> None:
        """Close the connection; harmless when there is none."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _read(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        for _ in range(ATTEMPTS):
            if self._deadline.passed:
                raise SourceTimeout(f"{self.what}: the run's {self._deadline.seconds:g} s were used up")
            try:
                answer = question(self._opened())
            except sqlite3.DatabaseError:
                if not self._changed():
                    raise
            else:
                if not self._changed():
                    return answer
            self.close()
        if self._without_locks:
            raise SourceTimeout(f"{self.what} changed at each of {ATTEMPTS} readings", _BUSY_EDITOR)
        self._seen = None
        self._connection = self._open(self._look(), is_at_rest=False)
        return question(self._connection)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            state = self._look()
            if state.is_fresh and not state.has_log:
                time.sleep(TICK_SECONDS)
                state = self._look()
            if self._without_locks:
                state = self._wait_for_the_journal(state)
            if not state.has_log:
                self._wait_for_the_lock()
            self._seen_fresh = state.is_fresh
            self._seen = None if state.has_log else state
            self._connection = self._open(state)
        return self._connection

    def _open(self, state: _State, *, is_at_rest: bool = True) -> sqlite3.Connection:
        """`is_at_rest`: whether it may be taken for a file that does not change."""
        options = "mode=ro"
        is_alone = False
        if not state.has_log:
            is_alone = state.abandoned_log is not None and self._holds_a_transaction()
            if is_alone:
                options += "&vfs=unix-none"
            elif is_at_rest:
                options += "&immutable=1"
        uri = f"file:{quote(str(self._file))}?{options}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
        # By default a text that is not UTF-8 is an error that quotes it.
        connection.text_factory = _text
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
        # Runs inside SQLite every few thousand steps: the only way to end a query at the deadline.
        connection.set_progress_handler(lambda: int(self._deadline.passed), _STEPS_BETWEEN_LOOKS)
        try:
            connection.execute("PRAGMA query_only = 1")
            if is_alone:
                connection.execute("PRAGMA locking_mode = exclusive")
            # Last, for this one already reads the file.
            connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _wait_for_the_lock(self) -> None:
        """Wait until nobody has the file for itself alone. Raises SourceTimeout.

        SQLite would find such a lock, but a file that is read without its log is opened so that none is asked for.
        """
        end = time.monotonic() + min(BUSY_SECONDS, self._deadline.remaining)
        while is_locked_for_all(self._file):
            if time.monotonic() >= end:
                self._dead = SourceTimeout(f"{self.what} stayed locked for {BUSY_SECONDS:g} s", _HOLDER)
                raise self._dead
            time.sleep(TICK_SECONDS)

    def _wait_for_the_journal(self, state: _State) -> _State:
        """Wait until no write is on its way that a reader's lock would keep from ending. Raises SourceTimeout."""
        end = time.monotonic() + min(BUSY_SECONDS, self._deadline.remaining)
        while self._has_journal():
            if time.monotonic() >= end:
                self._dead = SourceTimeout(f"{self.what} was being written for {BUSY_SECONDS:g} s", _BUSY_EDITOR)
                raise self._dead
            time.sleep(TICK_SECONDS)
            state = self._look()
        return state

    def _changed(self) -> bool:
        return self._seen is not None and (self._seen_fresh or self._seen != self._look())

    def _look(self) -> _State:
        try:
            state = self.path.stat()
            if not stat.S_ISREG(state.st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            if not os.access(self.path, os.R_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except FileNotFoundError as error:
            hint = f"start the Blueplane server (restart it where it runs), or {_RIGHT_FILE}"
            self._dead = SourceMissing(f"{self.what} does not exist", hint)
            raise self._dead from error
        except OSError as error:
            hint = _AS_ITS_USER if isinstance(error, PermissionError) else _RIGHT_FILE
            self._dead = SourceRefused(f"{self.what} cannot be opened: {error_text(error)}", hint)
            raise self._dead from error
        has_log = self._has_journal()
        # A write that failed on a full disk leaves an empty -wal and a broken -shm, through which SQLite reads nothing.
        abandoned_log = None
        with suppress(OSError):
            log = self._beside("-wal").stat()
            if log.st_size and self._beside("-shm").exists():
                has_log = True
            elif log.st_size:
                abandoned_log = (log.st_size, log.st_mtime_ns)
        return _State(state.st_ino, state.st_size, state.st_mtime_ns, has_log, abandoned_log)

    def _has_journal(self) -> bool:
        """Whether a write is on its way, or was broken off. An empty journal is what some writers leave behind."""
        try:
            return self._beside("-journal").stat().st_size > 0
        except OSError:
            return False

    def _beside(self, end: str) -> Path:
        return self._file.with_name(self._file.name + end)

    def _holds_a_transaction(self) -> bool:
        """Of a log that nobody has open. Raises SourceError."""
        try:
            return holds_a_transaction(self._beside("-wal"))
        except FileNotFoundError:
            return False
        except (OSError, TooLong) as error:
            raise SourceInterrupted(
                f"{self.what} has a write-ahead log that cannot be read without changing files beside it",
                "start the Blueplane server, which finishes or drops what the log holds",
            ) from error

    def _ours(self, error: sqlite3.Error) -> SourceError:
        message = str(error)
        named = f"{getattr(error, 'sqlite_errorname', '')} {message}"
        _, lasting, kind, text, hint = next(row for row in _FAILURES if re.search(row[0], named))
        text = text.format(message=error_text(error), limit=self._deadline.seconds, busy=BUSY_SECONDS)
        if kind is SourceRefused and not hint:
            hint = self._why_refused()
        ours = kind(f"{self.what}{text}", hint)
        if lasting:
            self._dead = ours
        if isinstance(ours, SourceDamaged) and self.damage is None:
            self.damage = ours
        return ours

    def _why_refused(self) -> str:
        """What to do where SQLite could not open the file or the files beside it."""
        if os.access(self._file, os.R_OK) and os.access(self._file.parent, os.W_OK):
            return _RIGHT_FILE
        # Reading through a write-ahead log needs the file -shm, which whoever runs Blueplane can make.
        return _AS_ITS_USER


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
