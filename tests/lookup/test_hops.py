"""The stations of a message, in words."""

from blueplane_doctor.demo.simulator import Pipeline
from tests.lookup.tracing import traced


def test_that_is_not_pending_is_not_called_acknowledged(any_pipeline: Pipeline) -> None:
    """Redis records no acknowledgement: a deleted consumer takes its pending entries with it as well."""
    (sent,) = any_pipeline.enqueue_cursor(1)
    any_pipeline.deliver("processors")
    for consumer in any_pipeline.client.xinfo_consumers(any_pipeline.queue, "processors"):
        any_pipeline.client.xgroup_delconsumer(any_pipeline.queue, "processors", consumer["name"])
    (trace,) = traced(any_pipeline, sent)
    assert trace.hops[-1].text == "no longer pending with processors"
    assert not any("acknowledged" in hop.stage + hop.text for hop in trace.hops)
