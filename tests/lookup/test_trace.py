"""One message followed by each of its IDs, with what comes while it is looked for."""

from typing import Any

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.lookup.trace import Tracer
from tests.lookup.tracing import EVENT, traced


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
