"""Faults of the telemetry database: not there, something else, damaged, locked, strange, or changing in mid run."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from tests import hostile_files
from tests.faults.redis_faults import in_mid_run
from tests.faults.registry import OF_DATABASE, Apply, Fault, add
from tests.faults.stage import Stage
from tests.truth.situation import Situation

_COMMANDS = ("examine", "trace", "watch", "record", "support", "evidence", "install", "repair")
_WHOLE = (*_COMMANDS, "serve", "pytest", "probe", "dlq")
_PAGE = 4096
_ROWS = 30_000_000
_WRITTEN_BY = (
    "INSERT INTO cursor_raw_traces (sequence, event_id, event_type, timestamp, ingested_at, event_data) "
    "VALUES (?, ?, 'e', '2026-01-01T00:00:00Z', '2026-01-01 00:00:00', x'00')"
)


def _done(change: Callable[[Stage], object]) -> Apply:
    """The change is made before the run."""

    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        change(stage)
        yield

    return apply


def _file(stage: Stage) -> Path:
    return stage.situation.database


def _connected(stage: Stage) -> sqlite3.Connection:
    return sqlite3.connect(_file(stage), isolation_level=None)


def _in_place(kind: str) -> Callable[[Stage], None]:
    def change(stage: Stage) -> None:
        _without_log(stage)
        hostile_files.put(kind, _file(stage))

    return change


def _without_log(stage: Stage) -> None:
    """All rows are in the file itself, and no log is beside it."""
    with closing(_connected(stage)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")


def _overwritten(start: int, content: bytes) -> Callable[[Stage], None]:
    def change(stage: Stage) -> None:
        _without_log(stage)
        with _file(stage).open("r+b") as file:
            file.seek(start)
            file.write(content)

    return change


def _truncated(size: int) -> Callable[[Stage], None]:
    def change(stage: Stage) -> None:
        _without_log(stage)
        os.truncate(_file(stage), size)

    return change


def _missing(stage: Stage) -> None:
    _without_log(stage)
    _file(stage).unlink()


def _damaged_log(stage: Stage) -> None:
    _file(stage).with_name("telemetry.db-wal").write_bytes(b"\x37\x7f\x06\x82" + b"\xff" * 10_000)


def _of_another_program(stage: Stage) -> None:
    _missing(stage)
    with closing(_connected(stage)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")


def _tables_dropped(stage: Stage) -> None:
    with closing(_connected(stage)) as connection:
        connection.execute("DROP TABLE cursor_raw_traces")


def _another_column(stage: Stage) -> None:
    with closing(_connected(stage)) as connection:
        connection.execute("ALTER TABLE claude_raw_traces RENAME COLUMN uuid TO line_uuid")


def _strange_values(value: object) -> Callable[[Stage], None]:
    """In each row and each column that takes it, this value."""

    def change(stage: Stage) -> None:
        with closing(_connected(stage)) as connection:
            connection.text_factory = bytes
            names = [row[0].decode() for row in connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")]
            for table in names:
                if table.startswith("sqlite_"):
                    continue
                _put_everywhere(connection, table, value)

    return change


def _put_everywhere(connection: sqlite3.Connection, table: str, value: object) -> None:
    for column in connection.execute(f"PRAGMA table_info({table})").fetchall():
        name = column[1].decode()
        with contextlib.suppress(sqlite3.Error):
            connection.execute(f'UPDATE OR IGNORE {table} SET "{name}" = ?', (value,))


def _not_utf8(stage: Stage) -> None:
    with closing(_connected(stage)) as connection:
        for column in ("event_id", "event_type", "timestamp", "ingested_at"):
            connection.execute(f"UPDATE OR IGNORE cursor_raw_traces SET {column} = CAST(x'fffe00ff' AS TEXT)")


_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
connection.execute("CREATE TABLE other (id)")  # only a journal beside the file makes readers heed the lock
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def _held(stage: Stage, begin: str) -> Iterator[None]:
    # In a process of its own: the snapshot of the files would take away the locks of this one when it closes them.
    command = [sys.executable, "-c", _HOLD, str(_file(stage)), begin]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield


@contextlib.contextmanager
def _locked(stage: Stage) -> Iterator[None]:
    """Somebody writes into a database without a write-ahead log and does not end."""
    _without_log(stage)
    with _held(stage, "BEGIN EXCLUSIVE"):
        yield


@contextlib.contextmanager
def _a_writer_holds_it(stage: Stage) -> Iterator[None]:
    """The same beside a write-ahead log: readers need not wait."""
    with _held(stage, "BEGIN IMMEDIATE"):
        yield


_CRASH = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("PRAGMA cache_spill = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("CREATE TABLE half (text)")
for number in range(300):
    connection.execute("INSERT INTO half VALUES (?)", ("x" * 2000,))
os._exit(0)
"""


def _hot_journal(stage: Stage) -> None:
    """A writer was killed in the middle of a transaction."""
    _without_log(stage)
    subprocess.run([sys.executable, "-c", _CRASH, str(_file(stage))], check=True)
    assert _file(stage).with_name("telemetry.db-journal").stat().st_size


def _not_writable(stage: Stage) -> None:
    _file(stage).chmod(0o400)


def _for_nobody(stage: Stage) -> None:
    _file(stage).chmod(0)


