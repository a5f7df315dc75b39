"""Section D: faults whose remedy has to be chosen by the reason found."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.truth import messages, rows
from tests.truth.home import DEAD_PID
from tests.truth.messages import CLAUDE_GROUP, CURSOR_GROUP
from tests.truth.registry import ONE_SERVER, situation
from tests.truth.situation import Situation
from tests.truth.truth import Truth

_MINUTES_MS = 360_000


def _stuck_cursor_batch(s: Situation, ids: list[str]) -> None:
    s.deliver(CURSOR_GROUP)
    s.pass_over(CLAUDE_GROUP)
    s.age(CURSOR_GROUP, ids, idle_ms=_MINUTES_MS)


@situation("D", "stuck-behind-a-duplicate", count=40, copies=2)
@situation("D", "stuck-behind-a-duplicate-of-three", count=12, copies=3)
def behind_a_duplicate(s: Situation, count: int, copies: int) -> None:
    """{count} Cursor messages of one batch are stuck; {copies} of them have the same event_id."""
    s.live_server()
    s.healthy_work(ago_s=600)
    ids = s.add_cursor(count, ago_s=400, event_ids=["the-same"] * copies)
    _stuck_cursor_batch(s, ids)
    error = "UNIQUE constraint failed: cursor_raw_traces.event_id"
    s.log("ERROR", f"sqlite3.IntegrityError: {error}", logger="raw_traces_writer", ago_s=390)
    s.truth = Truth(pending=count, lost=0, waiting=0, rows=76, facts={"poison": ids[:copies], "reason": "duplicate"})


@situation("D", "stuck-behind-a-written-copy", count=25)
def behind_a_written_copy(s: Situation, count: int) -> None:
    """{count} Cursor messages are stuck behind one whose event_id was written before."""
    s.live_server()
    s.add_cursor(1, ago_s=900, event_ids=["written-before"])
    s.work(ago_s=890)
    ids = s.add_cursor(count, ago_s=400, event_ids=["written-before"])
    _stuck_cursor_batch(s, ids)
    s.log("ERROR", "sqlite3.IntegrityError: UNIQUE constraint failed", logger="raw_traces_writer", ago_s=390)
    s.truth = Truth(pending=count - 1, lost=0, rows=1, facts={"poison": ids[:1], "reason": "duplicate"})


@situation("D", "stuck-behind-a-large-integer", payload={"edit_count": 2**70}, reason="integer over 64 bit")
@situation("D", "stuck-behind-a-lone-surrogate", payload={"text": "\ud800"}, reason="lone surrogate")
def behind_a_poison(s: Situation, payload: object, reason: str) -> None:
    """30 Cursor messages are stuck behind one that SQLite refuses ({reason})."""
    s.live_server()
    s.healthy_work(ago_s=600)
    poison = s.add_malformed(1, payload, ago_s=400)
    ids = poison + s.add_cursor(29, ago_s=399)
    _stuck_cursor_batch(s, ids)
    s.log("ERROR", "OverflowError or UnicodeEncodeError in a batch", logger="raw_traces_writer", ago_s=390)
    s.truth = Truth(pending=30, lost=0, rows=76, facts={"poison": poison, "reason": reason})


@situation("D", "retry-storm", count=30, deliveries=319)
@situation("D", "retry-storm-short", count=5, deliveries=12)
def retry_storm(s: Situation, count: int, deliveries: int) -> None:
    """{count} Claude messages, two of them with the same uuid, were delivered {deliveries} times."""
    s.live_server()
    s.healthy_work(ago_s=600)
    ids = s.add_claude(count, ago_s=400, uuids=["the-same", "the-same"])
    s.deliver(CLAUDE_GROUP)
    s.pass_over(CURSOR_GROUP)
    s.age(CLAUDE_GROUP, ids, idle_ms=500, deliveries=deliveries)
    error = "sqlite3.IntegrityError: UNIQUE constraint failed: claude_raw_traces.external_id, claude_raw_traces.uuid"
    for second in range(min(deliveries, 300), 0, -1):
        s.log("ERROR", error, logger="claude_raw_traces_writer", ago_s=second)
    s.truth = Truth(pending=count, lost=0, rows=76, facts={"poison": ids[:2], "deliveries": deliveries})


@situation("D", "stuck-no-reason-found", count=38)
def no_reason(s: Situation, count: int) -> None:
    """{count} Cursor messages are stuck, and neither they nor the log tell a reason."""
    s.live_server()
    s.healthy_work(ago_s=600)
    _stuck_cursor_batch(s, s.add_cursor(count, ago_s=400))
    s.truth = Truth(pending=count, lost=0, rows=76, facts={"reason": None})


_HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.buffer.read()
"""


