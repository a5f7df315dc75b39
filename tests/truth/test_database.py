"""The database: damaged, in the middle of a write, behind a symbolic link."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.truth.registry import ONE_SERVER
from tests.truth.situation import Situation
from tests.truth.situations import SITUATIONS, instances


@pytest.mark.parametrize(
    ("name", "server"),
    instances(
        "database-damaged-stale-wal",
        "database-damaged-truncated",
        "database-damaged-header",
        "database-damaged-pages",
        "database-damaged-zeroed",
        "database-beside-another-log",
        servers=ONE_SERVER,
    ),
)
def test_a_damaged_database_is_red_and_custody_unknown(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        finding = examination.finding("database-reachable")
        assert finding["status"] == "red"
        assert "damaged" in finding["summary"] or "not a SQLite database" in finding["summary"]
        assert "copy" in finding["remedy"]["text"] or "--database" in finding["remedy"]["text"]
        assert examination.exit_code == 1
        assert not (examination.custody or {}).get("chain_break_count")
        assert examination.finding("chain-breaks")["status"] in ("unknown", "skipped")


@pytest.mark.parametrize(("name", "server"), instances("database-emptied", "database-deleted", servers=ONE_SERVER))
def test_a_database_without_tables_needs_a_restart(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        finding = examination.finding("database-reachable")
        assert finding["status"] == "red"
        assert "restart it where it runs" in finding["remedy"]["text"]
        assert not (examination.custody or {}).get("chain_break_count")


def test_a_hot_journal_waits_for_the_next_start(tmp_path: Path) -> None:
    with SITUATIONS["hot-journal"].built(*ONE_SERVER, tmp_path / "p") as situation:
        examination = situation.doctor()
        finding = examination.finding("database-reachable")
        assert finding["status"] == "orange"
        assert "a crash left a rollback journal" in finding["summary"]
        assert "user that runs" not in finding["remedy"]["text"]
        assert examination.finding("chain-breaks")["status"] == "unknown"


@pytest.mark.parametrize(
    ("name", "server"),
    instances(
        "database-symlinked",
        "database-symlinked-not-open",
        "home-symlinked",
        "log-of-a-dead-writer",
        "log-of-a-dead-writer-no-shm",
        servers=ONE_SERVER,
    ),
)
def test_rows_are_found_wherever_the_log_is(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        assert examination.finding("database-reachable")["status"] == "green"
        assert examination.custody["chain_break_count"] == 0
        assert examination.custody["states"]["written"] == situation.truth.written
        if name == "database-symlinked":
            assert examination.report["metrics"]["database"]["wal_size_mb"] > 0


def test_without_a_table_of_a_route_its_messages_are_not_accounted_for(tmp_path: Path) -> None:
    """Nobody can look up the rows of a table that is gone."""
    with Situation("valkey-9.1", tmp_path) as situation:
        situation.healthy_work(cursor=12, claude=4, unwritten=1)
        with closing(sqlite3.connect(situation.database)) as connection:
            connection.execute("DROP TABLE cursor_raw_traces")
        examination = situation.doctor()
    breaks = examination.finding("chain-breaks")
    assert breaks["status"] == "unknown"
    assert "there is no table cursor_raw_traces" in breaks["cause"]
    assert examination.custody["states"]["unexamined"] == 12
    assert examination.custody["states"]["written"] == 4
