"""Section E: which Redis and which files the server uses, more servers than one, their logs, growth and activity."""

import sqlite3
from contextlib import closing
from pathlib import Path

from blueplane_doctor.demo.schema import create_database
from tests.truth.live_server import running_live_server
from tests.truth.messages import CLAUDE_GROUP, CURSOR_GROUP, QUEUE, READER_GROUPS, WRITER_GROUPS
from tests.truth.registry import ONE_SERVER, situation
from tests.truth.situation import Situation
from tests.truth.truth import Truth

# Which Redis, which files


@situation("E", "settings-name-another-redis")
def another_redis(s: Situation) -> None:
    """The settings name an empty Redis; the running server is connected to another one, where 8 messages wait."""
    live = s.live_server()
    s.healthy_work()
    s.add_cursor(8)
    empty = s.another_redis()
    s.write_settings(http_port=live.port, redis={"connection": {"host": "127.0.0.1", "port": empty.port}})
    s.truth = Truth(waiting=8, written=76, facts={"by_settings": empty.url, "of_the_server": s.redis.url})


@situation("E", "server-uses-another-redis")
def server_elsewhere(s: Situation) -> None:
    """The doctor is given a Redis with a healthy look; the running server is connected to another one."""
    other = s.another_redis()
    s.live_server(redis_port=other.port)
    s.healthy_work(ago_s=3000)
    s.truth = Truth(written=76, lost=0, facts={"of_the_server": other.url})


@situation("E", "event-buffer-named-in-settings", count=17, servers=ONE_SERVER)
def buffer_elsewhere(s: Situation, count: int) -> None:
    """The settings name another event_buffer.db; {count} events are in the one in the home, where the server writes."""
    live = s.live_server()
    s.healthy_work()
    s.buffer_events(count)
    elsewhere = {"event_buffer_db": str(s.folder / "elsewhere.db"), "telemetry_db": str(s.database)}
    s.write_settings(http_port=live.port, paths={"database": elsewhere})
    s.truth = Truth(lost=0, written=76, facts={"buffered": count})


@situation("E", "database-named-in-settings", servers=ONE_SERVER)
def database_elsewhere(s: Situation) -> None:
    """The settings name another, empty database; the server writes to the one in the home."""
    live = s.live_server()
    s.healthy_work()
    other = s.folder / "named.db"
    create_database(other)
    s.write_settings(http_port=live.port, paths={"database": {"telemetry_db": str(other)}})
    s.truth = Truth(lost=0, written=76, rows=76, facts={"named_database": str(other)})


@situation("E", "max-length-in-settings", slow=True, waiting=9_500, configured=50_000)
@situation("E", "max-length-in-settings-small", waiting=900, configured=1_000)
def configured_length(s: Situation, waiting: int, configured: int) -> None:
    """`max_length` is {configured} in the settings, and {waiting} wait; the writers cut at 10,000 whatever it says."""
    live = s.live_server()
    s.healthy_work(ago_s=900)
    s.add_cursor(waiting, ago_s=600, spread_s=500)
    s.write_settings(http_port=live.port, streams={"message_queue": {"max_length": configured}})
    s.truth = Truth(waiting=waiting, lost=0, facts={"cut_at": 10_000})


# Servers


@situation("E", "groups-gone-server-runs", came=60)
@situation("E", "groups-gone-server-runs-nothing-came", came=0)
def groups_gone(s: Situation, came: int) -> None:
    """Groups are gone while the server runs and loops on NOGROUP; {came} messages came since. It must be restarted."""
    s.live_server()
    s.healthy_work(ago_s=60)
    for group in (*WRITER_GROUPS, *READER_GROUPS):
        s.client.xgroup_destroy(QUEUE, group)
    s.add_cursor(came)
    error = f"NOGROUP No such consumer group 'processors' for key name '{QUEUE}'"
    s.log("ERROR", error, logger="event_consumer", ago_s=1, times=400)
    s.truth = Truth(groups_missing=WRITER_GROUPS, waiting=came, lost=0, rows=76, facts={"next_step": "restart"})


@situation("E", "two-live-servers", count=118)
@situation("E", "two-live-servers-few", count=5)
def two_servers(s: Situation, count: int) -> None:
    """A second server with another home reads the same groups: {count} messages went into its own database."""
    s.live_server()
    s.healthy_work()
    other_home = s.folder / "other user"
    other_database = other_home / ".blueplane" / "telemetry.db"
    other_database.parent.mkdir(parents=True)
    create_database(other_database)
    second = s.hold(running_live_server(s.folder / "other checkout", other_home, redis_port=s.redis.port))
    ids = s.add_cursor(2 * count)
    mine, theirs = ids[:count], ids[count:]
    s.deliver(CURSOR_GROUP, count)
    s.deliver(CURSOR_GROUP, consumer=s.consumer(CURSOR_GROUP, second.pid))
    s.pass_over(CLAUDE_GROUP)
    s.write(mine)
    s.write(theirs, database=other_database)
    s.acknowledge(CURSOR_GROUP, ids)
    s.truth = Truth(lost=count, written=76 + count, rows=76 + count)
    s.truth.facts = {"written_elsewhere": count, "second_pid": second.pid}


