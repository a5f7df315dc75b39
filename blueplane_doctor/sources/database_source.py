"""The telemetry database, read without leaving a trace of the reading.

A database in write-ahead-log mode that nobody has open has no `-wal` and `-shm` files, and opening it even with
`mode=ro` creates them and leaves them behind. So: where there is no log, it is read as an unchanging file
(`immutable=1`), and an answer is thrown away and asked again if the file changed or a log appeared meanwhile. Where
there is one, somebody has it open, and `mode=ro` reads through it as any reader does. (Not with `readonly_shm=1`:
connections of one process share the index, and a writer in this one would be refused.)
https://www.sqlite.org/wal.html#read_only_databases

Where there is a log without its index `-shm`, whoever had it open died, or it is a copy. `mode=ro` would make the index
and leave it behind. So SQLite is told that the file is its own (`locking_mode=exclusive`), then it keeps the index in
memory; and because it may not lock a file that it cannot write, it is told not to lock (`vfs=unix-none`). When it
closes such a log without a transaction, it deletes it: that is why one is looked for first (write_ahead_log.py).
https://www.sqlite.org/wal.html#use_of_wal_without_shared_memory

A database of an editor is read `without_locks`: a reader of a file without a write-ahead log would lock it, and keep
the editor from ending a write. So that one is only ever read as an unchanging file, between two writes. Where there is
a log, readers keep nobody from writing. https://www.sqlite.org/wal.html#concurrency

Nothing opens the file but SQLite: see database_files.py.
"""

import os
import sqlite3
import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar
from urllib.parse import quote

from blueplane_doctor.errors import SourceDamaged, SourceError, SourceRefused, SourceTimeout, SourceUnusable
from blueplane_doctor.privacy.error_phrases import error_text
from blueplane_doctor.privacy.public_text import place
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.computed_values import may_be_checked, refuse_computed
from blueplane_doctor.sources.database_failures import ANOTHER_LOG, HOLDER, RIGHT_FILE, failure_of
from blueplane_doctor.sources.database_files import TICK_SECONDS, DatabaseFiles, DatabaseState
from blueplane_doctor.sources.file_locks import is_locked_for_all

BUSY_SECONDS = 1.0
"""A read's wait for a lock. In write-ahead-log mode readers wait for nobody."""
_ATTEMPTS = 5
"""Reads as an unchanging file, before it is read as a changing one."""
_STEPS_BETWEEN_LOOKS = 10_000
_BUSY_EDITOR = "ask again when the editor writes less"
_CACHE_KB = 1_000
"""Of pages of the file that SQLite keeps at most, which then stay in the processor's own cache.

Look-ups of random keys in a large index hardly ever meet the same page again, and with 16 MB each of them waited for
memory (docs/BENCHMARKS.md).
"""
_MOST_ROWS = 200_000
"""Of one question: what is asked for has a handful of rows for each key."""
_LARGEST_VALUE = 16_000_000
"""Bytes of one value or row that SQLite may make; the largest messages have some megabytes."""
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"

Answer = TypeVar("Answer")


