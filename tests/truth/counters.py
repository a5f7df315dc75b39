"""Section C: counters, words and clocks that cannot be true."""

import time
from contextlib import closing
from datetime import timedelta

from blueplane_doctor.demo.schema import create_database
from tests.truth import messages, rows
from tests.truth.messages import CLAUDE_GROUP, CURSOR_GROUP, QUEUE, WRITER_GROUPS
from tests.truth.redis_process import RedisProcess
from tests.truth.registry import situation
from tests.truth.situation import Situation
from tests.truth.truth import Truth

_DAY_S = 86_400
_APPEND_ONLY = {"appendonly": "yes", "appendfsync": "always"}


def _batches(s: Situation, batches: int, cursor: int = 60, claude: int = 16) -> None:
    for batch in range(batches):
        s.healthy_work(cursor=cursor, claude=claude, ago_s=10 * (batches - batch))


def _all_written(s: Situation, batches: int, kept: int) -> None:
    s.truth = Truth(
        lost=0, cut_unread=0, trimmed_unread=(0, 0), waiting=0, pending=0, rows=76 * batches, stream_length=kept
    )


@situation("C", "append-only-restart-after-trim", options=_APPEND_ONLY, batches=5, keep=100)
@situation("C", "append-only-restart-after-trim-few", options=_APPEND_ONLY, batches=2, keep=10)
@situation("C", "append-only-restart-after-trim-all", options=_APPEND_ONLY, batches=3, keep=0)
def append_only_restart(s: Situation, batches: int, keep: int) -> None:
    """All is written, the stream is trimmed to {keep}, and Redis restarts from its append-only file."""
    s.live_server()
    _batches(s, batches)
    s.trim(keep)
    s.redis.restart()
    _all_written(s, batches, keep)


@situation("C", "append-only-restart-then-work", options=_APPEND_ONLY, keep=30)
@situation("C", "append-only-restart-then-work-untrimmed", options=_APPEND_ONLY, keep=0)
def append_only_restart_then_work(s: Situation, keep: int) -> None:
    """Trimmed, restarted from the append-only file, one more batch written, and trimmed to {keep} again (0: not)."""
    s.live_server()
    _batches(s, 4)
    s.trim(50)
    s.redis.restart()
    _batches(s, 1)
    if keep:
        s.trim(keep)
    _all_written(s, 5, keep or 130)


@situation("C", "groups-made-anew", batches=5, keep=200)
@situation("C", "groups-made-anew-few", batches=2, keep=40)
@situation("C", "groups-made-anew-one", batches=3, keep=120, groups=(CURSOR_GROUP,))
def groups_anew(s: Situation, batches: int, keep: int, groups: tuple[str, ...] = WRITER_GROUPS) -> None:
    """All is written and the stream trimmed to {keep}; then groups were destroyed and made anew at 0."""
    s.live_server()
    _batches(s, batches)
    s.trim(keep)
    s.make_groups_anew(*groups)
    s.truth = Truth(lost=0, cut_unread=0, trimmed_unread=(0, 0), pending=0, rows=76 * batches, stream_length=keep)
    s.truth.delivered_again = _left_in_stream(s, groups)


def _left_in_stream(s: Situation, groups: tuple[str, ...]) -> int:
    """Messages that these groups owe and that are in the stream: counted from the ledger's order, not from Redis."""
    length = s.truth.stream_length or 0
    newest = list(s.messages.values())[-length:]
    return sum(1 for message in newest if message.group in groups)


@situation("C", "setid-0", batches=4, keep=150)
@situation("C", "setid-0-untrimmed", batches=2, keep=160)
def set_to_zero(s: Situation, batches: int, keep: int) -> None:
    """XGROUP SETID 0 of both writer groups on a stream of {keep}, all of it written."""
    s.live_server()
    _batches(s, batches)
    s.trim(keep)
    s.rewind("0")
    s.truth = Truth(lost=0, cut_unread=0, trimmed_unread=(0, 0), pending=0, rows=76 * batches, stream_length=keep)
    s.truth.delivered_again = _left_in_stream(s, WRITER_GROUPS)


