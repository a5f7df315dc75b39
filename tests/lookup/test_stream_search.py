"""Messages are found by event_id and by uuid, though the stream knows neither."""

from blueplane_doctor.demo.simulator import Pipeline
from tests.lookup.tracing import EVENT, UUID, stages, traced


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
