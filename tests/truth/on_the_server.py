"""Section E: what was seen on the real server."""

from contextlib import closing

from tests.truth import rows
from tests.truth.home import DEAD_PID
from tests.truth.messages import CLAUDE_GROUP, CURSOR_GROUP, QUEUE, READER_GROUPS, WRITER_GROUPS
from tests.truth.recorded import record_sample
from tests.truth.registry import ONE_SERVER, situation
from tests.truth.situation import Situation
from tests.truth.truth import Truth

# One group stands still


@situation("E", "claude-writer-stands-still", cursor=100, claude=0, read=5, keep=10)
@situation("E", "claude-writer-stands-still-11-lost", cursor=3_000, claude=11, read=0, keep=500)
@situation("E", "claude-writer-stands-still-few", cursor=40, claude=3, read=20, keep=5)
@situation("E", "claude-writer-stands-still-nothing-trimmed", cursor=200, claude=15, read=50, keep=1_000)
def claude_stands_still(s: Situation, cursor: int, claude: int, read: int, keep: int) -> None:
    """The Claude writer took {read} and stands; of {claude} of its own and {cursor} Cursor messages {keep} are kept."""
    s.live_server()
    s.add_cursor(read, ago_s=300)
    s.pass_over(CLAUDE_GROUP)
    s.add_claude(claude, ago_s=200)
    s.add_cursor(cursor - read, ago_s=199, spread_s=100)
    s.work(CURSOR_GROUP)
    s.pass_over(*READER_GROUPS)
    cut = s.trim(keep)
    gone = claude if cut >= read + claude else 0
    s.truth = Truth(cut_unread=gone, waiting=claude - gone, lost=0, rows=cursor)
    s.truth.trimmed_unread = (0, max(cut - read, 0))
    s.truth.facts = {"group_that_owes": CLAUDE_GROUP}


@situation("E", "cursor-writer-stands-still", claude=400, cursor=9, keep=100)
def cursor_stands_still(s: Situation, claude: int, cursor: int, keep: int) -> None:
    """The Cursor writer stands; {cursor} of its own and {claude} Claude messages came, {keep} are kept."""
    s.live_server()
    s.add_cursor(cursor, ago_s=200)
    s.add_claude(claude, ago_s=199, spread_s=100)
    s.work(CLAUDE_GROUP)
    s.pass_over(*READER_GROUPS)
    cut = s.trim(keep)
    s.truth = Truth(cut_unread=cursor, waiting=0, lost=0, rows=claude, trimmed_unread=(0, cut))
    s.truth.facts = {"group_that_owes": CURSOR_GROUP}


@situation("E", "burst-before-both-groups", cursor=600, claude=100, keep=200)
@situation("E", "burst-before-both-groups-small", cursor=30, claude=10, keep=4)
def burst(s: Situation, cursor: int, claude: int, keep: int) -> None:
    """Neither writer was given a burst of {cursor} + {claude}, of which {keep} are kept: the rest is lost."""
    s.live_server()
    s.healthy_work(ago_s=600)
    s.add_claude(claude, ago_s=100)
    s.add_cursor(cursor, ago_s=90)
    s.trim(keep)
    s.truth = Truth(cut_unread=cursor + claude - keep, waiting=keep, lost=0, rows=76)
    s.truth.trimmed_unread = (cursor + claude - keep, cursor + claude - keep)


@situation("E", "trimmed-then-read-on", unread=300, keep=50)
@situation("E", "trimmed-then-read-on-and-restarted", unread=300, keep=50, restart=True)
@situation("E", "trimmed-then-read-on-recorded", unread=300, keep=50, restart=True, recorded_hours_ago=5)
@situation("E", "trimmed-then-read-on-recorded-an-hour-ago", unread=90, keep=20, recorded_hours_ago=0.5)
@situation("E", "trimmed-then-read-on-recorded-days-ago", unread=300, keep=20, recorded_hours_ago=40)
def trimmed_then_read(
    s: Situation, unread: int, keep: int, restart: bool = False, recorded_hours_ago: float | None = None
) -> None:
    """{unread} unread, {keep} kept; then both groups read on, which on some servers rewrites the counters
    (restarted after that: {restart}; samples were taken meanwhile, hours ago: {recorded_hours_ago})."""
    s.live_server()
    s.healthy_work(ago_s=600)
    ago_s = None if recorded_hours_ago is None else recorded_hours_ago * 3600
    record_sample(s, ago_s)
    s.add_cursor(unread, ago_s=300)
    s.trim(keep)
    record_sample(s, ago_s and ago_s - 60)
    s.work(ago_s=200)
    record_sample(s, ago_s and ago_s - 120)
    if restart:
        s.redis.restart()
    s.truth = Truth(cut_unread=unread - keep, trimmed_unread=(0, unread - keep), waiting=0, lost=0, rows=76 + keep)
    s.truth.facts = {"known_only_from_history": True}