@situation("C", "rewound-group-979", behind=979)
@situation("C", "rewound-group-40", behind=40)
@situation("C", "rewound-group-1", behind=1)
@situation("C", "rewound-group-claude", behind=25, group=CLAUDE_GROUP)
@situation("C", "rewound-group-and-some-wait", behind=120, waiting=7)
def rewound(s: Situation, behind: int, group: str = CURSOR_GROUP, waiting: int = 0) -> None:
    """{behind} written messages lie behind a rewound group again: all their rows are there."""
    s.live_server()
    s.healthy_work(ago_s=120)
    add = s.add_cursor if group == CURSOR_GROUP else s.add_claude
    (place, *_), _ = add(1, ago_s=60), add(behind, ago_s=50)
    s.work(ago_s=10)
    s.rewind(place, group)
    add(waiting)
    s.truth = Truth(lost=0, pending=0, waiting=waiting, delivered_again=behind, trimmed_unread=(0, 0))
    s.truth.facts = {"group": group}


@situation("C", "rewound-batch-delivered-again", behind=300, batch=100)
@situation("C", "rewound-batch-delivered-again-all", behind=60, batch=60)
def rewound_and_delivered(s: Situation, behind: int, batch: int) -> None:
    """A rewound group was given {batch} of {behind} written messages again; their rows block the batch."""
    s.live_server()
    s.healthy_work(ago_s=120)
    place = s.add_cursor(1, ago_s=60)[0]
    s.add_cursor(behind, ago_s=50)
    s.work(ago_s=10)
    s.rewind(place, CURSOR_GROUP)
    ids = s.deliver(CURSOR_GROUP, batch)
    s.age(CURSOR_GROUP, ids, idle_ms=120_000, deliveries=5)
    s.log("ERROR", "UNIQUE constraint failed: cursor_raw_traces.event_id", logger="raw_traces_writer", times=3)
    s.truth = Truth(lost=0, waiting=0, written_not_acknowledged=batch, delivered_again=behind - batch, pending=0)


@situation("C", "group-made-at-the-end", passed=30)
@situation("C", "group-made-at-the-end-one", passed=1)
def made_at_the_end(s: Situation, passed: int) -> None:
    """Both groups were made anew at `$` while {passed} messages waited: nobody will be given them."""
    s.live_server()
    s.healthy_work()
    s.add_cursor(passed)
    s.make_groups_anew(start="$")
    s.truth = Truth(lost=0, waiting=0, passed_by=passed, pending=0, written=76, cut_unread=0)


@situation("C", "holes-by-xdel", deleted=40, unread=0)
@situation("C", "holes-by-xdel-unread", deleted=10, unread=6)
def holes(s: Situation, deleted: int, unread: int) -> None:
    """XDEL took {deleted} written and {unread} unread messages out of the stream: `lag` is unknown."""
    s.live_server()
    ids = s.healthy_work()
    s.client.xdel(QUEUE, *ids[10 : 10 + deleted])
    waiting = s.add_cursor(unread + 4)
    if unread:
        s.client.xdel(QUEUE, *waiting[1 : 1 + unread])
    s.truth = Truth(lost=0, waiting=4, rows=76, cut_unread=unread, stream_length=84 - deleted)


# Acknowledgements that never came


@situation("C", "failover-lost-acknowledgements", slow=True, count=300, never=25)
@situation("C", "failover-lost-acknowledgements-few", slow=True, count=12, never=0)
def failover(s: Situation, count: int, never: int) -> None:
    """A replica was promoted that never got {count} acknowledgements, nor the last {never} messages."""
    s.live_server()
    s.healthy_work()
    replica = s.another_redis()
    client = s.open_client(replica)
    client.replicaof("127.0.0.1", s.redis.port)
    while client.info("replication").get("master_link_status") != "up":
        time.sleep(0.02)
    ids = s.add_cursor(count)
    s.deliver(CURSOR_GROUP)
    s.pass_over(CLAUDE_GROUP, *messages.READER_GROUPS)
    s.client.wait(1, 5_000)
    client.execute_command("REPLICAOF", "NO", "ONE")
    s.write(ids)
    s.acknowledge(CURSOR_GROUP, ids)
    s.add_cursor(never)
    _move_to(s, replica)
    s.age(CURSOR_GROUP, ids, idle_ms=60_000)
    s.truth = Truth(lost=0, pending=0, written_not_acknowledged=count, rows=76 + count, refusal="")
    s.truth.facts = {"never_reached_the_replica": never}


