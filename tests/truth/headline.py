"""Section A: the stream, the database or the whole pipeline is gone or cannot be judged."""

import shutil
import time
from contextlib import closing

from tests.truth import messages, rows
from tests.truth.messages import CLAUDE_LETTERS, CURSOR_LETTERS, QUEUE, WRITER_GROUPS
from tests.truth.redis_process import free_port
from tests.truth.registry import ONE_SERVER, situation
from tests.truth.situation import Situation
from tests.truth.truth import Truth

_MOST_KEYS = 20_000


@situation("A", "stream-gone-flushall", how="FLUSHALL")
@situation("A", "stream-gone-flushdb", how="FLUSHDB")
@situation("A", "stream-gone-del", how="DEL", unread=1)
@situation("A", "stream-gone-unlink", how="UNLINK", unread=37)
@situation("A", "stream-gone-rename", how="RENAME", unread=12)
@situation("A", "stream-gone-expired", how="PEXPIRE", unread=0)
@situation("A", "stream-gone-swapdb", how="SWAPDB", unread=3)
@situation("A", "stream-gone-evicted", how="eviction by allkeys-lru", unread=20)
@situation("A", "stream-gone-crash-without-save", how="a crash before the first save", unread=250)
@situation("A", "stream-gone-restart-without-persistence", how="a restart", options={"save": '""'}, unread=11)
def stream_gone(s: Situation, how: str, unread: int = 500) -> None:
    """The stream is gone by {how}; rows were written a moment ago."""
    s.live_server()
    s.healthy_work(ago_s=3)
    s.add_cursor(unread)
    _remove_stream(s, how)
    s.truth = Truth(
        cut_unread=unread, rows=76, stream_exists=False, groups_missing=WRITER_GROUPS, refusal="", lost=0, waiting=0
    )
    s.truth.facts = {"unaccounted": unread, "last_row_ago_s": 1}


def _remove_stream(s: Situation, how: str) -> None:
    if how == "RENAME":
        s.client.rename(QUEUE, "telemetry:message_queue:old")
    elif how == "PEXPIRE":
        s.client.pexpire(QUEUE, 1)
        while s.client.exists(QUEUE):
            time.sleep(0.001)
    elif how == "SWAPDB":
        s.client.swapdb(0, 1)
    elif how == "eviction by allkeys-lru":
        _fill_until_evicted(s)
    elif how == "a crash before the first save":
        s.redis.kill()
        s.redis.start()
    elif how == "a restart":
        s.redis.restart()
    elif how in ("DEL", "UNLINK"):
        s.client.execute_command(how, QUEUE)
    else:
        s.client.execute_command(how)


def _fill_until_evicted(s: Situation) -> None:
    s.client.config_set("maxmemory-policy", "allkeys-lru")
    s.client.config_set("maxmemory-samples", 64)
    s.client.config_set("maxmemory", s.client.info("memory")["used_memory"] + 400_000)
    for number in range(_MOST_KEYS):
        if not s.client.exists(QUEUE):
            s.client.config_set("maxmemory", "1gb")  # so that looking at it evicts nothing more
            return
        s.client.set(f"cache:{number}", "x" * 5000)
    raise AssertionError("the stream was not evicted")


@situation("A", "stream-anew-without-groups", unread=500, since=60)
@situation("A", "stream-anew-without-groups-few", unread=2, since=1)
def stream_anew(s: Situation, unread: int, since: int) -> None:
    """FLUSHALL took the stream with {unread} unread; {since} messages came since, without groups."""
    s.live_server()
    s.healthy_work(ago_s=3)
    s.add_cursor(unread)
    s.client.flushall()
    s.add_cursor(since)
    s.log("ERROR", f"NOGROUP No such key '{QUEUE}' or consumer group 'processors'", logger="consumer", times=50)
    s.truth = Truth(waiting=since, cut_unread=unread, groups_missing=WRITER_GROUPS, stream_length=since, rows=76)


