"""The database as a source: no trace of the reading, no stale answer, an end to every query."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.demo import schema
from blueplane_doctor.errors import (
    SourceDamaged,
    SourceError,
    SourceInterrupted,
    SourceMissing,
    SourceRefused,
    SourceTimeout,
    SourceUnusable,
)
from blueplane_doctor.sources import Deadline, database_files, database_source
from blueplane_doctor.sources.database_files import DatabaseFiles, DatabaseState
from blueplane_doctor.sources.database_source import DatabaseSource

COUNT = "SELECT count(*) FROM cursor_sessions"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "telemetry.db"
    schema.create_database(path)
    return path


def add_session(path: Path) -> None:
    """What a writer does: opens, writes, closes; the log is gone afterwards."""
    with closing(schema.connect(path)) as connection:
        connection.execute("INSERT INTO cursor_sessions VALUES (hex(randomblob(8)), 'e', 'w', '2026-01-01', NULL)")


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute(COUNT).fetchone()[0])


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_database_that_nobody_has_open_is_read_without_a_trace(file: Path) -> None:
    with closing(DatabaseSource(file, Deadline(5))) as source:
        assert source.rows(COUNT) == [(0,)]
        assert names(file.parent) == ["telemetry.db"]
    assert names(file.parent) == ["telemetry.db"]


def test_a_change_between_look_and_answer_is_noticed_and_asked_again(file: Path) -> None:
    answers = []

    def ask(connection: sqlite3.Connection) -> int:
        answers.append(count(connection))
        if len(answers) == 1:
            add_session(file)
        return answers[-1]

    with closing(DatabaseSource(file, Deadline(5))) as source:
        assert source.read(ask) == 1, "the first answer was stale and is thrown away"
        assert answers == [0, 1]


def test_a_change_between_two_reads_is_seen(file: Path) -> None:
    with closing(DatabaseSource(file, Deadline(5))) as source:
        assert source.read(count) == 0
        add_session(file)
        assert source.read(count) == 1


def test_a_database_that_never_rests_is_read_in_the_end(file: Path) -> None:
    asked = []

    def ask(connection: sqlite3.Connection) -> int:
        asked.append(count(connection))
        if len(asked) < 20:
            add_session(file)
        return asked[-1]

    with closing(DatabaseSource(file, Deadline(10))) as source:
        assert source.read(ask) == len(asked) - 1
        assert 3 < len(asked) < 12


@pytest.mark.slow
def test_two_writes_of_one_clock_tick_are_told_apart(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second leaves size and time stamp as they were: nothing but the stamp's age tells that it may have been."""
    answers = []

    def ask(connection: sqlite3.Connection) -> int:
        answers.append(count(connection))
        if len(answers) == 1:
            add_session(file)
            os.utime(file, ns=(stamp, stamp))
        return answers[-1]

    monkeypatch.setattr(database_files, "TICK_SECONDS", 0.5)
    stamp = time.time_ns() + 400_000_000  # still fresh after a first wait
    os.utime(file, ns=(stamp, stamp))
    with closing(DatabaseSource(file, Deadline(5))) as source:
        assert source.read(ask) == 1
        assert answers[:2] == [0, 1]


def test_a_stamp_of_the_future_is_no_reason_to_read_again(file: Path) -> None:
    asked = []
    os.utime(file, (time.time() + 3600,) * 2)
    with closing(DatabaseSource(file, Deadline(5))) as source:
        source.read(lambda connection: asked.append(count(connection)))
    assert asked == [0]


def test_locks_of_this_process_outlive_the_reading(file: Path) -> None:
    """Whoever opens and closes the file beside SQLite takes every lock away that its process holds on it."""
    ask = f"import sqlite3; sqlite3.connect({str(file)!r}, timeout=0, isolation_level=None).execute('BEGIN IMMEDIATE')"
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = DELETE")
        writer.execute("BEGIN IMMEDIATE")
        with closing(DatabaseSource(file, Deadline(5))) as source:
            assert source.read(count) == 0
        with closing(DatabaseSource(file, Deadline(5))) as source:
            assert source.read(count) == 0
        other = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    assert "database is locked" in other.stderr, "another process could write into the middle of a transaction"


