"""There is advice for every state, and it says why."""

from blueplane_doctor.capture.line_states import LINE_STATES
from blueplane_doctor.custody.states import PAYLOAD_GONE, STATES
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.lookup.advice import ADVICE
from blueplane_doctor.lookup.search import NOT_FOUND
from blueplane_doctor.lookup.undelivered import UNDELIVERED_ADVICE
from tests.lookup.tracing import traced


def test_there_is_advice_for_every_state() -> None:
    assert set(ADVICE) == {*STATES, *LINE_STATES, *UNDELIVERED_ADVICE, PAYLOAD_GONE, NOT_FOUND}
    assert all(ADVICE.values())


def test_lost_says_why(pipeline: Pipeline) -> None:
    good, bad = pipeline.enqueue_cursor(1) + pipeline.enqueue_cursor(1, payload=["a", "list"])
    pipeline.drain()
    written, lost = traced(pipeline, good, bad)
    assert written.state == "written"
    assert lost.state == "lost"
    assert "payload is a list instead of an object" in lost.advice
    assert "delivered again" not in lost.advice, "no writer can write it"


def test_what_a_consumer_that_is_gone_holds_is_held_up_by_no_message(any_pipeline: Pipeline) -> None:
    (first,) = any_pipeline.enqueue_cursor(1, at=any_pipeline.ago(minutes=4), event_ids=["same"])
    any_pipeline.drain()
    _, other = any_pipeline.enqueue_cursor(2, at=any_pipeline.ago(minutes=3), event_ids=["same", "other"])
    any_pipeline.deliver("processors", consumer="consumer-4999999")
    any_pipeline.age_pending("processors", milliseconds=120_000, consumer="consumer-4999999")
    any_pipeline.enqueue_cursor(1)
    any_pipeline.deliver("processors")
    orphan = traced(any_pipeline, other)[0]
    assert orphan.state == "stuck"
    assert "is gone" in orphan.advice and "holds it up" not in orphan.advice
    assert traced(any_pipeline, first)[0].state == "written"


def test_what_has_another_messages_row_is_not_to_be_acknowledged(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1, at=pipeline.ago(minutes=4), event_ids=["same"])
    pipeline.drain()
    (second,) = pipeline.enqueue_cursor(1, at=pipeline.ago(minutes=3), event_ids=["same"])
    (third,) = pipeline.enqueue_cursor(1, at=pipeline.ago(minutes=2))
    entries = pipeline.deliver("processors")
    pipeline.write(entries[1:])
    pipeline.age_pending("processors", milliseconds=120_000)
    held, written = traced(pipeline, second, third)
    assert (held.state, written.state) == ("written_not_acknowledged",) * 2
    assert "another message wrote it" in held.advice
    assert written.advice == ADVICE["written_not_acknowledged"]
