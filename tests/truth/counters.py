"""Section C: counters, words and clocks that cannot be true."""

import time

from tests.truth import messages
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
@situation("C", "rewound-group-server-stopped", behind=60, waiting=5, runs=False)
@situation("C", "rewound-group-server-stopped-claude", behind=9, group=CLAUDE_GROUP, runs=False)
def rewound(s: Situation, behind: int, group: str = CURSOR_GROUP, waiting: int = 0, runs: bool = True) -> None:
    """{behind} written messages lie behind a rewound group again: all their rows are there. Server runs: {runs}."""
    if runs:
        s.live_server()
    s.healthy_work(ago_s=120)
    add = s.add_cursor if group == CURSOR_GROUP else s.add_claude
    (place, *_), _ = add(1, ago_s=60), add(behind, ago_s=50)
    s.work(ago_s=10)
    s.rewind(place, group)
    add(waiting)
    if not runs:
        _silence(s)
    s.truth = Truth(lost=0, pending=0, waiting=waiting, delivered_again=behind, trimmed_unread=(0, 0))
    s.truth.facts = {"group": group}


def _silence(s: Situation) -> None:
    """Nobody has read lately: without its consumers a group looks as it does an hour after its server stopped."""
    for group in WRITER_GROUPS:
        for consumer in s.client.xinfo_consumers(QUEUE, group):
            s.client.xgroup_delconsumer(QUEUE, group, consumer["name"])


@situation("C", "rewound-group-mixed", behind=30, lost=4)
def rewound_mixed(s: Situation, behind: int, lost: int) -> None:
    """A group was moved back behind {behind} messages, half before and half behind {lost} that were never written."""
    s.live_server()
    s.healthy_work(ago_s=120)
    place = s.add_cursor(1, ago_s=60)[0]
    ids = s.add_cursor(behind // 2, ago_s=50)
    never = s.add_cursor(lost, ago_s=45)
    ids += s.add_cursor(behind - behind // 2, ago_s=40)
    s.deliver(CURSOR_GROUP)
    s.write([place, *ids], ago_s=30)
    s.acknowledge(CURSOR_GROUP, [place, *ids, *never])
    s.pass_over(CLAUDE_GROUP, *messages.READER_GROUPS)
    s.rewind(place, CURSOR_GROUP)
    s.truth = Truth(delivered_again=behind, pending=0)
    s.truth.facts = {"group": CURSOR_GROUP, "never_written": lost, "up_to": ids[behind // 2 - 1]}


@situation("C", "group-gone-and-written", waiting=0)
@situation("C", "group-gone-and-some-wait", waiting=13)
def gone_and_written(s: Situation, waiting: int) -> None:
    """XGROUP DESTROY of both writer groups under a running server; {waiting} came since, all before is written."""
    s.live_server()
    ids = s.healthy_work()
    for group in WRITER_GROUPS:
        s.client.xgroup_destroy(QUEUE, group)
    s.add_cursor(waiting)
    s.log("ERROR", "NOGROUP No such consumer group", logger="event_consumer", ago_s=1, times=50)
    s.truth = Truth(waiting=waiting, written=76, lost=0, pending=0, groups_missing=WRITER_GROUPS)
    s.truth.facts = {"last_written": ids[-1]}


@situation("C", "sent-again-and-waiting", count=8)
def sent_again(s: Situation, count: int) -> None:
    """{count} lines of a transcript that are written already were enqueued once more, and wait."""
    s.live_server()
    uuids = [f"line-{number}" for number in range(count)]
    s.add_claude(count, ago_s=100, uuids=uuids)
    s.work(ago_s=90)
    s.add_claude(count, ago_s=20, uuids=uuids)
    s.truth = Truth(lost=0, waiting=0, pending=0, delivered_again=count, rows=count)


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


@situation("C", "deleted-unread-and-read-on", unread=20)
def deleted_and_read_on(s: Situation, unread: int) -> None:
    """XDEL took {unread} messages before anybody read them; since then the groups have read all that is left."""
    s.live_server()
    s.healthy_work()
    ids = s.add_cursor(unread + 10)
    s.client.xdel(QUEUE, *ids[5 : 5 + unread])
    s.work()
    s.truth = Truth(lost=0, waiting=0, pending=0, rows=86, cut_unread=unread)


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