def _many_rows(stage: Stage) -> None:
    """As many numbers as a table of that many rows has: rows at both ends, and a hole that bisecting meets."""
    with closing(_connected(stage)) as connection:
        connection.execute("BEGIN")
        for part in range(1, 60_001):
            connection.execute(_WRITTEN_BY, (part * (_ROWS // 60_000), f"r{part}"))
        connection.execute("COMMIT")


BEFORE: dict[str, tuple[Apply, tuple[str, ...], frozenset[str]]] = {
    "missing": (_done(_missing), ("does not exist",), OF_DATABASE),
    "directory": (_done(_in_place("folder")), ("folder", "directory", "no file"), OF_DATABASE),
    "fifo": (_done(_in_place("fifo")), ("pipe", "FIFO", "not a regular file", "no regular file"), OF_DATABASE),
    "device": (_done(_in_place("device")), ("device", "regular file"), OF_DATABASE),
    "circle": (_done(_in_place("circle")), ("link",), OF_DATABASE),
    "dangling": (_done(_in_place("dangling")), ("does not exist",), OF_DATABASE),
    "text": (_done(_in_place("large")), ("not a SQLite database", "damaged"), OF_DATABASE),
    "sparse": (_done(_in_place("sparse")), ("database",), OF_DATABASE),
    "binary": (_done(_in_place("binary")), ("not a SQLite database", "damaged"), OF_DATABASE),
    "empty": (_done(_truncated(0)), ("table",), OF_DATABASE),
    "damaged-header": (_done(_overwritten(0, b"\xff" * 100)), ("not a SQLite database", "damaged"), OF_DATABASE),
    "damaged-first-page": (_done(_overwritten(100, b"\xff" * 3_000)), ("damaged",), OF_DATABASE),
    "damaged-page": (_done(_overwritten(2 * _PAGE, b"\xa5" * 4 * _PAGE)), ("damaged",), OF_DATABASE),
    "cut-off": (_done(_truncated(3 * _PAGE)), ("damaged",), OF_DATABASE),
    "damaged-log": (_done(_damaged_log), (), frozenset()),
    "of-another-program": (_done(_of_another_program), ("table",), OF_DATABASE),
    "table-dropped": (_done(_tables_dropped), ("no table cursor_raw_traces",), frozenset(("chain",))),
    "another-column": (_done(_another_column), (), frozenset()),
    "nulls": (_done(_strange_values(None)), (), frozenset()),
    "blobs": (_done(_strange_values(b"\xff\x00\xfe")), (), frozenset()),
    "large-integers": (_done(_strange_values(2**63 - 1)), (), frozenset()),
    "fractions": (_done(_strange_values(1e308)), (), frozenset()),
    "texts": (_done(_strange_values("\x1b]52;c;QUFB\x07::error::")), (), frozenset()),
    "not-utf-8": (_done(_not_utf8), (), frozenset()),
    "locked": (_locked, ("locked",), OF_DATABASE),
    "held-by-a-writer": (_a_writer_holds_it, (), frozenset()),
    "hot-journal": (_done(_hot_journal), ("crash", "middle of a write", "journal"), OF_DATABASE),
    "not-writable": (_done(_not_writable), (), frozenset()),
    "no-permission": (_done(_for_nobody), (), frozenset()),
    "thirty-million-numbers": (_done(_many_rows), (), frozenset()),
}
_ALL_COMMANDS = ("missing", "fifo", "damaged-page", "locked")
for _name, (_apply, _says, _blinds) in BEFORE.items():
    _chosen = _COMMANDS
    if _name in _ALL_COMMANDS:
        _chosen = _WHOLE
    add(Fault(f"database-{_name}", "database", _apply, _chosen, _says, _blinds))


def _replaced(stage: Stage) -> None:
    other = _file(stage).with_name("other.db")
    shutil.copy(_file(stage), other)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("DELETE FROM cursor_raw_traces")
        connection.commit()
    other.rename(_file(stage))


def _vacuumed(stage: Stage) -> None:
    with closing(_connected(stage)) as connection:
        connection.execute("VACUUM")


def _deleted(stage: Stage) -> None:
    for file in _file(stage).parent.glob("telemetry.db*"):
        file.unlink()


def _dropped(stage: Stage) -> None:
    with contextlib.suppress(sqlite3.OperationalError):
        _tables_dropped(stage)


def _cut_off(stage: Stage) -> None:
    os.truncate(_file(stage), _PAGE)


MID_RUN: dict[str, Callable[[Stage], None]] = {
    "replaced": _replaced,
    "vacuumed": _vacuumed,
    "deleted": _deleted,
    "table-dropped": _dropped,
    "cut-off": _cut_off,
}
for _name, _happens in MID_RUN.items():
    add(
        Fault(
            f"database-in-mid-run-{_name}",
            "database",
            in_mid_run(_happens),
            ("examine", "trace", "watch", "record", "support", "repair"),
            (),
            OF_DATABASE,
            changes=True,
        )
    )


def _log_grows(situation: Situation) -> None:
    """Rows in the log alone, 5 MB of it, because somebody reads all the time."""
    situation.healthy_work(cursor=12, claude=4, unwritten=1)
    reader = situation.hold(closing(sqlite3.connect(situation.database, isolation_level=None)))
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM cursor_raw_traces").fetchall()
    with closing(sqlite3.connect(situation.database)) as connection:
        connection.execute("CREATE TABLE other (text)")
        connection.execute("INSERT INTO other VALUES (?)", ("x" * 5_000_000,))
        connection.commit()


add(Fault("database-large-log", "database", _done(lambda stage: None), _COMMANDS, prepare=_log_grows))
