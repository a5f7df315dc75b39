"""Where the time is up before the queue was read, nothing is claimed."""

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from tests.lookup.test_search import acknowledged_without_row, written_late
from tests.lookup.tracing import traced


def test_without_time_to_find_an_earlier_row_nothing_is_called_lost(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_late(pipeline, 700, minutes=40)
    sent = acknowledged_without_row(pipeline, 30)
    monkeypatch.setattr("blueplane_doctor.lookup.queue_pages._RESERVE_SECONDS", 10_000)
    (trace,) = traced(pipeline, sent)
    assert (trace.state, trace.partial) == ("untraceable", True)
    assert "give more with --timeout" in trace.advice


def test_without_time_to_judge_the_earlier_messages_nothing_is_claimed(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.enqueue_cursor(700)
    pipeline.drain()
    (last,) = pipeline.enqueue_cursor(1)
    pipeline.drain()
    monkeypatch.setattr("blueplane_doctor.lookup.queue_pages._RESERVE_SECONDS", 10_000)
    (trace,) = traced(pipeline, last)
    assert (trace.state, trace.partial) == ("written", True)
    assert "give more with --timeout" in trace.advice