@situation("E", "two-live-servers-and-malformed", count=20, malformed=3)
def two_servers_and_malformed(s: Situation, count: int, malformed: int) -> None:
    """A second server wrote {count} messages elsewhere; {malformed} more nobody can have written: they are lost."""
    two_servers(s, count)
    ids = s.add_malformed(malformed)
    s.deliver(CURSOR_GROUP)
    s.acknowledge(CURSOR_GROUP, ids)
    s.pass_over(CLAUDE_GROUP)
    s.truth.lost = count + malformed
    s.truth.facts["malformed"] = malformed


@situation("E", "servers-of-other-machines", count=9)
def servers_of_other_machines(s: Situation, count: int) -> None:
    """Two servers of other machines, of whose processes nothing is known here, read at once; {count} are elsewhere."""
    first, second = 4_000_001, 4_000_002
    s.healthy_work()
    for group in WRITER_GROUPS:
        s.client.xgroup_delconsumer(QUEUE, group, s.consumer(group))
    ids = s.add_cursor(2 * count)
    mine = ids[:count]
    s.deliver(CURSOR_GROUP, count, consumer=s.consumer(CURSOR_GROUP, first))
    s.deliver(CURSOR_GROUP, consumer=s.consumer(CURSOR_GROUP, second))
    passed_over = s.deliver(CLAUDE_GROUP, count, consumer=s.consumer(CLAUDE_GROUP, first))
    passed_over += s.deliver(CLAUDE_GROUP, consumer=s.consumer(CLAUDE_GROUP, second))
    s.acknowledge(CLAUDE_GROUP, passed_over)
    s.write(mine)
    s.acknowledge(CURSOR_GROUP, ids)
    s.truth = Truth(lost=count, written=76 + count)
    s.truth.facts = {"written_elsewhere": count, "second_pid": second}


@situation("E", "read-by-hand", count=4)
def read_by_hand(s: Situation, count: int) -> None:
    """Somebody took {count} messages with XREADGROUP and XACK, as debug-1: no second server."""
    s.live_server()
    s.healthy_work()
    ids = s.add_cursor(count)
    s.deliver(CURSOR_GROUP, consumer="debug-1")
    s.acknowledge(CURSOR_GROUP, ids)
    s.pass_over(CLAUDE_GROUP)
    s.truth = Truth(lost=count, rows=76)


@situation("E", "read-by-hand-under-a-writers-name", count=4)
def read_by_hand_as_a_writer(s: Situation, count: int) -> None:
    """{count} messages were taken as consumer-4000001, in one writer group: perhaps a server of another machine."""
    s.live_server()
    s.log("INFO", f"Acquired PID lock: {s.pid}", logger="src.processing.server")
    s.healthy_work()
    ids = s.add_cursor(count)
    s.deliver(CURSOR_GROUP, consumer=s.consumer(CURSOR_GROUP, 4_000_001))
    s.acknowledge(CURSOR_GROUP, ids)
    s.pass_over(CLAUDE_GROUP)
    s.truth = Truth(lost=count, rows=76, facts={"written_elsewhere": count})


@situation("E", "second-server-ended-first-restarted", count=5)
def second_server_before(s: Situation, count: int) -> None:
    """A second server wrote {count} messages elsewhere and was ended; then the first one was restarted."""
    second = 4_000_002
    s.log("INFO", f"Acquired PID lock: {s.pid}", ago_s=600, logger="src.processing.server")
    s.healthy_work()
    ids = s.add_cursor(count)
    for group in WRITER_GROUPS:
        s.acknowledge(group, s.deliver(group, consumer=s.consumer(group, second)))
    s.live_server()
    s.log("INFO", f"Acquired PID lock: {s.pid}", logger="src.processing.server")
    s.healthy_work(ago_s=2)
    s.truth = Truth(lost=len(ids), facts={"written_elsewhere": count, "second_pid": second})