@situation("A", "one-writer-group-gone", gone="processors", other="claude_processors")
@situation("A", "one-writer-group-gone-claude", gone="claude_processors", other="processors")
def one_group_gone(s: Situation, gone: str, other: str) -> None:
    """Group {gone} was destroyed while the server runs; 9 Cursor and 4 Claude messages came since."""
    s.live_server()
    s.healthy_work()
    s.client.xgroup_destroy(QUEUE, gone)
    s.add_cursor(9)
    s.add_claude(4)
    s.work(other)
    waiting = 9 if gone == "processors" else 4
    s.truth = Truth(groups_missing=(gone,), lost=0, waiting=waiting, rows=76 + 13 - waiting)


# The database


@situation("A", "database-damaged-stale-wal", servers=ONE_SERVER)
def stale_wal(s: Situation) -> None:
    """A backup was copied over the database while the old write-ahead log stayed beside it."""
    s.live_server()
    s.healthy_work(cursor=50, claude=20)
    backup = s.folder / "backup.db"
    shutil.copy(s.database, backup)
    s.healthy_work(cursor=2000, claude=400, ago_s=20)
    log = s.database.with_name("telemetry.db-wal")
    with closing(rows.connect(s.database)) as holder:
        holder.execute("PRAGMA wal_autocheckpoint = 0")
        holder.execute("SELECT count(*) FROM cursor_raw_traces").fetchone()
        s.healthy_work(cursor=300, claude=30, ago_s=5)
        kept = log.read_bytes()
    shutil.copy(backup, s.database)
    log.write_bytes(kept)
    s.database.with_name("telemetry.db-shm").unlink(missing_ok=True)
    s.truth = Truth(database="damaged", refusal="")


@situation("A", "database-damaged-truncated", servers=ONE_SERVER, how="cut")
@situation("A", "database-damaged-header", servers=ONE_SERVER, how="header")
@situation("A", "database-damaged-pages", servers=ONE_SERVER, how="pages")
@situation("A", "database-damaged-zeroed", servers=ONE_SERVER, how="zeros")
def damaged(s: Situation, how: str) -> None:
    """The database file is damaged ({how}); messages come and are acknowledged."""
    s.live_server()
    s.healthy_work(cursor=200, claude=50)
    content = bytearray(s.database.read_bytes())
    if how == "cut":
        content = content[:8192]
    elif how == "header":
        content[:100] = b"not a database ".ljust(100, b".")
    else:
        filler = b"\xaa" if how == "pages" else b"\0"
        middle = len(content) // 2 // 4096 * 4096
        content[4096:middle] = filler * (middle - 4096)
    s.database.write_bytes(content)
    s.truth = Truth(database="damaged", refusal="", stream_length=254)


@situation("A", "database-beside-another-log", servers=ONE_SERVER)
def another_log(s: Situation) -> None:
    """Beside telemetry.db lies the write-ahead log of another database, which SQLite takes for its own."""
    s.live_server()
    s.healthy_work()
    other = s.folder / "another.db"
    with closing(rows.connect(other)) as connection:
        connection.execute("CREATE TABLE notes (text)")
        log = other.with_name("another.db-wal").read_bytes()
    s.database.with_name("telemetry.db-wal").write_bytes(log)
    s.truth = Truth(refusal="", stream_length=80)


@situation("A", "database-emptied", servers=ONE_SERVER)
def emptied(s: Situation) -> None:
    """telemetry.db is a file of 0 bytes: its tables are gone."""
    s.live_server()
    s.healthy_work()
    s.database.write_bytes(b"")
    s.truth = Truth(database="no tables", rows_gone=76, lost=0)


@situation("A", "database-deleted", servers=ONE_SERVER)
def deleted(s: Situation) -> None:
    """telemetry.db was deleted under the running server."""
    s.live_server()
    s.healthy_work()
    s.database.unlink()
    s.truth = Truth(database="missing", rows_gone=76, lost=0)


# Names that are something else