class DatabaseSource:
    """One SQLite file, opened read-only when first asked; a failure that lasts is remembered."""

    def __init__(
        self, path: Path, deadline: Deadline, *, what: str = "the telemetry database", without_locks: bool = False
    ) -> None:
        """`without_locks`: it is never read in a way that keeps others from writing."""
        self.path = path
        self.damage: SourceDamaged | None = None
        """The first damage that any question met."""
        self.what = f"{what} {place(path)}"
        self._files = DatabaseFiles(path, self.what)
        self._deadline = deadline
        self._without_locks = without_locks
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._seen: DatabaseState | None = None
        """How it was when it was opened as an unchanging file; None where it was opened as a changing one."""
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
            except UnicodeDecodeError as error:
                # Values are no matter here (`_text`): SQLite's own sentence quotes a schema that is no text.
                raise self._ours(sqlite3.DatabaseError("malformed database schema")) from error

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one query, at most 200,000. Raises SourceError."""
        rows = self.read(lambda connection: connection.execute(sql, values).fetchmany(_MOST_ROWS + 1))
        if len(rows) > _MOST_ROWS:
            raise SourceUnusable(f"{self.what} holds more than {_MOST_ROWS:,} rows of one key", RIGHT_FILE)
        return rows

    def tables(self) -> frozenset[str]:
        """Names of the tables there. Raises SourceError."""
        return _names(self.rows(_TABLES))

    def columns(self, table: str) -> frozenset[str]:
        """Names of a table's columns. Raises SourceError."""
        return _names(self.rows("SELECT name FROM pragma_table_info(?)", (table,)))

    def look_for_damage(self) -> None:
        """Look through a small database as a whole. Raises SourceError, SourceDamaged among them."""
        if self._files.is_small():
            answer = self.read(_quick_check)
            if answer != "ok":
                # What SQLite answers may quote the schema: the report says that it is damaged, and not how.
                raise self._ours(sqlite3.DatabaseError("database disk image is malformed"))

    def look_for_another_log(self, wanted: Collection[str]) -> None:
        """Where none of these tables is there: raises SourceDamaged if the file holds them without its log.

        SQLite takes any complete log for that of the file beside it, as it is left after a copy or a restored backup.
        """
        with suppress(OSError, sqlite3.Error, UnicodeDecodeError):
            if not self._files.has_log():
                return
            with closing(sqlite3.connect(self._uri("mode=ro&immutable=1"), uri=True)) as connection:
                names = _names(connection.execute(_TABLES).fetchall())
            if wanted and not names.isdisjoint(wanted):
                self.damage = SourceDamaged(
                    f"{self.what} is damaged: the file holds the tables of traces, and read with its write-ahead log "
                    "it does not; the log is that of another database, or the tables were dropped",
                    ANOTHER_LOG,
                )
                self._dead = self.damage
        if self._dead:
            raise self._dead

    def close(self) -> None:
        """Close the connection; harmless when there is none."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _read(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        for _ in range(_ATTEMPTS):
            if self._deadline.passed:
                raise SourceTimeout(f"{self.what}: the run's {self._deadline.seconds:g} s were used up")
            try:
                answer = question(self._opened())
            except sqlite3.DatabaseError:
                # Of a file that was changed meanwhile an error says as little as an answer does.
                if not self._changed():
                    raise
            else:
                if not self._changed():
                    return answer
            self.close()
        if self._without_locks:
            raise SourceTimeout(f"{self.what} changed at each of {_ATTEMPTS} readings", _BUSY_EDITOR)
        self._seen = None
        self._connection = self._open(self._look(), may_be_unchanging=False)
        return question(self._connection)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            state = self._look(when_settled=True)
            if self._without_locks:
                state = self._wait_for_the_journal(state)
            self._seen = None
            if state.is_at_rest:
                self._wait_for_the_lock()
                self._seen = state
            self._seen_fresh = state.is_fresh
            self._connection = self._open(state)
        return self._connection

    def _open(self, state: DatabaseState, *, may_be_unchanging: bool = True) -> sqlite3.Connection:
        options = "mode=ro"
        is_alone = False
        if state.is_at_rest:
            is_alone = state.abandoned_log is not None and self._files.holds_a_transaction()
            if is_alone:
                options += "&vfs=unix-none"
            elif may_be_unchanging:
                options += "&immutable=1"
        connection = sqlite3.connect(self._uri(options), uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
        # By default a text that is not UTF-8 is an error that quotes it.
        connection.text_factory = _text
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE)
        # Runs inside SQLite every few thousand steps: the only way to end a query at the deadline.
        # SQLite drops what is raised in it, a signal too: of that the hook for such exceptions must hear.
        sqlite3.enable_callback_tracebacks(sys.unraisablehook is not sys.__unraisablehook__)
        connection.set_progress_handler(lambda: int(self._deadline.passed), _STEPS_BETWEEN_LOOKS)
        try:
            connection.execute("PRAGMA query_only = 1")
            if is_alone:
                connection.execute("PRAGMA locking_mode = exclusive")
            # From here on the file is read.
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
            refuse_computed(connection)
        except (sqlite3.Error, UnicodeDecodeError):
            connection.close()
            raise
        return connection

    def _uri(self, options: str) -> str:
        return f"file:{quote(os.fsencode(self._files.file))}?{options}"  # as bytes: a name need not be UTF-8

    def _wait_for_the_lock(self) -> None:
        """Wait until nobody has the file for itself alone. Raises SourceTimeout.

        SQLite would find such a lock, but a file that is read without its log is opened so that none is asked for.
        """
        end = self._end_of_patience()
        while is_locked_for_all(self._files.file):
            self._pause(end, "stayed locked", HOLDER)

    def _wait_for_the_journal(self, state: DatabaseState) -> DatabaseState:
        """Wait until no write is on its way that a reader's lock would keep from ending. Raises SourceTimeout."""
        end = self._end_of_patience()
        while state.has_journal:
            self._pause(end, "was being written", _BUSY_EDITOR)
            state = self._look()
        return state

    def _end_of_patience(self) -> float:
        return time.monotonic() + min(BUSY_SECONDS, self._deadline.remaining)

    def _pause(self, end: float, reason: str, hint: str) -> None:
        """Sleep for a moment. Raises SourceTimeout when the time is up, for good."""
        if time.monotonic() >= end:
            self._dead = SourceTimeout(f"{self.what} {reason} for {BUSY_SECONDS:g} s", hint)
            raise self._dead
        time.sleep(TICK_SECONDS)

    def _changed(self) -> bool:
        return self._seen is not None and (self._seen_fresh or self._seen != self._look())

    def _look(self, *, when_settled: bool = False) -> DatabaseState:
        try:
            if when_settled:
                return self._files.look_when_settled()
            return self._files.look()
        except SourceError as error:
            self._dead = error
            raise

    def _ours(self, error: sqlite3.Error) -> SourceError:
        failure = failure_of(error)
        text = failure.text.format(message=error_text(error), limit=self._deadline.seconds, busy=BUSY_SECONDS)
        hint = failure.hint
        if failure.kind is SourceRefused and not hint:
            hint = self._files.why_refused()
        ours = failure.kind(f"{self.what}{text}", hint)
        if failure.lasts:
            self._dead = ours
        if isinstance(ours, SourceDamaged) and self.damage is None:
            self.damage = ours
        return ours


def _quick_check(connection: sqlite3.Connection) -> str:
    """`ok`, or what is damaged; that text is private."""
    if not may_be_checked(connection):
        return "ok"  # damage is met where rows are read
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return str(answer)


def _names(rows: Sequence[tuple[Any, ...]]) -> frozenset[str]:
    """Of rows that hold one name each."""
    return frozenset(str(name) for (name,) in rows)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
