"""Section F: one message in hand. `facts` name the IDs that a person would ask `trace` for."""

from tests.truth.messages import CLAUDE_GROUP, CURSOR_GROUP, Shape
from tests.truth.registry import situation
from tests.truth.situation import Situation
from tests.truth.truth import Truth


@situation("F", "trace-a-dead-letter", shape="cursor")
@situation("F", "trace-a-dead-letter-claude", shape="claude")
@situation("F", "trace-a-dead-letter-queue-writer", shape="queue_writer")
def own_id_of_a_letter(s: Situation, shape: Shape) -> None:
    """A dead letter of shape {shape} has an ID of its own, which is not its message's."""
    s.live_server()
    s.healthy_work()
    message = s.add_cursor(1)[0]
    s.deliver(CURSOR_GROUP)
    s.pass_over(CLAUDE_GROUP)
    letter = s.dead_letter([message], shape)[0]
    s.acknowledge(CURSOR_GROUP, [message])
    s.truth = Truth(dead_lettered=1, lost=0, written=76, facts={"letter": letter, "message": message})


@situation("F", "trace-what-is-held-up")
def held_up(s: Situation) -> None:
    """A stuck message is held up by another of its batch, whose event_id is there twice."""
    s.live_server()
    s.healthy_work(ago_s=600)
    ids = s.add_cursor(20, ago_s=400, event_ids=["the-same", "the-same"])
    s.deliver(CURSOR_GROUP)
    s.pass_over(CLAUDE_GROUP)
    s.age(CURSOR_GROUP, ids, idle_ms=390_000)
    s.log("ERROR", "sqlite3.IntegrityError: UNIQUE constraint failed", logger="raw_traces_writer", ago_s=395)
    s.truth = Truth(pending=20, lost=0, facts={"asked": ids[-1], "held_up_by": ids[:2]})


@situation("F", "trace-written-and-row-gone")
def row_gone(s: Situation) -> None:
    """Of two acknowledged messages one has its row and the other one lost it."""
    s.live_server()
    s.healthy_work()
    kept, gone = s.add_cursor(2)
    s.work()
    event_id = s.messages[gone].fields["event_id"]
    s.delete_row(event_id)
    s.truth = Truth(written=77, rows_gone=1, rows=77, facts={"written": kept, "row_gone": gone})


@situation("F", "lost-without-an-id", count=8)
@situation("F", "lost-without-an-id-one", count=1)
def lost_without_an_id(s: Situation, count: int) -> None:
    """{count} Claude messages, which carry no event_id, were acknowledged and not written within 10 minutes."""
    s.live_server()
    s.healthy_work(ago_s=900)
    ids = s.add_claude(count, ago_s=300)
    s.pass_over(CURSOR_GROUP, CLAUDE_GROUP)
    s.truth = Truth(lost=count, written=76, facts={"lost": ids})


@situation("F", "events-in-the-buffer", count=120)
@situation("F", "events-in-the-buffer-one", count=1)
def buffered(s: Situation, count: int) -> None:
    """{count} events could not reach Redis and are in event_buffer.db, which nothing drains."""
    s.live_server()
    s.healthy_work()
    s.buffer_events(count)
    s.truth = Truth(lost=0, written=76, facts={"buffered": count})
