"""One walk through the stream: what it counts, and what it says when it does not come to the end."""

import time
from collections.abc import Callable
from contextlib import closing

import pytest

from blueplane_doctor.custody import ledger_builder
from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.custody.states import LOST, STATES, STUCK, UNEXAMINED, WAITING, WRITTEN, WRITTEN_NOT_ACKNOWLEDGED
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.sources.entry_ids import entry_id
from tests.helpers import settings_for


def ledger(pipeline: Pipeline, progress: Callable[[int, int], None] | None = None) -> Ledger:
    with closing(Examination(settings_for(pipeline), progress)) as examination:
        return examination.ledger()


def total(made: Ledger) -> int:
    return sum(made.total(state) for state in STATES)


def test_every_message_is_counted_once(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(40)
    any_pipeline.enqueue_skipped(5)
    any_pipeline.drain()
    any_pipeline.enqueue_claude(30)
    made = ledger(any_pipeline)
    assert (made.examined, total(made)) == (75, 75)
    assert (made.total(WRITTEN), made.total(WAITING)) == (40, 30)
    assert not made.partial
    assert made.unfinished == 30
    assert made.undelivered["processors"] == 30, "every group is given all messages, also those of others"


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


def test_what_only_another_writer_was_not_given_waits_for_nobody(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(5)
    pipeline.drain("processors")
    (claude,) = pipeline.enqueue_claude(1)
    made = ledger(pipeline)
    assert (made.unfinished, made.total(WAITING)) == (1, 1)
    assert made.oldest_waiting_ms == entry_id(claude.encode())[0]


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


def test_pending_entries_of_trimmed_messages_are_gone_and_counted_once(any_pipeline: Pipeline) -> None:
    """Also after the last page: the newest message may be the one that was deleted."""
    ids = any_pipeline.enqueue_cursor(6)
    any_pipeline.deliver("processors")
    any_pipeline.client.xdel(any_pipeline.queue, ids[1], ids[-1])
    made = ledger(any_pipeline)
    assert (made.payload_gone, made.payload_gone_of_one) == (2, 0)
    assert [(one.kind, one.id) for one in made.breaks] == [("payload_gone", ids[1]), ("payload_gone", ids[-1])]
    assert made.examined == 4


def test_the_particulars_of_a_loss_and_its_time(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1)
    pipeline.drain()
    (lost,) = pipeline.enqueue_cursor(1, event_ids=["5b8d9d0e-1111-4a4a-8b8b-2c2c2c2c2c2c"])
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", [lost])
    made = ledger(pipeline)
    (one,) = made.breaks
    assert (one.kind, one.id, one.group) == (LOST, lost, "processors")
    assert one.event_id == "5b8d9d0e-1111-4a4a-8b8b-2c2c2c2c2c2c"
    assert one.reason == "neither pending nor written, and no dead letter names it"
    assert made.last_break_ms == entry_id(lost.encode())[0]


def test_of_a_stuck_batch_the_message_that_blocks_is_named(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1, event_ids=["a-key"])
    pipeline.drain()
    ids = pipeline.enqueue_cursor(3, event_ids=["b-key", "a-key", "c-key"])
    pipeline.deliver("processors")
    pipeline.age_pending("processors", milliseconds=60_000)
    made = ledger(pipeline)
    assert made.total(STUCK) == 2
    assert made.total(WRITTEN_NOT_ACKNOWLEDGED) == 1, "the row of its key is there"
    assert [blocker.id for blocker in made.blockers] == [ids[1]]


def test_progress_is_told_up_to_the_end(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(500)
    told: list[tuple[int, int]] = []
    made = ledger(pipeline, lambda done, everything: told.append((done, everything)))
    assert told == sorted(told)
    assert told[-1] == (500, 500)
    assert made.examined == 500


def test_without_time_for_the_end_what_was_not_read_is_unexamined(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reserve is set above the whole limit, so that the walk ends after its first page on any machine."""
    monkeypatch.setattr(ledger_builder, "_RESERVE_SECONDS", 1e9)
    pipeline.enqueue_cursor(5_000)
    made = ledger(pipeline)
    assert made.partial
    assert 0 < made.examined < 5_000
    assert total(made) == 5_000
    assert made.total(UNEXAMINED) == 5_000 - made.examined


def test_what_only_one_group_held_may_be_of_the_other(pipeline: Pipeline) -> None:
    """Once it is trimmed, nothing tells whose it was."""
    ids = pipeline.enqueue_cursor(1) + pipeline.enqueue_claude(2)
    for group in pipeline.writer_groups:
        pipeline.deliver(group)
    pipeline.acknowledge("claude_processors", ids[1:])
    pipeline.client.xtrim(pipeline.queue, maxlen=0, approximate=False)
    made = ledger(pipeline)
    assert (made.payload_gone, made.payload_gone_of_one) == (3, 2)


def test_an_older_message_of_unknown_time_makes_the_age_a_lower_bound(pipeline: Pipeline) -> None:
    ahead_ms = int(time.time() * 1000) + 7_200_000
    pipeline.client.xadd(pipeline.queue, {"platform": "cursor", "event_id": "a"}, id=f"{ahead_ms}-0")
    pipeline.enqueue_cursor(1)
    assert ledger(pipeline).is_older_unfinished
    pipeline.client.xtrim(pipeline.queue, maxlen=1, approximate=False)
    assert not ledger(pipeline).is_older_unfinished