def test_a_file_that_vanishes_between_question_and_answer_is_missing(file: Path) -> None:
    with closing(DatabaseSource(file, Deadline(5))) as source, pytest.raises(SourceMissing, match="does not exist"):
        source.read(lambda connection: file.unlink())


def test_rows_that_are_only_in_the_log_are_seen(file: Path) -> None:
    with closing(schema.connect(file)) as writer, closing(DatabaseSource(file, Deadline(5))) as source:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("INSERT INTO cursor_sessions VALUES ('a', 'e', 'w', '2026-01-01', NULL)")
        assert source.read(count) == 1
        writer.execute("INSERT INTO cursor_sessions VALUES ('b', 'e', 'w', '2026-01-01', NULL)")
        assert source.read(count) == 2


def test_a_writer_that_comes_after_the_first_look_is_seen(file: Path) -> None:
    with closing(DatabaseSource(file, Deadline(5))) as source:
        assert source.read(count) == 0
        with closing(schema.connect(file)) as writer:
            writer.execute("PRAGMA wal_autocheckpoint = 0")
            writer.execute("INSERT INTO cursor_sessions VALUES ('a', 'e', 'w', '2026-01-01', NULL)")
            assert source.read(count) == 1


def test_readers_that_come_and_go_refuse_no_writer(file: Path) -> None:
    """Opening a log after its last writer is a recovery, under a lock; a writer waits for it as Blueplane's do."""
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            with closing(DatabaseSource(file, Deadline(30))) as source:
                source.rows(COUNT)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(300):
            add_session(file)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    with closing(sqlite3.connect(file)) as connection:
        assert count(connection) == 300


def test_nothing_can_be_written_through_it(file: Path) -> None:
    with closing(DatabaseSource(file, Deadline(5))) as source:
        for statement in ("DELETE FROM cursor_sessions", "CREATE TABLE x (y)", "PRAGMA user_version = 7"):
            with pytest.raises(SourceError):
                source.rows(statement)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (0,)


def test_the_deadline_ends_a_query_that_would_take_for_ever(file: Path) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    began = time.monotonic()
    with closing(DatabaseSource(file, Deadline(0.2))) as source:
        with pytest.raises(SourceTimeout, match=r"no answer within the run's 0\.2 s") as raised:
            source.rows(endless)
        assert time.monotonic() - began < 5
        assert "--timeout" in raised.value.hint
        with pytest.raises(SourceTimeout):
            source.rows(COUNT)


def test_the_first_failure_to_open_is_remembered(tmp_path: Path) -> None:
    source = DatabaseSource(tmp_path / "none.db", Deadline(5))
    with pytest.raises(SourceMissing) as first:
        source.tables()
    schema.create_database(tmp_path / "none.db")
    with pytest.raises(SourceMissing) as second:
        source.tables()
    assert first.value is second.value


@pytest.mark.parametrize(
    "name",
    [
        *("a b.db", "per%20cent.db", "question?mode=rwc.db", "hash#.db", "ümläut.db", "per%.db"),
        pytest.param("\udcff.db", marks=pytest.mark.skipif(sys.platform != "linux", reason="names there are UTF-8")),
    ],
)
def test_a_file_of_any_name_is_found_and_no_option_is_smuggled_in(tmp_path: Path, name: str) -> None:
    schema.create_database(tmp_path / name)
    with closing(DatabaseSource(tmp_path / name, Deadline(5))) as source:
        assert "cursor_sessions" in source.tables()
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("held", [True, False])
def test_the_log_beside_the_target_of_a_link_is_read(file: Path, tmp_path: Path, held: bool) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    link = folder / "telemetry.db"
    link.symlink_to(Path("..") / "telemetry.db")
    with closing(schema.connect(file)) as holder:
        if held:
            holder.execute("PRAGMA wal_autocheckpoint = 0")
            holder.execute(COUNT).fetchone()
        add_session(file)
        with closing(DatabaseSource(link, Deadline(5))) as source:
            assert source.read(count) == 1
    assert names(folder) == ["telemetry.db"]


