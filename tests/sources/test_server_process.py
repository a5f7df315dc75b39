"""Processes of this machine: who holds the database's write lock."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.demo import schema
from blueplane_doctor.sources import server_process
from blueplane_doctor.sources.server_process import read_pid, write_lock_holder

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
    monkeypatch.setattr(server_process, "LOCKS", locks)
    assert write_lock_holder(database) is None
    assert write_lock_holder(tmp_path / "none.db") is None
    inode = os.stat(database).st_ino
    locks.write_text(f"1: POSIX  ADVISORY  WRITE 0 08:01:{inode} {0x40000001} {0x40000001}\n")
    assert write_lock_holder(database) is None, "a process of another namespace has no number here"


@pytest.mark.parametrize(
    ("content", "pid"),
    [
        ("4242", 4242),
        ("4242\n", 4242),
        ("  4242  ", 4242),
        ('{"pid": 4242, "timestamp": 1.5, "process_name": "blueplane_server"}', 4242),
        ('{"pid": "4242"}', None),
        ('{"process": 4242}', None),
        ("[4242]", None),
        ("", None),
        ("four", None),
        ("-1", None),
        ("0", None),
        ("true", None),
        ("42.5", None),
        ("4294967297", None),
        ("9" * 5_000, None),
        ("[" * 9_000, None),
        ("null", None),
        ("\ufeff4242", None),
    ],
)
def test_the_pid_file_in_all_forms(tmp_path: Path, content: str, pid: int | None) -> None:
    (tmp_path / "server.pid").write_text(content)
    assert read_pid(tmp_path / "server.pid").pid == pid


def test_no_pid_file_binary_junk_or_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "server.pid"
    assert read_pid(path).pid is None
    path.write_bytes(b"\xff\xfe\x00")
    assert read_pid(path).pid is None
    path.unlink()
    path.mkdir()
    assert read_pid(path).pid is None
