"""The files of a database: itself, its write-ahead log and its rollback journal, by which a change is noticed.

Nothing here opens the database: closing another descriptor of it would cancel every lock that this process holds on it.
https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
"""

import errno
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.errors import FileUnreadable, SourceInterrupted, SourceMissing, SourceRefused
from blueplane_doctor.files.reading import file_state
from blueplane_doctor.files.user_paths import real_file
from blueplane_doctor.privacy.error_phrases import error_text
from blueplane_doctor.sources.database_failures import AS_ITS_USER, RIGHT_FILE
from blueplane_doctor.sources.write_ahead_log import TooLong, holds_a_transaction

TICK_SECONDS = 0.02
"""Writes closer to each other than this may bear the same time stamp: Linux' clock for files ticks every 1 to 10 ms."""
_CHECKED_BYTES = 32_000_000
"""A database of at most this size is checked as a whole for damage: about 1 ms for each MB."""


class DatabaseState(NamedTuple):
    """What changes whenever somebody writes."""

    inode: int
    size: int
    modified_ns: int
    has_journal: bool
    """Whether a write is on its way, or was broken off."""
    has_open_log: bool
    """Whether there is a write-ahead log that somebody may have open."""
    abandoned_log: tuple[int, int] | None = None
    """Size and time of the last change of a write-ahead log that nobody has open; None where there is none."""

    @property
    def is_at_rest(self) -> bool:
        """Whether neither a log nor a journal is there that somebody may have open, or has to roll back."""
        return not self.has_journal and not self.has_open_log

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


class DatabaseFiles:
    """A database's file and those beside it, as the file system tells of them."""

    def __init__(self, path: Path, what: str) -> None:
        """`what`: how errors name it."""
        self.path = path
        self.file = real_file(path)
        # Made once: of an unchanging file they are looked at with every question.
        self._log = self._beside("-wal")
        self._index = self._beside("-shm")
        self._journal = self._beside("-journal")
        self._what = what

    def look(self) -> DatabaseState:
        """Raises SourceMissing and SourceRefused where it cannot be opened for reading."""
        try:
            state = self.path.stat()
            if not stat.S_ISREG(state.st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            if not os.access(self.path, os.R_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except FileNotFoundError as error:
            hint = f"start the Blueplane server (restart it where it runs), or {RIGHT_FILE}"
            raise SourceMissing(f"{self._what} does not exist", hint) from error
        except OSError as error:
            hint = AS_ITS_USER if isinstance(error, PermissionError) else RIGHT_FILE
            raise SourceRefused(f"{self._what} cannot be opened: {error_text(error)}", hint) from error
        has_journal = self._has_journal()
        has_open_log = False
        abandoned_log = None
        with suppress(OSError):
            log = self._log.stat()
            # A write that failed on a full disk leaves an empty -wal and a broken -shm: SQLite reads nothing by these.
            if log.st_size and self._has_index():
                has_open_log = True
            elif log.st_size:
                abandoned_log = (log.st_size, log.st_mtime_ns)
        return DatabaseState(state.st_ino, state.st_size, state.st_mtime_ns, has_journal, has_open_log, abandoned_log)

    def look_when_settled(self) -> DatabaseState:
        """The same, after a tick of the clock where that is needed to tell the next write from the last."""
        state = self.look()
        if state.is_fresh and state.is_at_rest:
            time.sleep(TICK_SECONDS)
            state = self.look()
        return state

    def is_small(self) -> bool:
        """Whether it may be checked as a whole; also False where it cannot be read: whoever asks for rows is told."""
        try:
            return file_state(self.path).st_size <= _CHECKED_BYTES
        except FileUnreadable:
            return False

    def has_log(self) -> bool:
        """Whether a write-ahead log is there that is not empty. Raises OSError where there is none."""
        return self._log.stat().st_size > 0

    def holds_a_transaction(self) -> bool:
        """Whether a log that nobody has open holds one. Raises SourceInterrupted."""
        try:
            return holds_a_transaction(self._log)
        except FileNotFoundError:
            return False
        except (OSError, TooLong) as error:
            raise SourceInterrupted(
                f"{self._what} has a write-ahead log that cannot be read without changing files beside it",
                "start the Blueplane server, which finishes or drops what the log holds",
            ) from error

    def why_refused(self) -> str:
        """What to do where SQLite could not open the file or the files beside it."""
        if os.access(self.file, os.R_OK) and os.access(self.file.parent, os.W_OK):
            return RIGHT_FILE
        # Reading through a write-ahead log needs the file -shm, which whoever runs Blueplane can make.
        return AS_ITS_USER

    def _has_index(self) -> bool:
        """Whether the index of a log is there. Raises SourceRefused where it is none that SQLite could read."""
        try:
            state = self._index.lstat()
        except OSError:
            return False
        if not stat.S_ISREG(state.st_mode):
            # SQLite would wait for a pipe for ever, and asks ten seconds for a folder.
            raise SourceRefused(f"{self._what} cannot be opened: its -shm is not a regular file", RIGHT_FILE)
        return True

    def _has_journal(self) -> bool:
        try:
            return self._journal.stat().st_size > 0  # an empty one is what some writers leave behind
        except OSError:
            return False

    def _beside(self, end: str) -> Path:
        return self.file.with_name(self.file.name + end)
