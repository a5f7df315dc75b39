"""Who locks a database, as the system tells."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.demo import schema
from blueplane_doctor.sources import file_locks
from blueplane_doctor.sources.file_locks import is_locked_for_all, write_lock_holder

_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = " + sys.argv[2])
connection.execute(sys.argv[3])
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux tells who holds a lock")
@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
@pytest.mark.parametrize("linked", [False, True])
def test_who_holds_the_write_lock(tmp_path: Path, mode: str, begin: str, linked: bool) -> None:
    database = tmp_path / "telemetry.db"
    schema.create_database(database)
    asked = database
    if linked:
        asked = tmp_path / "link.db"
        asked.symlink_to(database)
    assert write_lock_holder(asked) is None
    command = [sys.executable, "-I", "-c", _HOLD, str(database), mode, begin]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        holder = write_lock_holder(asked)
        assert holder is not None
        assert holder.pid == process.pid
        assert process.stdin is not None
        process.stdin.close()
    assert write_lock_holder(asked) is None


def test_a_reader_holds_no_write_lock(tmp_path: Path) -> None:
    database = tmp_path / "telemetry.db"
    schema.create_database(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM cursor_sessions").fetchone()
        assert write_lock_holder(database) is None


@pytest.mark.parametrize(
    "content", ["", "junk\n", "1: POSIX ADVISORY WRITE x y z w\n", "1: -> POSIX ADVISORY WRITE 1 0:0:0 0 EOF\n"]
)
def test_a_list_of_locks_of_another_form_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    database = tmp_path / "telemetry.db"
    schema.create_database(database)
    locks = tmp_path / "locks"
    locks.write_text(content)
    monkeypatch.setattr(file_locks, "LOCKS", locks)
    assert write_lock_holder(database) is None
    assert write_lock_holder(tmp_path / "none.db") is None
    inode = os.stat(database).st_ino
    locks.write_text(f"1: POSIX  ADVISORY  WRITE 0 08:01:{inode} {0x40000001} {0x40000001}\n")
    assert write_lock_holder(database) is None, "a process of another namespace has no number here"


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux tells who holds a lock")
@pytest.mark.parametrize(
    ("mode", "begin", "for_all"),
    [
        ("DELETE", "BEGIN IMMEDIATE", False),
        ("DELETE", "BEGIN EXCLUSIVE", True),
        ("WAL", "BEGIN IMMEDIATE", False),
    ],
)
def test_a_lock_that_lets_others_read_is_none_for_all(tmp_path: Path, mode: str, begin: str, for_all: bool) -> None:
    database = tmp_path / "telemetry.db"
    schema.create_database(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute(f"PRAGMA journal_mode = {mode}")
        assert not is_locked_for_all(database)
        writer.execute(begin)
        assert is_locked_for_all(database) == for_all
    assert not is_locked_for_all(database)