def test_a_link_to_itself_cannot_be_opened(tmp_path: Path) -> None:
    link = tmp_path / "telemetry.db"
    link.symlink_to(link)
    with closing(DatabaseSource(link, Deadline(5))) as source, pytest.raises(SourceRefused):
        source.tables()


def test_damage_that_one_question_met_is_remembered(file: Path) -> None:
    def ask(connection: sqlite3.Connection) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    with closing(DatabaseSource(file, Deadline(5))) as source:
        source.look_for_damage()
        assert source.damage is None
        with pytest.raises(SourceDamaged) as raised:
            source.read(ask)
        assert source.damage is raised.value


def test_damage_is_looked_for_in_the_pages_that_no_question_reads(file: Path) -> None:
    with closing(schema.connect(file)) as connection:
        connection.execute("CREATE TABLE big (x)")
        connection.execute("INSERT INTO big SELECT randomblob(60000) FROM sqlite_master")
    content = bytearray(file.read_bytes())
    content[-8 * 4096 :] = b"\xaa" * (8 * 4096)
    file.write_bytes(content)
    with closing(DatabaseSource(file, Deadline(5))) as source:
        assert source.rows(COUNT) == [(0,)]
        with pytest.raises(SourceDamaged):
            source.look_for_damage()


def test_a_hot_journal_is_named(file: Path) -> None:
    script = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('PRAGMA journal_mode = DELETE'); c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN IMMEDIATE'); "
        "c.execute('CREATE TABLE big (x)'); "
        "[c.execute('INSERT INTO big VALUES (randomblob(9000))') for _ in range(300)]; os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-I", "-c", script, str(file)], check=False)
    with closing(DatabaseSource(file, Deadline(5))) as source:
        with pytest.raises(SourceInterrupted, match="a crash left a rollback journal") as raised:
            source.tables()
        assert "next start" in raised.value.hint
        assert source.damage is None


@pytest.fixture
def abandoned(file: Path, tmp_path: Path) -> Path:
    """A copy with its log, as after a crash: two sessions, of which one is only in the log; no -shm."""
    copies = tmp_path / "copies"
    copies.mkdir()
    add_session(file)
    with closing(schema.connect(file)) as writer:
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        add_session(file)
        for end in ("", "-wal"):
            shutil.copy(f"{file}{end}", copies / f"copy.db{end}")
    return copies / "copy.db"


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_a_log_that_nobody_has_open_is_read_and_nothing_is_left_behind(abandoned: Path) -> None:
    before = contents(abandoned.parent)
    with closing(DatabaseSource(abandoned, Deadline(30))) as source:
        assert source.read(count) == 2
        assert contents(abandoned.parent) == before
    assert contents(abandoned.parent) == before


@pytest.mark.parametrize("content", [b"", b"no log at all" * 9], ids=["empty", "something else"])
def test_a_log_without_a_transaction_stays_where_it_is(abandoned: Path, content: bytes) -> None:
    """SQLite would delete it."""
    abandoned.with_name("copy.db-wal").write_bytes(content)
    before = contents(abandoned.parent)
    with closing(DatabaseSource(abandoned, Deadline(30))) as source:
        assert source.read(count) == 1
    assert contents(abandoned.parent) == before


def test_a_writer_that_opens_an_abandoned_log_is_seen(abandoned: Path) -> None:
    with closing(DatabaseSource(abandoned, Deadline(30))) as source:
        assert source.read(count) == 2
        with closing(schema.connect(abandoned)) as writer:
            assert writer.execute(COUNT).fetchone() == (2,)
            add_session(abandoned)
            assert source.read(count) == 3


def test_text_that_is_not_utf_8_is_no_error_that_quotes_it(file: Path) -> None:
    with closing(DatabaseSource(file, Deadline(30))) as source:
        assert source.rows("SELECT CAST(x'ff70726976617465' AS TEXT)") == [("\ufffdprivate",)]