@situation("E", "server-killed-and-trimmed", written=50, unread=3_000, keep=1_000)
def killed_and_trimmed(s: Situation, written: int, unread: int, keep: int) -> None:
    """The server was killed with {written} written; {unread} came since, and {keep} are kept."""
    s.add_cursor(written, ago_s=1200)
    s.work(ago_s=1190)
    s.write_pid_file(s.pid)
    s.log("INFO", "started", ago_s=1200)
    s.add_cursor(unread, ago_s=1000, spread_s=900)
    s.trim(keep)
    s.truth = Truth(cut_unread=unread - keep, waiting=keep, lost=0, rows=written)
    s.truth.trimmed_unread = (unread - keep, unread - keep)


# Each message once


@situation("E", "pending-in-two-groups", stuck=170, both=19)
@situation("E", "pending-in-two-groups-310", stuck=310, both=219)
@situation("E", "pending-in-two-groups-20", stuck=20, both=20)
def in_two_groups(s: Situation, stuck: int, both: int) -> None:
    """{stuck} Cursor messages are stuck, and {both} of them are pending in the Claude group too."""
    s.live_server()
    s.healthy_work(ago_s=600)
    ids = s.add_cursor(stuck, ago_s=400)
    for group in WRITER_GROUPS:
        s.deliver(group)
        s.age(group, ids, idle_ms=300_000)
    s.acknowledge(CLAUDE_GROUP, ids[both:])
    s.truth = Truth(pending=stuck, lost=0, rows=76, facts={"sum_over_groups": stuck + both})


@situation("E", "written-before-the-crash", cursor=10, claude=10)
@situation("E", "written-before-the-crash-cursor", cursor=64, claude=0)
@situation("E", "written-before-the-crash-claude", cursor=0, claude=7)
def written_before_the_crash(s: Situation, cursor: int, claude: int) -> None:
    """Killed between commit and XACK: the rows of {cursor} + {claude} messages are there, held by the dead process."""
    s.healthy_work(ago_s=600)
    ids = s.add_cursor(cursor, ago_s=300) + s.add_claude(claude, ago_s=299)
    for group in WRITER_GROUPS:
        s.deliver(group)
        s.age(group, ids, idle_ms=290_000)
    s.write(ids, ago_s=295)
    s.live_server()
    s.add_unwritten(1)
    s.pass_over(*WRITER_GROUPS)
    s.truth = Truth(written_not_acknowledged=cursor + claude, pending=0, lost=0, rows=76 + cursor + claude)


@situation("E", "crash-restart-quiet", cursor=40, claude=12)
@situation("E", "crash-restart-quiet-one", cursor=1, claude=0)
def crash_restart_quiet(s: Situation, cursor: int, claude: int) -> None:
    """The server crashed with {cursor} + {claude} delivered, was started anew, and nothing came since."""
    s.healthy_work(ago_s=900)
    ids = s.add_cursor(cursor, ago_s=300) + s.add_claude(claude, ago_s=299)
    for group in WRITER_GROUPS:
        s.deliver(group)
        s.age(group, ids, idle_ms=290_000)
    s.live_server()
    for group in WRITER_GROUPS:
        s.client.xgroup_createconsumer(QUEUE, group, s.consumer(group))
        s.deliver(group)
    s.truth = Truth(pending=cursor + claude, lost=0, rows=76, facts={"dead_pid": DEAD_PID})


# The database


@situation("E", "database-symlinked", held=True, servers=ONE_SERVER)
@situation("E", "database-symlinked-not-open", held=False, servers=ONE_SERVER)
def symlinked(s: Situation, held: bool) -> None:
    """telemetry.db is a symbolic link to another folder, where its write-ahead log is (held open: {held})."""
    s.live_server()
    disk = s.folder / "another disk"
    disk.mkdir()
    s.database.rename(disk / "telemetry.db")
    s.database.symlink_to(disk / "telemetry.db")
    if held:
        holder = s.hold(closing(rows.connect(disk / "telemetry.db")))
        holder.execute("PRAGMA wal_autocheckpoint = 0")
        holder.execute("SELECT count(*) FROM cursor_raw_traces").fetchone()
    s.healthy_work()
    s.truth = Truth(lost=0, written=76, rows=76, database="intact")


@situation("E", "home-symlinked", servers=ONE_SERVER)
def home_symlinked(s: Situation) -> None:
    """~/.blueplane itself is a symbolic link, and somebody has the database open."""
    s.live_server()
    disk = s.folder / "disk"
    s.home.rename(disk)
    s.home.symlink_to(disk)
    holder = s.hold(closing(rows.connect(disk / "telemetry.db")))
    holder.execute("SELECT count(*) FROM cursor_raw_traces").fetchone()
    s.healthy_work()
    s.truth = Truth(lost=0, written=76, rows=76, database="intact")


@situation("E", "column-of-another-branch", servers=ONE_SERVER)
def other_column(s: Situation) -> None:
    """claude_raw_traces has `session_id` in place of `external_id`; 6 Cursor messages are lost."""
    s.live_server()
    s.healthy_work()
    s.add_malformed(6)
    s.work()
    with closing(rows.connect(s.database)) as connection:
        connection.execute("ALTER TABLE claude_raw_traces RENAME COLUMN external_id TO session_id")
    s.truth = Truth(lost=6, facts={"not_judged": "claude"})
