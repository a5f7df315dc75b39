"""The state that the evidence of one message shows."""

from blueplane_doctor.commands.trace import exit_code
from blueplane_doctor.demo.simulator import Pipeline
from tests.lookup.tracing import EVENT, traced


def test_waiting_in_flight_and_stuck(any_pipeline: Pipeline) -> None:
    (first,) = any_pipeline.enqueue_cursor(1)
    assert traced(any_pipeline, first)[0].state == "waiting"
    any_pipeline.deliver("processors")
    (held,) = traced(any_pipeline, first)
    assert held.state == "in_flight"
    assert "not acknowledged" in held.hops[-1].text
    any_pipeline.age_pending("processors", milliseconds=45_000)
    assert traced(any_pipeline, first)[0].state == "stuck"
    any_pipeline.age_pending("processors", milliseconds=0, deliveries=3)
    assert traced(any_pipeline, first)[0].state == "stuck"


def written_late(pipeline: Pipeline, count: int, minutes: int) -> None:
    """Messages of so long ago whose rows are written only now: their table begins after them."""
    ids = pipeline.enqueue_cursor(count, at=pipeline.ago(minutes=minutes))
    pipeline.write(pipeline.deliver("processors"), at=pipeline.ago())
    pipeline.acknowledge("processors", ids)


def acknowledged_without_row(pipeline: Pipeline, minutes: int) -> str:
    (sent,) = pipeline.enqueue_cursor(1, at=pipeline.ago(minutes=minutes))
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", [sent])
    return sent


def test_what_is_older_than_its_table_is_not_called_lost(any_pipeline: Pipeline) -> None:
    old = acknowledged_without_row(any_pipeline, 30)
    any_pipeline.enqueue_cursor(1)
    any_pipeline.drain()
    (trace,) = traced(any_pipeline, old)
    assert (trace.state, trace.partial) == ("untraceable", False)
    assert "Its table begins later than this message" in trace.advice


def test_a_table_that_holds_an_earlier_row_does_not_begin_later(any_pipeline: Pipeline) -> None:
    written_late(any_pipeline, 1, minutes=40)
    lost = acknowledged_without_row(any_pipeline, 30)
    assert traced(any_pipeline, lost)[0].state == "lost"


def test_by_design_unwritten_is_fine(pipeline: Pipeline) -> None:
    (sent,) = pipeline.enqueue_skipped(1)
    pipeline.drain()
    assert traced(pipeline, sent)[0].state == "skipped"


def test_a_ghost_is_recognised(any_pipeline: Pipeline) -> None:
    (sent,) = any_pipeline.enqueue_cursor(1)
    any_pipeline.deliver("processors")
    any_pipeline.client.xtrim(any_pipeline.queue, maxlen=0, approximate=False)
    assert traced(any_pipeline, sent)[0].state == "payload_gone"


def test_a_duplicate_is_told_by_any_of_its_ids(any_pipeline: Pipeline) -> None:
    (first,) = any_pipeline.enqueue_cursor(1, event_ids=[EVENT])
    any_pipeline.drain()
    any_pipeline.enqueue_claude(3)
    (second,) = any_pipeline.enqueue_cursor(1, event_ids=[EVENT])
    any_pipeline.deliver("processors")
    any_pipeline.acknowledge("processors", [second])
    traces = traced(any_pipeline, second, EVENT, first, second)
    assert [trace.state for trace in traces] == ["duplicate", "written", "written", "duplicate"]
    assert "key of an earlier message" in traces[0].advice
    assert exit_code([trace.state for trace in traces]) == 0