@situation("A", "dead-letters-are-a-list", stream=CLAUDE_LETTERS, kind="list")
@situation("A", "dead-letters-are-a-string", stream=CURSOR_LETTERS, kind="string")
@situation("A", "dead-letters-are-a-hash", stream=CLAUDE_LETTERS, kind="hash")
def letters_of_another_program(s: Situation, stream: str, kind: str) -> None:
    """{stream} is a {kind} of another program; 5 messages are lost and 2 wait."""
    s.live_server()
    s.healthy_work()
    s.add_malformed(5)
    s.work()
    s.add_cursor(2)
    if kind == "list":
        s.client.lpush(stream, "a job of another program")
    elif kind == "hash":
        s.client.hset(stream, "a", "b")
    else:
        s.client.set(stream, "another program's")
    s.truth = Truth(written=76, lost=5, waiting=2, rows=76, facts={"letters_unknown": stream})


@situation("A", "queue-is-a-list")
def queue_of_another_type(s: Situation) -> None:
    """telemetry:message_queue is a list of another program; the stream is gone."""
    s.live_server()
    s.healthy_work()
    s.client.delete(QUEUE)
    s.client.lpush(QUEUE, "a job of another program")
    s.truth = Truth(groups_missing=WRITER_GROUPS, rows=76, lost=0)


@situation("A", "one-node-of-a-cluster", slow=True)
def one_node_of_a_cluster(s: Situation) -> None:
    """The URL names one node of a Redis Cluster, and the stream is on another node."""
    nodes = [s.another_redis(cluster_enabled="yes", cluster_port=str(free_port())) for _ in range(2)]
    holder, asked = (s.open_client(node) for node in nodes)
    holder.execute_command("CLUSTER", "ADDSLOTSRANGE", 1, 16_383)
    asked.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 0)
    bus = nodes[0].config_file.read_text().split("cluster-port ")[1].split()[0]
    asked.execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[0].port, bus)
    for client in (holder, asked):
        while "cluster_state:ok" not in str(client.execute_command("CLUSTER", "INFO")):
            if "cluster_state': 'ok'" in str(client.execute_command("CLUSTER", "INFO")):
                break
            time.sleep(0.02)
    s.redis, s.client = nodes[0], holder
    for group in WRITER_GROUPS:
        s.make_group(group)
    s.healthy_work()
    s.redis = nodes[1]
    s.write_settings()
    s.truth = Truth(written=76, lost=0, rows=76, facts={"node_that_holds_it": nodes[0].url})


# What a selection says


@situation("A", "custody-broken-disk-space-green")
def broken_but_selected(s: Situation) -> None:
    """12 messages are lost, and `--select disk-space` runs one check, which is green."""
    s.live_server()
    s.healthy_work()
    s.add_malformed(12)
    s.work()
    s.truth = Truth(lost=12, written=76, facts={"select": "disk-space"})


# Nothing there


@situation("A", "no-blueplane-empty-home", redis_runs=True)
@situation("A", "no-blueplane-no-redis", redis_runs=False, servers=ONE_SERVER)
def no_blueplane(s: Situation, redis_runs: bool) -> None:
    """The home is empty and there is no Blueplane anywhere (a Redis runs: {redis_runs})."""
    s.client.flushall()
    if not redis_runs:
        s.redis.kill()
    for file in s.home.iterdir():
        file.unlink()
    s.truth = Truth(database="missing", facts={"blueplane": False, "redis": redis_runs})


@situation("A", "no-blueplane-no-home")
def no_home(s: Situation) -> None:
    """There is not even a ~/.blueplane; the Redis belongs to another program."""
    s.client.flushall()
    s.client.set("another:program", "1")
    shutil.rmtree(s.home)
    s.truth = Truth(database="missing", facts={"blueplane": False, "redis": True})


@situation("A", "redis-down", servers=ONE_SERVER)
def redis_down(s: Situation) -> None:
    """Redis does not run; rows were written a moment ago."""
    s.live_server()
    s.healthy_work(ago_s=3)
    s.redis.kill()
    s.truth = Truth(rows=76, database="intact")


@situation("A", "earlier-row-of-private-text", servers=ONE_SERVER)
def private_text(s: Situation) -> None:
    """Every payload holds private text, and some are malformed: none of it may be told."""
    s.live_server()
    s.healthy_work()
    s.add_malformed(4, payload=messages.PRIVATE_TEXT)
    s.work()
    s.truth = Truth(lost=4, facts={"private_text": messages.PRIVATE_TEXT})