@situation("E", "groups-moved-past-unread", cursor=8, claude=3)
@situation("E", "older-copy-of-the-database", cursor=20, claude=5)
def older_copy(s: Situation, cursor: int, claude: int) -> None:
    """{cursor} + {claude} messages of one time have no row, as where an older copy of the database was put back, or
    both groups were made anew behind them: nothing tells which."""
    s.healthy_work(ago_s=600)
    for _ in range(2):
        s.add_cursor(cursor // 2)
        s.add_claude(claude)
    lost = 2 * (cursor // 2 + claude)
    for group in WRITER_GROUPS:
        s.pass_over(group)
    s.live_server()
    s.healthy_work(ago_s=10)
    s.truth = Truth(lost=lost, rows=152)


@situation("E", "restarted-and-lost", count=6)
def restarted_and_lost(s: Situation, count: int) -> None:
    """The server was restarted; {count} messages are lost, and no second server has anything to do with it."""
    s.healthy_work(ago_s=600)
    ids = s.add_cursor(count)
    s.deliver(CURSOR_GROUP)
    s.acknowledge(CURSOR_GROUP, ids)
    s.live_server()
    s.healthy_work(ago_s=10)
    s.pass_over(CLAUDE_GROUP)
    s.truth = Truth(lost=count, rows=152)


@situation("E", "third-writer-group", count=14)
def third_group(s: Situation, count: int) -> None:
    """Another branch has a third writer group, git_processors, {count} messages behind; the doctor does not know it."""
    s.live_server()
    s.healthy_work()
    s.make_group("git_processors")
    ids = s.deliver("git_processors")
    s.acknowledge("git_processors", ids)
    git = {"platform": "git", "event_id": "", "hook_type": "commit", "event_type": "commit", "payload": "{}"}
    s.add([{**git, "event_id": f"commit-{number}"} for number in range(count)])
    s.pass_over(*WRITER_GROUPS)
    s.truth = Truth(lost=0, written=76, facts={"unknown_group": "git_processors", "behind": count})


@situation("E", "reader-groups-behind", behind=2_001)
@situation("E", "reader-groups-behind-some", behind=300)
def readers_behind(s: Situation, behind: int) -> None:
    """The reader groups are {behind} messages behind; both writers have done all."""
    s.live_server()
    s.healthy_work(ago_s=600)
    s.add_cursor(behind, ago_s=300, spread_s=200)
    s.work(*WRITER_GROUPS, ago_s=100)
    s.truth = Truth(lost=0, waiting=0, pending=0, rows=76 + behind, facts={"behind": behind})


# The log


@situation("E", "error-lines-in-a-burst", lines=45_659, seconds=16, doubled=1)
@situation("E", "error-lines-in-a-burst-small", lines=3_000, seconds=4, doubled=1)
@situation("E", "error-lines-doubled", lines=20, seconds=120, doubled=2)
def error_lines(s: Situation, lines: int, seconds: int, doubled: int) -> None:
    """{lines} errors were logged within {seconds} s, each line {doubled} times."""
    s.live_server()
    s.healthy_work()
    each = max(lines // seconds, 1)
    for second in range(seconds, 0, -max(seconds // lines, 1)):
        s.log("ERROR", f"error at second {second}", logger="event_consumer", ago_s=second, times=each * doubled)
    s.truth = Truth(lost=0, written=76, facts={"errors_per_min": lines * 60 / seconds})


@situation("E", "error-lines-of-a-normal-start", servers=ONE_SERVER)
def start_lines(s: Situation) -> None:
    """The server started a minute ago, and its log has the ERROR lines of every normal start."""
    s.live_server()
    s.healthy_work()
    s.log("ERROR", "Task was destroyed but it is pending!", logger="asyncio", ago_s=55)
    s.truth = Truth(lost=0, written=76)


# Growth, and activity


@situation("E", "backlog-grows-toward-the-limit", slow=True, backlog=9_000, in_last_minute=2_000)
@situation("E", "backlog-grows-slowly", backlog=6_000, in_last_minute=30)
def growing(s: Situation, backlog: int, in_last_minute: int) -> None:
    """{backlog} wait, {in_last_minute} of them came in the last minute, and nobody takes any."""
    s.live_server()
    s.healthy_work(ago_s=1800)
    s.add_cursor(backlog - in_last_minute, ago_s=900, spread_s=800)
    s.add_cursor(in_last_minute, ago_s=59, spread_s=58)
    s.log("ERROR", "NOGROUP or a lock: nothing is read", logger="event_consumer", ago_s=5)
    s.truth = Truth(waiting=backlog, lost=0, facts={"minutes_to_loss": (10_000 - backlog) / in_last_minute})


@situation("E", "recovered-after-an-outage", backlog=4_000)
def recovered(s: Situation, backlog: int) -> None:
    """An outage is over: {backlog} messages of the last hour were all written just now."""
    s.live_server()
    s.add_cursor(backlog, ago_s=3_000, spread_s=2_900)
    s.work()
    s.truth = Truth(waiting=0, pending=0, lost=0, written=backlog, facts={"backlog": 0})


@situation("E", "source-not-known", source="user_level_listener_bubble")
@situation("E", "source-not-known-at-all", source="a_source_of_tomorrow")
def unknown_source(s: Situation, source: str) -> None:
    """A window is open and 30 messages of Cursor's database monitor came, of source {source}."""
    s.live_server()
    s.open_session(minutes_ago=10)
    s.add_cursor(30, ago_s=250, spread_s=240, source=source)
    s.work(ago_s=5)
    s.truth = Truth(lost=0, written=30, facts={"active": True, "source": source})


@situation("E", "tables-of-another-branch", servers=ONE_SERVER)
def other_tables(s: Situation) -> None:
    """Tables of another branch stand beside the known ones; the trace tables have a column more."""
    s.live_server()
    s.healthy_work()
    with closing(sqlite3.connect(Path(s.database))) as connection:
        connection.execute("CREATE TABLE git_commits (hash TEXT PRIMARY KEY)")
        connection.execute("CREATE TABLE workspaces (id TEXT PRIMARY KEY)")
        connection.execute("ALTER TABLE cursor_raw_traces ADD COLUMN of_tomorrow TEXT")
    s.truth = Truth(lost=0, written=76, rows=76)