def _move_to(s: Situation, replica: RedisProcess) -> None:
    s.redis.kill()
    s.redis, s.client = replica, s.open_client(replica)
    s.live_server()


@situation("C", "written-not-acknowledged-300", count=300)
@situation("C", "written-not-acknowledged-99", count=99)
@situation("C", "written-not-acknowledged-100", count=100)
@situation("C", "written-not-acknowledged-2500", count=2_500)
@situation("C", "written-not-acknowledged-and-stuck", count=150, stuck=30)
def written_not_acknowledged(s: Situation, count: int, stuck: int = 0) -> None:
    """{count} messages are written and unacknowledged; {stuck} beside them are neither."""
    s.live_server()
    s.healthy_work(ago_s=300)
    ids = s.add_cursor(count, ago_s=200)
    others = s.add_cursor(stuck, ago_s=190)
    s.deliver(CURSOR_GROUP)
    s.pass_over(CLAUDE_GROUP)
    s.write(ids, ago_s=180)
    s.age(CURSOR_GROUP, [*ids, *others], idle_ms=180_000)
    s.truth = Truth(lost=0, written_not_acknowledged=count, pending=stuck, rows=76 + count)


# Rows that are gone


@situation("C", "rows-pruned", count=300, days=9)
@situation("C", "rows-pruned-few", count=11, days=30)
def pruned(s: Situation, count: int, days: int) -> None:
    """The rows of {count} messages of {days} days ago were pruned, as retention does."""
    s.live_server()
    s.add_cursor(count, ago_s=days * _DAY_S, spread_s=600)
    s.work(ago_s=days * _DAY_S)
    s.healthy_work()
    with closing(rows.connect(s.database)) as connection:
        connection.execute("DELETE FROM cursor_raw_traces WHERE ingested_at < datetime('now', '-7 days')")
        connection.execute("VACUUM")
    s.truth = Truth(lost=0, rows_gone=count, written=76, rows=76)


@situation("C", "database-made-anew", since=0)
@situation("C", "database-made-anew-and-used", since=20)
def made_anew(s: Situation, since: int) -> None:
    """telemetry.db was moved away and made anew; {since} messages were written since."""
    s.live_server()
    s.healthy_work(ago_s=600)
    s.database.rename(s.database.with_name("moved-away.db"))
    create_database(s.database)
    s.add_cursor(since)
    s.work()
    s.truth = Truth(lost=0, rows_gone=76, written=since, rows=since, database="intact")


@situation("C", "one-table-made-anew")
def one_table_anew(s: Situation) -> None:
    """claude_raw_traces was dropped and made anew; Cursor's rows are all there."""
    s.live_server()
    s.healthy_work()
    with closing(rows.connect(s.database)) as connection:
        connection.execute("DROP TABLE claude_raw_traces")
    create_database(s.database)
    s.truth = Truth(lost=0, rows_gone=16, written=60, rows=60)


# Neither pending nor written


@situation("C", "consumer-deleted", group=CURSOR_GROUP, count=120)
@situation("C", "consumer-deleted-one", group=CURSOR_GROUP, count=1)
@situation("C", "consumer-deleted-claude", group=CLAUDE_GROUP, count=40)
@situation("C", "consumer-deleted-beside-losses", group=CURSOR_GROUP, count=20, lost=4)
def consumer_deleted(s: Situation, group: str, count: int, lost: int = 0) -> None:
    """XGROUP DELCONSUMER with {count} pending: nobody has them, and nobody acknowledged them."""
    s.live_server()
    s.healthy_work()
    s.add_malformed(lost)
    s.work()
    add = s.add_cursor if group == CURSOR_GROUP else s.add_claude
    add(count)
    old = s.consumer(group, 4711)
    s.deliver(group, consumer=old)
    for other in WRITER_GROUPS:
        s.pass_over(*[other for _ in range(1) if other != group])
    assert s.client.xgroup_delconsumer(QUEUE, group, old) == count
    s.truth = Truth(lost=lost, nobodys=count, pending=0, waiting=0, written=76)