@contextlib.contextmanager
def _locked_by_another_process(database: Path) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-I", "-c", _HOLDER, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()


@situation("D", "database-locked-now", servers=ONE_SERVER, cursor=120, claude=50)
@situation("D", "database-locked-now-few", servers=ONE_SERVER, cursor=3, claude=0)
def locked_now(s: Situation, cursor: int, claude: int) -> None:
    """Another process has held the database's write lock for a minute; {cursor} + {claude} messages are stuck."""
    s.live_server()
    s.healthy_work(ago_s=600)
    holder = s.hold(_locked_by_another_process(s.database))
    cursor_ids = s.add_cursor(cursor, ago_s=60)
    claude_ids = s.add_claude(claude, ago_s=60)
    for group, ids in ((CURSOR_GROUP, cursor_ids), (CLAUDE_GROUP, claude_ids)):
        others = [entry_id for entry_id in s.deliver(group) if entry_id not in ids]
        s.acknowledge(group, others)
        s.age(group, ids, idle_ms=58_000)
    s.log("ERROR", "sqlite3.OperationalError: database is locked", logger="raw_traces_writer", ago_s=50, times=4)
    s.truth = Truth(pending=cursor + claude, lost=0, rows=76, facts={"reason": "locked", "holder_pid": holder})


@situation("D", "database-was-locked", reason="database is locked")
@situation("D", "database-was-read-only", reason="attempt to write a readonly database")
@situation("D", "database-was-full", reason="database or disk is full")
def was_refused(s: Situation, reason: str) -> None:
    """60 Cursor messages are stuck since "{reason}"; the database can be written again."""
    s.live_server()
    s.healthy_work(ago_s=900)
    _stuck_cursor_batch(s, s.add_cursor(60, ago_s=400))
    s.log("ERROR", f"sqlite3.OperationalError: {reason}", logger="raw_traces_writer", ago_s=395, times=5)
    s.healthy_work(ago_s=20)
    s.truth = Truth(pending=60, lost=0, rows=152, facts={"reason": reason})


@situation("D", "database-files-read-only", servers=ONE_SERVER)
def read_only_files(s: Situation) -> None:
    """telemetry.db and its folder may not be written; 20 messages are stuck."""
    s.live_server()
    s.healthy_work(ago_s=600)
    _stuck_cursor_batch(s, s.add_cursor(20, ago_s=400))
    s.log("ERROR", "attempt to write a readonly database", logger="raw_traces_writer", ago_s=395, times=5)
    s.database.chmod(0o444)
    s.home.chmod(0o555)
    s.at_end(lambda: s.home.chmod(0o755))
    s.truth = Truth(pending=20, lost=0, rows=76, database="intact", facts={"reason": "read-only"})


@situation("D", "orphans", count=300, kept=None)
@situation("D", "orphans-some-trimmed", count=30, kept=10)
@situation("D", "orphans-all-trimmed", count=8, kept=0)
def orphans(s: Situation, count: int, kept: int | None) -> None:
    """{count} Claude messages are held by a consumer that is gone; {kept} entries (None: all) are still there."""
    s.live_server()
    s.healthy_work(ago_s=2000)
    ids = s.add_claude(count, ago_s=1200)
    s.deliver(CLAUDE_GROUP, consumer=s.consumer(CLAUDE_GROUP, DEAD_PID))
    s.pass_over(CURSOR_GROUP, *messages.READER_GROUPS)
    s.age(CLAUDE_GROUP, ids, idle_ms=1_200_000, consumer=s.consumer(CLAUDE_GROUP, DEAD_PID))
    s.client.xgroup_createconsumer(messages.QUEUE, CLAUDE_GROUP, s.consumer(CLAUDE_GROUP))
    here = count if kept is None else kept
    if kept is not None:
        s.trim(kept)
    s.truth = Truth(pending=here, payload_gone=count - here, lost=0, rows=76)


