"""What is counted of each message: what is unfinished, and when it came."""

import time

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.sources.entry_ids import entry_id
from tests.custody.walks import ledger


def test_what_is_unfinished_and_since_when(pipeline: Pipeline) -> None:
    done = pipeline.enqueue_cursor(2)
    pipeline.drain()
    held = pipeline.enqueue_cursor(2)
    pipeline.deliver("processors")
    pipeline.drain("claude_processors", "cursor_session_monitors")
    made = ledger(pipeline)
    assert made.unfinished == 2
    assert made.oldest_unfinished_ms == entry_id(held[0].encode())[0]
    assert entry_id(done[-1].encode())[0] <= made.oldest_unfinished_ms
    assert made.oldest_waiting_ms is None


def test_ids_ahead_of_the_clock_are_told_and_no_age_is_made_of_them(pipeline: Pipeline) -> None:
    ahead_ms = int(time.time() * 1000) + 7_200_000
    pipeline.client.xadd(pipeline.queue, {"platform": "cursor", "event_id": "a"}, id=f"{ahead_ms}-0")
    pipeline.enqueue_cursor(3)
    made = ledger(pipeline)
    assert (made.ids_ahead, made.unfinished) == (4, 4)
    assert 7_190_000 <= made.ids_ahead_ms <= 7_200_000
    assert made.last_minute == 3, "those that say when they were enqueued"
    assert made.oldest_unfinished_ms is not None
    assert made.oldest_unfinished_ms < ahead_ms - 7_000_000


def test_an_older_message_of_unknown_time_makes_the_age_a_lower_bound(pipeline: Pipeline) -> None:
    ahead_ms = int(time.time() * 1000) + 7_200_000
    pipeline.client.xadd(pipeline.queue, {"platform": "cursor", "event_id": "a"}, id=f"{ahead_ms}-0")
    pipeline.enqueue_cursor(1)
    assert ledger(pipeline).is_older_unfinished
    pipeline.client.xtrim(pipeline.queue, maxlen=1, approximate=False)
    assert not ledger(pipeline).is_older_unfinished