# Dead letters


@situation("C", "letters-dropped", count=2_500, kept=1_000)
@situation("C", "letters-dropped-one", count=11, kept=10)
@situation("C", "letters-dropped-and-lost", count=60, kept=20, lost=3)
def letters_dropped(s: Situation, count: int, kept: int, lost: int = 0) -> None:
    """{count} dead letters went into a stream that keeps {kept}; {lost} other messages were lost."""
    s.live_server()
    s.healthy_work()
    s.add_malformed(lost)
    s.work()
    ids = s.add_malformed(count)
    s.deliver(CURSOR_GROUP)
    s.pass_over(CLAUDE_GROUP)
    s.dead_letter(ids, "cursor", max_length=kept)
    s.acknowledge(CURSOR_GROUP, ids)
    s.truth = Truth(lost=lost, dead_lettered=kept, letters_dropped=count - kept, written=76)


@situation("C", "letters-deleted")
def letters_deleted(s: Situation) -> None:
    """5 dead letters of 5 messages were deleted with their stream."""
    s.live_server()
    s.healthy_work()
    ids = s.add_cursor(5)
    s.deliver(CURSOR_GROUP)
    s.pass_over(CLAUDE_GROUP)
    s.dead_letter(ids, "claude")
    s.acknowledge(CURSOR_GROUP, ids)
    s.client.delete(messages.CLAUDE_LETTERS)
    s.truth = Truth(lost=0, dead_lettered=0, letters_dropped=5, written=76)


@situation("C", "one-letter-of-one-message", count=1)
@situation("C", "letters-of-each-shape", count=6)
def letters(s: Situation, count: int) -> None:
    """{count} messages were given up, with dead letters of each shape in turn."""
    s.live_server()
    ids = s.add_cursor(count)
    s.deliver(CURSOR_GROUP)
    s.pass_over(CLAUDE_GROUP)
    s.dead_letter(ids[0::3], "cursor")
    s.dead_letter(ids[1::3], "claude")
    s.dead_letter(ids[2::3], "queue_writer")
    s.acknowledge(CURSOR_GROUP, ids)
    s.truth = Truth(lost=0, dead_lettered=count, letters_dropped=0, written=0)


@situation("C", "lost-for-different-reasons")
def different_reasons(s: Situation) -> None:
    """Lost: 3 with a list as payload, 1 with text, 1 with a number, 1 with null."""
    s.live_server()
    s.healthy_work()
    s.add_malformed(3)
    for payload in ("text", 7, False):
        s.add_malformed(1, payload)
    s.work()
    s.truth = Truth(lost=6, written=76, facts={"reasons": {"list": 3, "text": 1, "number": 1, "boolean": 1}})


# Clocks


@situation("C", "ids-two-hours-ahead", ahead_s=7_200, count=4_000)
@situation("C", "ids-a-day-ahead", ahead_s=86_400, count=50)
@situation("C", "ids-ninety-seconds-ahead", ahead_s=90, count=10)
def ids_ahead(s: Situation, ahead_s: int, count: int) -> None:
    """One message has an ID {ahead_s} s ahead, so that the {count} that came since have it too; all of them wait."""
    s.live_server()
    s.healthy_work()
    s.add_cursor(1, ago_s=-ahead_s)
    s.add_cursor(count)
    s.pass_over(CLAUDE_GROUP, *messages.READER_GROUPS)
    s.truth = Truth(lost=0, waiting=count + 1, written=76, facts={"ahead_s": ahead_s})


