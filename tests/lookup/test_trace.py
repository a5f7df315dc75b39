"""One message followed by each of its IDs, in each state, with the exit code that a script goes by."""

from typing import Any

import pytest

from blueplane_doctor.capture.line_states import LINE_STATES
from blueplane_doctor.commands.trace import exit_code
from blueplane_doctor.custody.states import PAYLOAD_GONE, STATES
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceUnusable
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.trace import ADVICE, NOT_FOUND, Trace, Tracer
from blueplane_doctor.lookup.undelivered import UNDELIVERED_ADVICE
from tests.helpers import settings_for

UUID = "0d6c8a52-3f6b-4e0e-9a83-1f6a9a0c7b11"
EVENT = "5b8d9d0e-1111-4a4a-8b8b-2c2c2c2c2c2c"


def traced(pipeline: Pipeline, *ids: str) -> list[Trace]:
    examination = Examination(settings_for(pipeline))
    try:
        return Tracer(examination).trace(list(ids))
    finally:
        examination.close()


def stages(trace: Trace) -> list[str]:
    return [hop.stage for hop in trace.hops]


def test_a_written_message_by_every_id(any_pipeline: Pipeline) -> None:
    (cursor,) = any_pipeline.enqueue_cursor(1, event_ids=[EVENT])
    (claude,) = any_pipeline.enqueue_claude(1, uuids=[UUID])
    any_pipeline.drain()
    for trace in traced(any_pipeline, cursor, EVENT, claude, UUID):
        assert trace.state == "written", trace
        beginning = ["hook"] if trace.id in (cursor, EVENT) else []
        assert stages(trace) == [*beginning, "enqueued", "not_pending", "not_pending", "row"]
        row = trace.hops[-1]
        assert row.at is not None
        assert row.detail["sequence"] == 1


def test_a_row_is_found_after_its_message_was_trimmed(pipeline: Pipeline) -> None:
    (stream_id,) = pipeline.enqueue_cursor(1, event_ids=[EVENT])
    pipeline.enqueue_cursor(2)
    pipeline.drain()
    pipeline.client.xtrim(pipeline.queue, maxlen=1, approximate=False)
    by_event, by_stream_id = traced(pipeline, EVENT, stream_id)
    assert (by_event.state, stages(by_event)) == ("written", ["row"])
    assert by_stream_id.state == "not_found"
    assert "older than all that is still in the stream" in by_stream_id.advice


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


def test_lost_says_why(pipeline: Pipeline) -> None:
    good, bad = pipeline.enqueue_cursor(1) + pipeline.enqueue_cursor(1, payload=["a", "list"])
    pipeline.drain()
    written, lost = traced(pipeline, good, bad)
    assert written.state == "written"
    assert lost.state == "lost"
    assert "payload is a list instead of an object" in lost.advice


def test_that_is_not_pending_is_not_called_acknowledged(any_pipeline: Pipeline) -> None:
    """Redis records no acknowledgement: a deleted consumer takes its pending entries with it as well."""
    (sent,) = any_pipeline.enqueue_cursor(1)
    any_pipeline.deliver("processors")
    for consumer in any_pipeline.client.xinfo_consumers(any_pipeline.queue, "processors"):
        any_pipeline.client.xgroup_delconsumer(any_pipeline.queue, "processors", consumer["name"])
    (trace,) = traced(any_pipeline, sent)
    assert trace.hops[-1].text == "no longer pending with processors"
    assert not any("acknowledged" in hop.stage + hop.text for hop in trace.hops)


def _written_late(pipeline: Pipeline, count: int, minutes: int) -> None:
    """Messages of so long ago whose rows are written only now: their table begins after them."""
    ids = pipeline.enqueue_cursor(count, at=pipeline.ago(minutes=minutes))
    pipeline.write(pipeline.deliver("processors"), at=pipeline.ago())
    pipeline.acknowledge("processors", ids)


def _acknowledged_without_row(pipeline: Pipeline, minutes: int) -> str:
    (sent,) = pipeline.enqueue_cursor(1, at=pipeline.ago(minutes=minutes))
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", [sent])
    return sent


def test_what_is_older_than_its_table_is_not_called_lost(any_pipeline: Pipeline) -> None:
    old = _acknowledged_without_row(any_pipeline, 30)
    any_pipeline.enqueue_cursor(1)
    any_pipeline.drain()
    (trace,) = traced(any_pipeline, old)
    assert (trace.state, trace.partial) == ("untraceable", False)
    assert "its table begins later than this message" in trace.advice