@situation("D", "orphans-of-cursor", count=45)
def cursor_orphans(s: Situation, count: int) -> None:
    """{count} Cursor messages are held by a consumer that is gone; its writer never reads what it is handed."""
    s.live_server()
    s.healthy_work(ago_s=2000)
    ids = s.add_cursor(count, ago_s=1200)
    s.deliver(CURSOR_GROUP, consumer=s.consumer(CURSOR_GROUP, DEAD_PID))
    s.pass_over(CLAUDE_GROUP)
    s.age(CURSOR_GROUP, ids, idle_ms=1_200_000, consumer=s.consumer(CURSOR_GROUP, DEAD_PID))
    s.truth = Truth(pending=count, lost=0, rows=76)


# What a crash left in the database's folder


_DYING_WRITER = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("PRAGMA cache_spill = 1")
connection.execute("BEGIN IMMEDIATE")
for number in range(300):
    connection.execute(
        "INSERT INTO cursor_raw_traces (event_id, event_type, timestamp, event_data) "
        "VALUES (?, 'x', 'x', randomblob(3000))",
        (f"never-committed-{number}",),
    )
os.kill(os.getpid(), 9)
"""


@situation("D", "hot-journal", servers=ONE_SERVER)
def hot_journal(s: Situation) -> None:
    """A writer was killed in the middle of a transaction and left a rollback journal; the next start mends it."""
    s.live_server()
    s.healthy_work()
    with closing(rows.connect(s.database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    subprocess.run([sys.executable, "-I", "-c", _DYING_WRITER, str(s.database)], check=False)
    assert s.database.with_name("telemetry.db-journal").stat().st_size > 0
    s.truth = Truth(lost=0, rows=76, written=76, database="intact")


@situation("D", "log-of-a-dead-writer", servers=ONE_SERVER, keep_index=True)
@situation("D", "log-of-a-dead-writer-no-shm", servers=ONE_SERVER, keep_index=False)
def left_log(s: Situation, keep_index: bool) -> None:
    """A killed writer left its newest rows in the write-ahead log alone (its -shm is there: {keep_index})."""
    s.live_server()
    kept = s.folder / "kept"
    kept.mkdir()
    with closing(rows.connect(s.database)) as holder:
        holder.execute("PRAGMA wal_autocheckpoint = 0")
        holder.execute("SELECT count(*) FROM cursor_raw_traces").fetchone()
        s.healthy_work()
        for file in s.home.glob("telemetry.db*"):
            shutil.copy(file, kept)
    for file in kept.iterdir():
        shutil.copy(file, s.home)
    if not keep_index:
        os.unlink(s.home / "telemetry.db-shm")
    s.truth = Truth(lost=0, rows=76, written=76, database="intact")


# Addresses


@situation("D", "redis-on-a-socket")
def on_a_socket(s: Situation) -> None:
    """Redis listens on a unix socket too, and the doctor is given that; 5 messages are stuck."""
    s.live_server()
    path = s.redis.folder / "r.sock"
    with s.redis.config_file.open("a") as file:
        file.write(f"unixsocket {path}\n")
    s.healthy_work(ago_s=600)
    s.redis.restart()
    _stuck_cursor_batch(s, s.add_cursor(5, ago_s=400))
    s.truth = Truth(pending=5, lost=0, rows=76, facts={"redis_url": f"unix://{path}"})


@situation("D", "home-elsewhere", servers=ONE_SERVER)
def home_elsewhere(s: Situation) -> None:
    """The home is not ~/.blueplane, and HTTP is not on 8787; 5 messages are lost and the server is dead."""
    elsewhere = s.folder / "elsewhere" / "blueplane home"
    elsewhere.parent.mkdir()
    s.home.rename(elsewhere)
    s.home, s.database = elsewhere, elsewhere / "telemetry.db"
    s.write_settings()
    s.healthy_work()
    s.add_malformed(5)
    s.work()
    s.truth = Truth(lost=5, rows=76, facts={"home": str(elsewhere)})