def test_values_of_gigabytes_are_refused(file: Path) -> None:
    with closing(DatabaseSource(file, Deadline(30))) as source:
        with pytest.raises(SourceUnusable):
            source.rows("SELECT zeroblob(1000000000)")
        assert source.rows("SELECT 1") == [(1,)]


def test_a_row_with_a_large_value_beside_is_read(file: Path) -> None:
    with closing(schema.connect(file)) as connection:
        connection.execute("CREATE TABLE big (a, b, c)")
        connection.execute("INSERT INTO big VALUES (1, zeroblob(20000000), 2)")
    with closing(DatabaseSource(file, Deadline(30))) as source:
        assert source.rows("SELECT a FROM big") == [(1,)]


def test_rows_without_end_are_refused(file: Path) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    with (
        closing(DatabaseSource(file, Deadline(60))) as source,
        pytest.raises(SourceUnusable, match="more than 200,000"),
    ):
        source.rows(endless)


def test_an_editors_database_is_read_between_two_writes_and_never_locked(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_source, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = DELETE")
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE cursor_sessions SET ended_at = 1")
        writer.execute("INSERT INTO cursor_sessions VALUES ('1', 'e', 'w', '2026-01-01', NULL)")
        source = DatabaseSource(file, Deadline(5), without_locks=True)
        with closing(source), pytest.raises(SourceTimeout, match="was being written for"):
            source.rows(COUNT)
        writer.execute("COMMIT")
        with closing(DatabaseSource(file, Deadline(5), without_locks=True)) as source:
            assert source.rows(COUNT) == [(1,)]
            writer.execute("DELETE FROM cursor_sessions")  # though the reader has it open
    assert names(file.parent) == ["telemetry.db"]


def test_an_editors_database_that_never_rests_is_told_and_not_locked(file: Path) -> None:
    def writes_meanwhile(connection: sqlite3.Connection) -> int:
        answer = count(connection)
        add_session(file)
        return answer

    source = DatabaseSource(file, Deadline(5), without_locks=True)
    with closing(source), pytest.raises(SourceTimeout, match="changed at each of 5 readings"):
        source.read(writes_meanwhile)


def test_an_empty_journal_is_no_write_on_its_way(file: Path) -> None:
    file.with_name("telemetry.db-journal").touch()
    with closing(DatabaseSource(file, Deadline(5), without_locks=True)) as source:
        assert source.rows(COUNT) == [(0,)]


def test_a_write_that_ends_between_two_looks_is_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the file would be opened as one that changes, and locked."""
    journals = iter([True, True, True])
    opened: list[DatabaseState] = []
    original = DatabaseSource._open

    def noted(self: DatabaseSource, state: DatabaseState) -> sqlite3.Connection:
        opened.append(state)
        return original(self, state)

    monkeypatch.setattr(DatabaseFiles, "_has_journal", lambda _: next(journals, False))
    monkeypatch.setattr(DatabaseSource, "_open", noted)
    with closing(DatabaseSource(file, Deadline(5), without_locks=True)) as source:
        assert source.rows(COUNT) == [(0,)]
    assert [state.is_at_rest for state in opened] == [True]


def test_a_schema_that_is_not_utf_8_is_damaged(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = 1")
        broken = "INSERT INTO sqlite_master VALUES ('table', CAST(x'fffe' AS TEXT), 'x', 0, CAST(x'ff41' AS TEXT))"
        connection.execute(broken)
    with closing(DatabaseSource(file, Deadline(5))) as source:
        for _ in range(2):
            with pytest.raises(SourceDamaged, match="malformed database schema"):
                source.tables()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink(path, path)])
def test_an_index_of_the_log_that_is_no_file_is_told_at_once(file: Path, make: Callable[[Path], None]) -> None:
    file.with_name(f"{file.name}-wal").write_bytes(b"x" * 5_000)
    make(file.with_name(f"{file.name}-shm"))
    with closing(DatabaseSource(file, Deadline(5))) as source, pytest.raises(SourceRefused, match="not a regular file"):
        source.tables()
