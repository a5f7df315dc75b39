"""The telemetry database, read without leaving a trace of the reading.

A database in write-ahead-log mode that nobody has open lies there without `-wal` and `-shm` files, and opening
it even with `mode=ro` creates them and leaves them behind. So: where there is no log, it is read as an unchanging
file (`immutable=1`), and every read is checked afterwards: had the file changed or a log appeared, the answer is
thrown away and asked again. Where there is a log, somebody has it open (or died with it), and `mode=ro` reads
through the log as any reader does. https://www.sqlite.org/wal.html#read_only_databases
"""

import sqlite3
import struct
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from threading import RLock
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

from blueplane_doctor.errors import (
    SourceError,
    SourceMissing,
    SourceRefused,
    SourceTimeout,
    SourceUnusable,
)
from blueplane_doctor.sources.deadline import Deadline

BUSY_SECONDS = 1.0
"""How long a read waits for a lock. Readers do not wait for writers in write-ahead-log mode."""
ATTEMPTS = 5
"""Reads of an unchanging file that changed after all, before the log is opened instead."""
_HEADER = b"SQLite format 3\x00"
_STEPS_BETWEEN_LOOKS = 10_000

Answer = TypeVar("Answer")

_OWN_FOLDERS = ((".blueplane",), (".cursor",))
"""In a person's home; what other folders are called is private."""


def shown(path: Path) -> str:
    """A path as messages and reports may show it: in full where the pipeline chose it, else the file's name alone."""
    try:
        relative = path.relative_to(Path.home())
    except ValueError:
        return path.name
    return f"~/{relative.as_posix()}" if relative.parts[:1] in _OWN_FOLDERS else path.name


class DatabaseSource:
    """One SQLite file, opened read-only when first asked; the first failure to open it is remembered."""

    def __init__(self, path: Path, deadline: Deadline, *, what: str = "the telemetry database") -> None:
        self.path = path
        self.what = f"{what} {shown(path)}"
        self._deadline = deadline
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._seen: tuple[int, ...] | None = None
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
                self._fail(error)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one query. Raises SourceError."""
        return self.read(lambda connection: connection.execute(sql, values).fetchall())

    def tables(self) -> frozenset[str]:
        """Names of the tables there. Raises SourceError."""
        found = self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        return frozenset(str(name) for (name,) in found)

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
                connection = self._opened()
                answer = question(connection)
            except sqlite3.DatabaseError:
                if self._seen is None or self._seen == self._look():
                    raise
                self.close()  # it changed while it was read as unchanging
                continue
            if self._seen is None or self._seen == self._look():
                return answer
            self.close()
        self._seen = None
        self._connection = self._open("mode=ro")
        return question(self._connection)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._check_file()
            self._seen = None if self._has_log() else self._look()
            self._connection = self._open("mode=ro" if self._seen is None else "mode=ro&immutable=1")
        return self._connection

    def _open(self, options: str) -> sqlite3.Connection:
        uri = f"file:{quote(str(self.path.absolute()))}?{options}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
        # Runs inside SQLite every few thousand steps: the only way to end a query at the deadline.
        connection.set_progress_handler(lambda: int(self._deadline.passed), _STEPS_BETWEEN_LOOKS)
        connection.execute("PRAGMA query_only = 1")
        return connection

    def _has_log(self) -> bool:
        """Whether a write-ahead log or a rollback journal lies beside the file."""
        return any(self.path.with_name(self.path.name + end).exists() for end in ("-wal", "-journal"))

    def _look(self) -> tuple[int, ...]:
        """What changes whenever somebody writes: size, time, SQLite's change counter, a log's presence."""
        state = self.path.stat()
        with self.path.open("rb") as file:
            head = file.read(28)
        counter = struct.unpack(">I", head[24:28])[0] if len(head) == 28 else 0
        return state.st_ino, state.st_size, state.st_mtime_ns, counter, int(self._has_log())

    def _check_file(self) -> None:
        try:
            with self.path.open("rb") as file:
                head = file.read(16)
        except FileNotFoundError as error:
            self._dead = SourceMissing(
                f"{self.what} does not exist",
                "start the Blueplane server once, or name the right file with --database",
            )
            raise self._dead from error
        except OSError as error:
            self._dead = SourceRefused(
                f"{self.what} cannot be opened: {error.strerror or error}",
                "run the doctor as the user that runs Blueplane",
            )
            raise self._dead from error
        if head and head != _HEADER:
            self._dead = SourceUnusable(f"{self.what} is not a SQLite database", "name the right file with --database")
            raise self._dead

    def _fail(self, error: sqlite3.Error) -> NoReturn:
        said = str(error)
        if "interrupted" in said:
            raise SourceTimeout(
                f"{self.what} gave no answer within the run's {self._deadline.seconds:g} s",
                "give more time with --timeout",
            ) from error
        if "locked" in said or "busy" in said:
            self._dead = SourceTimeout(
                f"{self.what} stayed locked for {BUSY_SECONDS:g} s",
                "see which process holds it: lsof on the file",
            )
            raise self._dead from error
        if "no such table" in said or "no such column" in said:
            raise SourceMissing(f"{self.what}: {said}") from error
        if "malformed" in said or "not a database" in said or "corrupt" in said:
            self._dead = SourceUnusable(
                f"{self.what} is damaged: {said}",
                "stop the server, keep a copy, then: sqlite3 FILE '.recover'",
            )
            raise self._dead from error
        if "unable to open" in said or "readonly" in said or "permission" in said.lower():
            self._dead = SourceRefused(
                f"{self.what} cannot be opened: {said}", "run the doctor as the user that runs Blueplane"
            )
            raise self._dead from error
        raise SourceUnusable(f"{self.what}: {said}") from error


def read_once(path: Path, sql: str, deadline: Deadline, *, what: str) -> list[tuple[Any, ...]]:
    """The rows of one query on another SQLite file. Raises SourceError."""
    with closing(DatabaseSource(path, deadline, what=what)) as source:
        return source.rows(sql)
