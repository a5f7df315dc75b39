"""Disks that are full or take no writes, and a database that its server may not write: each is named."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import redis

from tests.parameters import one_quick
from tests.truth import rows
from tests.truth.disks import fill, mount_read_only, small_disk
from tests.truth.messages import CURSOR_GROUP, QUEUE
from tests.truth.situation import Situation

ANOTHER_USER = 65_534
ROOMY = 4_000
"""Megabytes of which disk-space says nothing; what is not used takes no memory."""
SERVERS = one_quick(["valkey-9.1", "redis-7.0"])


@contextmanager
def _database_on(disk: Path, folder: Path, server: str = "valkey-9.1") -> Iterator[Situation]:
    """A healthy pipeline whose telemetry.db is a link to a file on that disk."""
    with Situation(server, folder) as situation:
        target = disk / "telemetry.db"
        target.write_bytes(situation.database.read_bytes())
        situation.database.unlink()
        situation.database.symlink_to(target)
        situation.live_server()
        situation.healthy_work(ago_s=600)
        yield situation


@pytest.mark.server
@pytest.mark.parametrize("is_open", one_quick([False, True]))
def test_a_database_on_a_full_disk(is_open: bool, tmp_path: Path) -> None:
    """Whether a write-ahead log with rows lies beside it or not: what is written is found, what is stuck is told."""
    with small_disk(tmp_path / "disk", 8) as disk, _database_on(disk, tmp_path / "p") as situation:
        if is_open:
            situation.hold(closing(rows.connect(situation.database))).execute("SELECT count(*) FROM cursor_raw_traces")
        situation.healthy_work(cursor=10, ago_s=300)
        ids = situation.add_cursor(20, ago_s=200)
        situation.deliver(CURSOR_GROUP)
        situation.age(CURSOR_GROUP, ids, idle_ms=190_000)
        situation.pass_over("claude_processors")
        fill(disk)
        with pytest.raises(sqlite3.OperationalError, match="disk is full|disk I/O error"):
            situation.write(ids)
        situation.log("ERROR", "sqlite3.OperationalError: database or disk is full", ago_s=190, times=3)
        examination = situation.doctor()
        assert examination.status == "red"
        disk_space = examination.finding("disk-space")
        assert (disk_space["status"], disk_space["observed"]) == ("red", 0)
        assert "the disk of the telemetry database" in disk_space["summary"]
        assert "disk is full" in examination.finding("server-errors")["summary"]
        states = examination.custody["states"]
        assert (states["written"], states["stuck"], states["lost"]) == (102, 20, 0)
        assert "disk-full" in {cause["id"] for cause in examination.report["causes"]}


@pytest.mark.parametrize("server", SERVERS)
def test_an_append_only_file_on_a_full_disk(server: str, tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", 4) as disk,
        Situation(server, tmp_path / "p", dir=str(disk), appendonly="yes") as situation,
    ):
        situation.live_server()
        situation.healthy_work()
        fill(disk)
        with pytest.raises(redis.ResponseError, match="MISCONF"):
            for _ in range(200):
                situation.add_cursor(1)
        examination = situation.doctor()
        writable = examination.finding("redis-writable")
        assert (writable["status"], writable["evidence"]["refusal"]) == ("red", "MISCONF")
        assert "append-only file" in writable["summary"]
        assert examination.finding("redis-reachable")["status"] == "green"
        assert "append-only file cannot be written" in examination.finding("redis-durability")["summary"]
        assert "Redis' own files" in examination.finding("disk-space")["summary"]
        assert examination.status == "red"


@pytest.mark.parametrize("server", SERVERS)
def test_a_snapshot_on_a_full_disk(server: str, tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", 2) as disk,
        Situation(server, tmp_path / "p", dir=str(disk)) as situation,
    ):
        situation.live_server()
        situation.healthy_work()
        fill(disk)
        situation.client.bgsave()
        while situation.client.info("persistence")["rdb_bgsave_in_progress"]:
            pass
        with pytest.raises(redis.ResponseError, match="MISCONF"):
            situation.add_cursor(1)
        examination = situation.doctor()
        writable = examination.finding("redis-writable")
        assert (writable["status"], writable["evidence"]["refusal"]) == ("red", "MISCONF")
        assert "last snapshot failed" in examination.finding("redis-durability")["summary"]
        assert "Redis' own files" in examination.finding("disk-space")["summary"]
        assert situation.client.xlen(QUEUE) == 80


@pytest.mark.server
def test_a_database_on_a_read_only_file_system(tmp_path: Path) -> None:
    """Also for root, who may pass any permission."""
    with small_disk(tmp_path / "disk", ROOMY) as disk, _database_on(disk, tmp_path / "p") as situation:
        assert situation.doctor("--select", "database-writable").finding("database-writable")["status"] == "green"
        mount_read_only(disk)
        examination = situation.doctor()
        finding = examination.finding("database-writable")
        assert finding["status"] == "red"
        assert "mounted read-only" in finding["summary"]
        assert examination.custody["states"]["written"] == 76
        assert "database-not-writable" in {cause["id"] for cause in examination.report["causes"]}


@contextmanager
def _server_of_a_user() -> Iterator[int]:
    """A process that looks like the server, of a user who is not root; its id."""
    user = ANOTHER_USER if os.geteuid() == 0 else None
    with subprocess.Popen(
        ["scripts/start_server.py", "-c", "read line"],
        executable="/bin/sh",
        stdin=subprocess.PIPE,
        cwd="/",
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    ) as process:
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.server
@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "refused"),
    one_quick(
        [
            (0o444, 0o555, ["database", "folder"]),
            (0o444, 0o777, ["database"]),
            (0o666, 0o555, ["folder"]),
            (0o666, 0o777, []),
        ]
    ),
)
def test_a_database_that_the_servers_user_may_not_write(
    file_mode: int, folder_mode: int, refused: list[str], tmp_path: Path
) -> None:
    with Situation("valkey-9.1", tmp_path / "p") as situation, _server_of_a_user() as pid:
        situation.healthy_work()
        situation.write_pid_file(pid)
        situation.database.chmod(file_mode)
        situation.at_end(lambda: situation.home.chmod(0o755))
        situation.home.chmod(folder_mode)
        examination = situation.doctor()
        finding = examination.finding("database-writable")
        assert finding["evidence"]["refused"] == refused
        assert finding["status"] == ("red" if refused else "green")
        assert finding["observed"] == ("no" if refused else "yes")


@pytest.mark.server
def test_root_writes_whatever_the_permissions_say(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the server of this test has to run as root")
    with Situation("valkey-9.1", tmp_path / "p") as situation:
        situation.live_server()
        situation.healthy_work()
        situation.database.chmod(0o444)
        situation.home.chmod(0o555)
        assert situation.doctor().finding("database-writable")["status"] == "green"