def test_a_table_that_holds_an_earlier_row_does_not_begin_later(any_pipeline: Pipeline) -> None:
    _written_late(any_pipeline, 1, minutes=40)
    lost = _acknowledged_without_row(any_pipeline, 30)
    assert traced(any_pipeline, lost)[0].state == "lost"


def test_without_time_to_find_an_earlier_row_nothing_is_called_lost(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    _written_late(pipeline, 700, minutes=40)
    sent = _acknowledged_without_row(pipeline, 30)
    monkeypatch.setattr("blueplane_doctor.lookup.trace._RESERVE_SECONDS", 10_000)
    (trace,) = traced(pipeline, sent)
    assert (trace.state, trace.partial) == ("untraceable", True)
    assert "give more with --timeout" in trace.advice


@pytest.mark.parametrize("shape", ["claude", "cursor", "queue_writer"])
def test_a_dead_letter_of_every_shape(shape: str, pipeline: Pipeline) -> None:
    if shape == "claude":
        (sent,) = pipeline.enqueue_claude(1)
        pipeline.deliver("claude_processors")
    else:
        (sent,) = pipeline.enqueue_cursor(1)
        pipeline.deliver("processors")
    pipeline.dead_letter(sent, shape)
    (trace,) = traced(pipeline, sent)
    assert trace.state == "dead_lettered"
    letter = next(h for h in trace.hops if h.stage == "dead_letter")
    assert str(letter.detail["dead_letter_id"]) in trace.advice


def test_every_name_of_one_message_leads_to_the_same_end(pipeline: Pipeline) -> None:
    (sent,) = pipeline.enqueue_cursor(1, event_ids=[EVENT])
    pipeline.deliver("processors")
    pipeline.dead_letter(sent, "cursor")
    names = [sent, EVENT, sent, EVENT]
    traces = traced(pipeline, *names)
    assert [(trace.id, trace.state) for trace in traces] == [(name, "dead_lettered") for name in names]


def test_by_design_unwritten_is_fine(pipeline: Pipeline) -> None:
    (sent,) = pipeline.enqueue_skipped(1)
    pipeline.drain()
    assert traced(pipeline, sent)[0].state == "skipped"


def test_a_ghost_is_recognised(any_pipeline: Pipeline) -> None:
    (sent,) = any_pipeline.enqueue_cursor(1)
    any_pipeline.deliver("processors")
    any_pipeline.client.xtrim(any_pipeline.queue, maxlen=0, approximate=False)
    assert traced(any_pipeline, sent)[0].state == "payload_gone"


def test_there_is_advice_for_every_state() -> None:
    assert set(ADVICE) == {*STATES, *LINE_STATES, *UNDELIVERED_ADVICE, PAYLOAD_GONE, NOT_FOUND}
    assert all(ADVICE.values())


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


def test_without_time_to_judge_the_earlier_messages_nothing_is_claimed(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.enqueue_cursor(700)
    pipeline.drain()
    (last,) = pipeline.enqueue_cursor(1)
    pipeline.drain()
    monkeypatch.setattr("blueplane_doctor.lookup.trace._RESERVE_SECONDS", 10_000)
    (trace,) = traced(pipeline, last)
    assert (trace.state, trace.partial) == ("written", True)
    assert "give more with --timeout" in trace.advice


def test_a_database_that_fails_on_the_way_leaves_the_message_unexamined(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sent,) = pipeline.enqueue_cursor(1)
    pipeline.drain()

    def fail(*_: object) -> None:
        raise SourceUnusable("the database is damaged")

    monkeypatch.setattr("blueplane_doctor.sources.database_source.DatabaseSource.rows", fail)
    (trace,) = traced(pipeline, sent)
    assert trace.state == "unexamined"
    assert "the database is damaged" in trace.advice


def test_a_dead_letter_that_comes_while_the_doctor_reads_is_no_loss(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pending entries list is read first: who left it had a dead letter before."""
    (sent,) = pipeline.enqueue_cursor(1)
    pipeline.deliver("processors")
    original = Tracer._find_delivery
    calls: list[str] = []

    def meanwhile(self: Tracer, *arguments: Any) -> None:
        if not calls:
            pipeline.dead_letter(sent, "cursor")
        calls.append("called")
        original(self, *arguments)

    monkeypatch.setattr(Tracer, "_find_delivery", meanwhile)
    (trace,) = traced(pipeline, sent)
    assert trace.state == "dead_lettered"
