"""One walk through the stream: what it counts, and what it says when it does not come to the end."""

import pytest

from blueplane_doctor.custody import ledger_builder
from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.custody.states import LOST, STATES, STUCK, UNEXAMINED, WAITING, WRITTEN, WRITTEN_NOT_ACKNOWLEDGED
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.sources.entry_ids import entry_id
from tests.custody.walks import ledger


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


def test_what_only_another_writer_was_not_given_waits_for_nobody(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(5)
    pipeline.drain("processors")
    (claude,) = pipeline.enqueue_claude(1)
    made = ledger(pipeline)
    assert (made.unfinished, made.total(WAITING)) == (1, 1)
    assert made.oldest_waiting_ms == entry_id(claude.encode())[0]


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
