"""Whether an abandoned log holds a transaction, as SQLite itself would say."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.sources import write_ahead_log
from blueplane_doctor.sources.write_ahead_log import TooLong, holds_a_transaction


def abandoned(folder: Path, *, rows: int = 5, page_size: int = 4096) -> Path:
    """The log of a copy that was made while a writer had it open."""
    with closing(sqlite3.connect(folder / "open.db", isolation_level=None)) as writer:
        writer.execute(f"PRAGMA page_size = {page_size}")
        writer.execute("PRAGMA journal_mode = wal")
        writer.execute("CREATE TABLE t (x)")
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        writer.executemany("INSERT INTO t VALUES (?)", [("x" * 3_000,)] * rows)
        for end in ("", "-wal"):
            shutil.copy(folder / f"open.db{end}", folder / f"copy.db{end}")
    return folder / "copy.db-wal"


@pytest.mark.parametrize("page_size", [512, 4096, 65536])
def test_a_log_with_transactions(tmp_path: Path, page_size: int) -> None:
    assert holds_a_transaction(abandoned(tmp_path, page_size=page_size))


def test_a_log_of_no_bytes(tmp_path: Path) -> None:
    assert not holds_a_transaction(abandoned(tmp_path, rows=0))


@pytest.mark.parametrize("offset", [0, 8, 16, 24, 32, 40, 48, 100, 4_000])
def test_one_other_byte_makes_it_worthless_to_sqlite_and_to_us(tmp_path: Path, offset: int) -> None:
    log = abandoned(tmp_path, rows=1)
    content = bytearray(log.read_bytes()[: 32 + 24 + 4096])
    content[offset] ^= 0x55
    log.write_bytes(content)
    assert not holds_a_transaction(log)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as reader:
        assert reader.execute("SELECT count(*) FROM t").fetchall() == [(0,)]


@pytest.mark.parametrize("length", [0, 5, 31, 32, 33, 60, 4_000])
def test_a_log_that_was_cut(tmp_path: Path, length: int) -> None:
    log = abandoned(tmp_path)
    os.truncate(log, length)
    assert not holds_a_transaction(log)


def test_a_transaction_without_end_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(tmp_path / "open.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = wal")
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("CREATE TABLE t (x)")
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        writer.execute("BEGIN")
        writer.executemany("INSERT INTO t VALUES (?)", [("x" * 3_000,)] * 50)
        log = tmp_path / "open.db-wal"
        assert not holds_a_transaction(log)
        monkeypatch.setattr(write_ahead_log, "MOST_BYTES", 20_000)
        with pytest.raises(TooLong):
            holds_a_transaction(log)
        writer.execute("ROLLBACK")


def test_a_pipe_in_its_place(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    assert not holds_a_transaction(tmp_path / "log")
