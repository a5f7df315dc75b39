"""A message that a repair delivered again is no loss to `trace` either."""

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from tests.custody.test_copies import copy, lose
from tests.lookup.tracing import traced


@pytest.mark.parametrize("is_written", [False, True])
def test_a_copy_stands_for_its_original(pipeline: Pipeline, is_written: bool) -> None:
    lost, copied = lose(pipeline, 2)
    new = copy(pipeline, copied)
    if is_written:
        pipeline.drain()
    traces = traced(pipeline, lost, copied, new)
    of_copied = {True: ("written", "duplicate"), False: ("duplicate", "waiting")}[is_written]
    assert [trace.state for trace in traces] == ["lost", *of_copied]
    assert not any(trace.partial for trace in traces)


def test_another_message_of_its_key_that_waits_stands_for_nothing(pipeline: Pipeline) -> None:
    """Only a copy says of itself what it stands for."""
    (lost,) = lose(pipeline, 1)
    ((_, fields),) = pipeline.client.xrange(pipeline.queue, lost, lost)  # type: ignore[misc]
    pipeline.client.xadd(pipeline.queue, fields)
    assert [trace.state for trace in traced(pipeline, lost)] == ["lost"]
