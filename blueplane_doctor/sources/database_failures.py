"""What SQLite says when it cannot read a database, and what the doctor says then, with what to do about it."""

import re
import sqlite3
from typing import NamedTuple

from blueplane_doctor.errors import (
    SourceDamaged,
    SourceError,
    SourceInterrupted,
    SourceMissing,
    SourceRefused,
    SourceTimeout,
    SourceUnusable,
)

AS_ITS_USER = "run the doctor as the user that runs Blueplane"
RIGHT_FILE = "name the right file with --database"
HOLDER = "see which process holds the lock (lsof shows who has the file open), and end it or wait for it"
ANOTHER_LOG = (
    "stop the server and copy the database with the -wal and -shm beside it to another folder before anything else; "
    "then, without these two, the file is as it was at its last checkpoint"
)
_MORE_TIME = "give more time with --timeout"
_DAMAGED = (
    "stop the server and copy the database with the -wal and -shm beside it to another folder before anything else; "
    "sqlite3's .recover on the copy reads what can still be read"
)
_JOURNAL = "the next start of the Blueplane server rolls the journal back; leave it beside the database until then"
_FULL = "make room on the disk of the database"
_BROKEN_OR_FULL = (
    "see whether its disk is full (df) or broken (the system's log): until then delete nothing beside the database"
)
_COMPUTED = ": what is read there is computed, where the pipeline stores it"
"""See computed_values.py."""


class Failure(NamedTuple):
    """One way in which SQLite fails."""

    pattern: str
    """Found in SQLite's name for the error, or in its sentence."""
    lasts: bool
    """Whether it will say so again."""
    kind: type[SourceError]
    text: str
    """What follows the database's name; `message` is SQLite's own sentence, `limit` and `busy` are seconds."""
    hint: str


_FAILURES = (
    Failure("interrupted", False, SourceTimeout, " gave no answer within the run's {limit:g} s", _MORE_TIME),
    Failure("locked|busy", True, SourceTimeout, " stayed locked for {busy:g} s", HOLDER),
    Failure("no such (table|column)", False, SourceMissing, ": {message}", ""),
    Failure("not a database", True, SourceDamaged, " is not a SQLite database", RIGHT_FILE),
    Failure("malformed|corrupt|SQLITE_CORRUPT", True, SourceDamaged, " is damaged: {message}", _DAMAGED),
    Failure("READONLY_ROLLBACK", True, SourceInterrupted, " cannot be read: a crash left a rollback journal", _JOURNAL),
    Failure("disk is full", True, SourceRefused, " cannot be read: the disk is full", _FULL),
    Failure("disk I/O error", False, SourceUnusable, " cannot be read: disk I/O error", _BROKEN_OR_FULL),
    Failure("unable to open|readonly|(?i:permission)", True, SourceRefused, " cannot be opened: {message}", ""),
    Failure("prohibited|not authorized", False, SourceUnusable, _COMPUTED, RIGHT_FILE),
    Failure("", False, SourceUnusable, ": {message}", ""),
)
"""The first whose pattern is found counts; the last fits every error."""


def failure_of(error: sqlite3.Error) -> Failure:
    """Which of them an error is."""
    described = f"{getattr(error, 'sqlite_errorname', '')} {error}"
    return next(failure for failure in _FAILURES if re.search(failure.pattern, described))
