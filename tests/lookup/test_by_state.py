"""Messages found by their state: the oldest ones, all counted, from a moment on."""

from contextlib import closing

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import UsageError
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup import queue_pages
from blueplane_doctor.lookup.by_state import MOST_IDS, Matches, find_by_state
from tests.helpers import settings_for


def matches(pipeline: Pipeline, state: str, since_ms: int = 0) -> Matches:
    with closing(Examination(settings_for(pipeline))) as examination:
        return find_by_state(examination, state, since_ms)


def test_those_of_one_state_are_named_in_the_order_of_the_stream(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(2)
    pipeline.drain()
    lost = pipeline.enqueue_cursor(2)
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", lost)
    waiting = pipeline.enqueue_cursor(3)
    assert matches(pipeline, "lost") == (lost, 2, False)
    assert matches(pipeline, "waiting") == (waiting, 3, False)
    assert matches(pipeline, "written").total == 2
    assert matches(pipeline, "stuck") == ([], 0, False)


def test_payload_that_is_gone_is_found_although_it_left_the_stream(pipeline: Pipeline) -> None:
    ids = pipeline.enqueue_cursor(3)
    pipeline.deliver("processors")
    pipeline.client.xdel(pipeline.queue, ids[1])
    assert matches(pipeline, "payload_gone") == ([ids[1]], 1, False)


def test_what_was_enqueued_before_is_judged_and_not_named(pipeline: Pipeline) -> None:
    """The earlier message of a key claims its row, also where only later ones are asked for."""
    pipeline.enqueue_cursor(1, at=pipeline.ago(minutes=30), event_ids=["a-key"])
    pipeline.drain()
    (second,) = pipeline.enqueue_cursor(1, event_ids=["a-key"])
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", [second])
    since_ms = round(pipeline.ago(minutes=5).timestamp() * 1000)
    assert matches(pipeline, "duplicate", since_ms) == ([second], 1, False)
    assert matches(pipeline, "written", since_ms).total == 0
    assert matches(pipeline, "written").total == 1


def test_all_are_counted_and_the_first_are_named(pipeline: Pipeline) -> None:
    ids = pipeline.enqueue_cursor(MOST_IDS + 10)
    assert matches(pipeline, "waiting") == (ids[:MOST_IDS], MOST_IDS + 10, False)


def test_without_time_for_the_end_it_says_so(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_pages, "_RESERVE_SECONDS", 1e9)
    pipeline.enqueue_cursor(5_000)
    result = matches(pipeline, "waiting")
    assert result.partial
    assert 0 < result.total < 5_000


def test_a_state_that_there_is_not_is_refused_with_those_that_there_are(pipeline: Pipeline) -> None:
    with pytest.raises(UsageError) as caught:
        matches(pipeline, "gone")
    assert "payload_gone" in caught.value.hint and "stuck" in caught.value.hint
