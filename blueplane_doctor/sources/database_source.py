"""The telemetry database, read without leaving a trace of the reading.

A database in write-ahead-log mode that nobody has open has no `-wal` and `-shm` files, and opening it even with
`mode=ro` creates them and leaves them behind. So: where there is no log, it is read as an unchanging file
(`immutable=1`), and an answer is thrown away and asked again if the file changed or a log appeared meanwhile. Where
there is one, somebody has it open (or died with it), and `mode=ro` reads through it as any reader does.
https://www.sqlite.org/wal.html#read_only_databases
"""

import re
import sqlite3
import struct
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar
from urllib.parse import quote

from blueplane_doctor.errors import SourceError, SourceMissing, SourceRefused, SourceTimeout, SourceUnusable
from blueplane_doctor.sources import Deadline

BUSY_SECONDS = 1.0
"""A read's wait for a lock. In write-ahead-log mode readers wait for nobody."""
ATTEMPTS = 5
"""Reads as an unchanging file, before it is read as a changing one."""
_STEPS_BETWEEN_LOOKS = 10_000
_OWN_FOLDERS = (".blueplane", ".cursor")
"""In a person's home; the names of others are private."""
_AS_ITS_USER = "run the doctor as the user that runs Blueplane"
_RIGHT_FILE = "name the right file with --database"
_MORE_TIME = "give more time with --timeout"
_HOLDER = "see which process holds it: lsof on the file"
_DAMAGED = "stop the server, keep a copy, then: sqlite3 FILE '.recover'"
_FAILURES: tuple[tuple[str, bool, type[SourceError], str, str], ...] = (
    ("interrupted", False, SourceTimeout, " gave no answer within the run's {limit:g} s", _MORE_TIME),
    ("locked|busy", True, SourceTimeout, " stayed locked for {busy:g} s", _HOLDER),
    ("no such (table|column)", False, SourceMissing, ": {said}", ""),
    ("malformed|not a database|corrupt", True, SourceUnusable, " is damaged: {said}", _DAMAGED),
    ("unable to open|readonly|(?i:permission)", True, SourceRefused, " cannot be opened: {said}", _AS_ITS_USER),
    ("", False, SourceUnusable, ": {said}", ""),
)
"""What SQLite says, whether it will say so again, and what we say."""

Answer = TypeVar("Answer")


def shown(path: Path) -> str:
    """A path as messages and reports may show it: in full where the pipeline chose it, else its last part."""
    try:
        relative = path.relative_to(Path.home())
    except ValueError:
        return path.name
    return f"~/{relative.as_posix()}" if relative.parts and relative.parts[0] in _OWN_FOLDERS else path.name


class DatabaseSource:
    """One SQLite file, opened read-only when first asked; a failure that lasts is remembered."""

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
                raise self._ours(error) from error

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one query. Raises SourceError."""
        return self.read(lambda connection: connection.execute(sql, values).fetchall())

    def tables(self) -> frozenset[str]:
        """Names of the tables there. Raises SourceError."""
        return frozenset(str(name) for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'"))

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

    def _changed(self) -> bool:
        return self._seen is not None and self._seen != self._look()

    def _has_log(self) -> bool:
        return any(self.path.with_name(self.path.name + end).exists() for end in ("-wal", "-journal"))

    def _look(self) -> tuple[int, ...]:
        """What changes whenever somebody writes; the last two are SQLite's change counter and a log's presence."""
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
            hint = f"start the Blueplane server once, or {_RIGHT_FILE}"
            self._dead = SourceMissing(f"{self.what} does not exist", hint)
            raise self._dead from error
        except OSError as error:
            self._dead = SourceRefused(f"{self.what} cannot be opened: {error.strerror or error}", _AS_ITS_USER)
            raise self._dead from error
        if head and head != b"SQLite format 3\x00":
            self._dead = SourceUnusable(f"{self.what} is not a SQLite database", _RIGHT_FILE)
            raise self._dead

    def _ours(self, error: sqlite3.Error) -> SourceError:
        said = str(error)
        _, lasting, kind, text, hint = next(row for row in _FAILURES if re.search(row[0], said))
        text = text.format(said=said, limit=self._deadline.seconds, busy=BUSY_SECONDS)
        ours = kind(f"{self.what}{text}", hint)
        if lasting:
            self._dead = ours
        return ours


def read_once(path: Path, sql: str, deadline: Deadline, *, what: str) -> list[tuple[Any, ...]]:
    """The rows of one query on another SQLite file. Raises SourceError."""
    with closing(DatabaseSource(path, deadline, what=what)) as source:
        return source.rows(sql)
