"""Section N: what is in order. It must raise no alarm; what is not known may be said."""

from contextlib import closing

from tests.truth import rows
from tests.truth.messages import WRITER_GROUPS
from tests.truth.registry import situation
from tests.truth.situation import Situation
from tests.truth.truth import Truth

_APPEND_ONLY = {"appendonly": "yes", "appendfsync": "always"}


def _in_order(s: Situation, count: int) -> None:
    s.truth = Truth(
        lost=0, waiting=0, pending=0, cut_unread=0, trimmed_unread=(0, 0), rows=count, refusal="", database="intact"
    )


@situation("N", "healthy", cursor=60, claude=16)
@situation("N", "healthy-cursor-alone", cursor=90, claude=0)
@situation("N", "healthy-claude-alone", cursor=0, claude=45)
@situation("N", "busy", cursor=2_000, claude=600)
def healthy(s: Situation, cursor: int, claude: int) -> None:
    """Both writers are up to date with {cursor} Cursor and {claude} Claude messages of the last minutes."""
    s.live_server()
    monitored = cursor // 2
    if cursor:
        # A window in use shows in Cursor's databases, whose monitor sends what it finds there.
        s.open_session()
        s.add_cursor(monitored, ago_s=240, spread_s=150, source="unified_monitor")
        s.work(ago_s=80)
    s.healthy_work(cursor=cursor - monitored, claude=claude)
    _in_order(s, cursor + claude)


@situation("N", "busy-trimmed", keep=500)
def busy_trimmed(s: Situation, keep: int) -> None:
    """A busy pipeline whose stream was trimmed of what was long written; {keep} are kept."""
    s.live_server()
    for ago_s in (300, 200, 100):
        s.healthy_work(cursor=400, claude=100, ago_s=ago_s)
    s.trim(keep)
    _in_order(s, 1500)


@situation("N", "idle-for-hours", hours=5)
@situation("N", "idle-for-a-week", hours=168)
def idle(s: Situation, hours: int) -> None:
    """Nothing has come for {hours} hours, and nobody has a window open."""
    s.live_server()
    s.healthy_work(ago_s=hours * 3600)
    _in_order(s, 76)


@situation("N", "just-restarted-append-only", options=_APPEND_ONLY)
@situation("N", "just-restarted-snapshot")
def restarted(s: Situation) -> None:
    """Redis was just restarted with all that it held, and so was the server."""
    s.healthy_work(ago_s=120)
    s.redis.restart()
    s.live_server()
    s.healthy_work(ago_s=10)
    _in_order(s, 152)


@situation("N", "server-just-restarted")
def server_restarted(s: Situation) -> None:
    """The server was restarted in good order: the consumers of the one before are still listed, without messages."""
    s.healthy_work(ago_s=600)
    s.live_server()
    s.healthy_work(ago_s=10)
    _in_order(s, 152)


@situation("N", "just-upgraded")
def upgraded(s: Situation) -> None:
    """Upgraded from the earlier layout: its stream, its group and its table are still there, all written."""
    s.client.xadd(
        "telemetry:events", {"event_id": "old-1", "platform": "cursor", "payload": "{}"}, id="1700000000000-0"
    )
    s.client.xgroup_create("telemetry:events", "processors", id="$")
    with closing(rows.connect(s.database)) as connection:
        connection.execute(
            "CREATE TABLE raw_traces (sequence INTEGER PRIMARY KEY AUTOINCREMENT, "
            "ingested_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, event_id TEXT NOT NULL, session_id TEXT NOT NULL, "
            "event_type TEXT NOT NULL, platform TEXT NOT NULL, timestamp TEXT NOT NULL, event_data BLOB NOT NULL)"
        )
        connection.execute(
            "INSERT INTO raw_traces (event_id, session_id, event_type, platform, timestamp, event_data) "
            "VALUES ('old-1', 's', 'file_edit', 'cursor', '2023-11-14T22:13:20+00:00', x'00')"
        )
    s.live_server()
    s.healthy_work()
    _in_order(s, 76)


@situation("N", "just-installed")
def installed(s: Situation) -> None:
    """Just installed and started: the groups are there, and no message has come yet."""
    s.live_server()
    _in_order(s, 0)


@situation("N", "just-installed-first-message")
def first_message(s: Situation) -> None:
    """Just installed: the first message has come and is written."""
    s.live_server()
    s.open_session(minutes_ago=0.2)
    s.add_cursor(1)
    s.work()
    _in_order(s, 1)


@situation("N", "messages-in-flight", count=40)
def in_flight(s: Situation, count: int) -> None:
    """{count} messages were delivered a moment ago, and their batch is being written."""
    s.live_server()
    s.healthy_work()
    s.add_cursor(count)
    for group in WRITER_GROUPS:
        s.deliver(group)
    s.truth = Truth(lost=0, waiting=0, pending=count, rows=76, refusal="")


@situation("N", "database-held-open-by-a-reader")
def held_open(s: Situation) -> None:
    """A database browser has telemetry.db open; the newest rows are in the write-ahead log."""
    s.live_server()
    holder = s.hold(closing(rows.connect(s.database)))
    holder.execute("SELECT count(*) FROM cursor_raw_traces").fetchone()
    s.healthy_work()
    _in_order(s, 76)
