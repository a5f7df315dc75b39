"""Rows are found by whatever the message, or the ID, gives."""

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceUnusable
from tests.lookup.tracing import EVENT, stages, traced


def test_a_row_is_found_after_its_message_was_trimmed(pipeline: Pipeline) -> None:
    (stream_id,) = pipeline.enqueue_cursor(1, event_ids=[EVENT])
    pipeline.enqueue_cursor(2)
    pipeline.drain()
    pipeline.client.xtrim(pipeline.queue, maxlen=1, approximate=False)
    by_event, by_stream_id = traced(pipeline, EVENT, stream_id)
    assert (by_event.state, stages(by_event)) == ("written", ["row"])
    assert by_stream_id.state == "not_found"
    assert "older than all that is still in the stream" in by_stream_id.advice


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
