"""Section C: what cannot be said as it seems: rows that are gone, letters that were dropped, clocks, rates."""

from contextlib import closing
from datetime import timedelta

from blueplane_doctor.demo.schema import create_database
from tests.truth import messages, rows
from tests.truth.messages import CLAUDE_GROUP, CURSOR_GROUP, QUEUE, WRITER_GROUPS
from tests.truth.registry import situation
from tests.truth.situation import Situation
from tests.truth.truth import Truth

_DAY_S = 86_400

# Rows that are gone


_PRUNE = "DELETE FROM {} WHERE ingested_at < datetime('now', '-7 days')"


def _prune(s: Situation) -> None:
    """Delete rows older than a week, as retention does."""
    with closing(rows.connect(s.database)) as connection:
        for table in ("cursor_raw_traces", "claude_raw_traces"):
            connection.execute(_PRUNE.format(table))
        connection.execute("VACUUM")


@situation("C", "rows-pruned", cursor=300, days=9)
@situation("C", "rows-pruned-few", cursor=11, days=30)
@situation("C", "rows-pruned-claude", claude=9, days=8)
@situation("C", "rows-pruned-both", cursor=20, claude=7, days=8)
@situation("C", "rows-pruned-claude-unused-since", cursor=5, claude=14, days=10, claude_since=0)
def pruned(s: Situation, days: int, cursor: int = 0, claude: int = 0, claude_since: int = 16) -> None:
    """The rows of {cursor} + {claude} messages of {days} days ago were pruned, as retention does; {claude_since} Claude
    messages came since."""
    s.live_server()
    s.add_cursor(cursor, ago_s=days * _DAY_S, spread_s=600)
    s.add_claude(claude, ago_s=days * _DAY_S - 600, spread_s=600)
    s.work(ago_s=days * _DAY_S)
    s.healthy_work(claude=claude_since)
    _prune(s)
    kept = 60 + claude_since
    s.truth = Truth(lost=0, rows_gone=cursor + claude, written=kept, rows=kept)


@situation("C", "rows-deleted-in-the-middle", deleted=30, lost=0)
@situation("C", "rows-deleted-in-the-middle-and-lost", deleted=1, lost=4)
def deleted_in_the_middle(s: Situation, deleted: int, lost: int) -> None:
    """Somebody deleted {deleted} rows from the middle of a table; {lost} other messages never had one."""
    s.live_server()
    ids = s.healthy_work()
    s.add_cursor(lost)
    s.pass_over(CURSOR_GROUP, CLAUDE_GROUP)
    s.add_cursor(5)
    s.work()
    for entry_id in ids[10 : 10 + deleted]:
        s.delete_row(s.messages[entry_id].fields["event_id"])
    s.truth = Truth(lost=lost, rows_gone=deleted, rows=81 - deleted)


@situation("C", "rows-pruned-all", count=40)
def all_pruned(s: Situation, count: int) -> None:
    """The rows of all {count} messages were pruned, and nothing came since."""
    s.live_server()
    s.add_cursor(count, ago_s=9 * _DAY_S, spread_s=600)
    s.work(ago_s=9 * _DAY_S)
    _prune(s)
    s.truth = Truth(lost=0, rows_gone=count, written=0, rows=0)


@situation("C", "database-made-anew-and-pruned", kept=15)
def made_anew_and_pruned(s: Situation, kept: int) -> None:
    """telemetry.db was made anew, 20 messages were written since, and the rows of all but {kept} of them deleted."""
    s.live_server()
    s.healthy_work(ago_s=600)
    s.database.rename(s.database.with_name("moved-away.db"))
    create_database(s.database)
    s.add_cursor(20)
    s.work()
    with closing(rows.connect(s.database)) as connection:
        connection.execute("DELETE FROM cursor_raw_traces WHERE sequence <= ?", (20 - kept,))
    s.truth = Truth(lost=0, rows_gone=76 + 20 - kept, written=kept, rows=kept)


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


@situation("C", "newest-letter-deleted", old=2)
def newest_letter_deleted(s: Situation, old: int) -> None:
    """XDEL took the one dead letter of this hour; {old} of an hour ago are still there."""
    s.live_server()
    s.healthy_work()
    ids = s.add_cursor(old + 1)
    s.deliver(CURSOR_GROUP)
    s.pass_over(CLAUDE_GROUP)
    hour_ago = messages.now() - timedelta(hours=1)
    for place, entry_id in enumerate(ids[:old]):
        stream, fields = messages.dead_letter("claude", s.messages[entry_id], hour_ago)
        kept = s.client.xadd(stream, fields, id=f"{int(hour_ago.timestamp() * 1000)}-{place}")
        s.letters[f"{stream} {kept}"] = entry_id
    (letter,) = s.dead_letter(ids[old:], "claude")
    s.acknowledge(CURSOR_GROUP, ids)
    s.client.xdel(messages.CLAUDE_LETTERS, letter)
    s.truth = Truth(lost=0, dead_lettered=old, letters_dropped=1, written=76)


@situation("C", "letters-of-one-message", times=40)
def letters_of_one(s: Situation, times: int) -> None:
    """One message was given up {times} times and is lost; two more were given up once: one is written by now, one
    was enqueued again and waits."""
    s.live_server()
    s.healthy_work()
    again, written = s.add_cursor(2)
    s.deliver(CURSOR_GROUP)
    s.pass_over(CLAUDE_GROUP)
    s.dead_letter([again] * times, "cursor")
    s.dead_letter([written], "cursor")
    s.write([written])
    s.acknowledge(CURSOR_GROUP, [again, written])
    s.dead_letter(s.add_cursor(1), "queue_writer")
    s.truth = Truth(lost=0, written=77, facts={"letters": times + 1})


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


@situation("C", "ids-ahead-untimed", count=40)
def ids_ahead_untimed(s: Situation, count: int) -> None:
    """A window is open; {count} messages came with IDs an hour ahead and no enqueued_at: when is not known."""
    s.live_server()
    s.healthy_work(ago_s=3_000)
    s.open_session(minutes_ago=40)
    s.add_cursor(1, ago_s=-3_600)
    events = [messages.cursor_hook(messages.now()) for _ in range(count)]
    for event in events:
        del event["enqueued_at"]
    s.add(events)
    s.work()
    s.truth = Truth(lost=0, waiting=0, facts={"untimed": count + 1})


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