@situation("C", "ids-ahead-all-written", ahead_s=3_600)
def ids_ahead_written(s: Situation, ahead_s: int) -> None:
    """IDs are {ahead_s} s ahead of the clock, and all their messages are written."""
    s.live_server()
    s.add_cursor(1, ago_s=-ahead_s)
    s.add_cursor(80)
    s.work()
    s.truth = Truth(lost=0, waiting=0, written=81, facts={"ahead_s": ahead_s})


# The server


@situation("C", "pid-file-of-a-container", pid=1)
@situation("C", "pid-file-of-a-container-other-number", pid=7)
@situation("C", "pid-file-of-a-dead-process", pid=4_999_999)
def pid_of_a_container(s: Situation, pid: int) -> None:
    """The pid file names {pid}, which here is another program or none; GET /health answers."""
    s.live_server()
    s.healthy_work()
    s.write_pid_file(pid)
    s.truth = Truth(lost=0, written=76, refusal="", facts={"answers": True, "pid": pid})


@situation("C", "no-pid-file-answers")
def no_pid_file(s: Situation) -> None:
    """There is no pid file, and GET /health answers."""
    s.live_server()
    s.healthy_work()
    (s.home / "server.pid").unlink()
    s.truth = Truth(lost=0, written=76, facts={"answers": True})


@situation("C", "server-dead", waiting=30)
def server_dead(s: Situation, waiting: int) -> None:
    """The server is dead: its pid file is stale, nobody answers, {waiting} messages wait."""
    s.healthy_work(ago_s=900)
    s.write_pid_file(s.pid)
    s.log("INFO", "started", ago_s=900)
    s.add_cursor(waiting, ago_s=120)
    s.truth = Truth(lost=0, waiting=waiting, written=76, facts={"answers": False})


# Rates


@situation("C", "stuck-beside-a-flow", stuck=140, come=210, written=198)
@situation("C", "stuck-beside-a-slow-flow", stuck=20, come=30, written=30)
def stuck_beside_a_flow(s: Situation, stuck: int, come: int, written: int) -> None:
    """{stuck} are stuck and none waits; in the last minute {come} came and {written} were written."""
    s.live_server()
    s.healthy_work(ago_s=900)
    ids = s.add_cursor(stuck, ago_s=600)
    s.deliver(CURSOR_GROUP)
    s.age(CURSOR_GROUP, ids, idle_ms=600_000)
    flow = s.add_cursor(come, ago_s=60, spread_s=60)
    for start in range(0, written, 20):
        s.write(flow[start : min(start + 20, written)], ago_s=60 - 60 * start / come)
    s.deliver(CURSOR_GROUP)
    s.acknowledge(CURSOR_GROUP, flow[:written])
    s.pass_over(CLAUDE_GROUP)
    s.truth = Truth(
        lost=0, waiting=0, pending=stuck + come - written, facts={"stuck": stuck, "in_flight": come - written}
    )


@situation("C", "window-just-opened", seconds=68, events=32)
@situation("C", "window-just-opened-slow", seconds=100, events=4)
def window_just_opened(s: Situation, seconds: int, events: int) -> None:
    """A window is open for {seconds} s, and {events} events came in that time."""
    s.live_server()
    s.open_session(minutes_ago=seconds / 60)
    s.add_cursor(events, ago_s=seconds - 1, spread_s=seconds - 2)
    s.work(ago_s=1)
    s.truth = Truth(lost=0, written=events, facts={"events_per_min": events / timedelta(seconds=seconds).seconds * 60})


@situation("C", "rates-are-fractions")
def fractions(s: Situation) -> None:
    """Of 100 messages 76 were written, 4 given up and 20 lost: every success rate is a fraction."""
    s.live_server()
    s.healthy_work(unwritten=0)
    s.add_malformed(20)
    s.work()
    ids = s.add_cursor(4)
    s.deliver(CURSOR_GROUP)
    s.pass_over(CLAUDE_GROUP)
    s.dead_letter(ids, "claude")
    s.acknowledge(CURSOR_GROUP, ids)
    s.truth = Truth(lost=20, dead_lettered=4, written=76, facts={"success_rate": 0.76})
