"""What a walk through the stream remembers for a repair."""

from contextlib import closing
from datetime import timedelta

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.repair.survey import Survey
from tests.helpers import settings_for


def surveyed(pipeline: Pipeline) -> Survey:
    survey = Survey()
    with closing(Examination(settings_for(pipeline), observe=survey.take)) as examination:
        examination.ledger()
    return survey


def test_finished_messages_are_not_remembered(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(5)
    pipeline.enqueue_skipped(3)
    pipeline.drain()
    survey = surveyed(pipeline)
    assert survey.examined == 8
    assert (survey.candidates, survey.positions, survey.unfinished) == ([], [], {})
    assert survey.used(frozenset()) == 0


def test_keys_of_all_unfinished_messages_are_remembered(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(2)
    pipeline.drain()
    waiting = pipeline.enqueue_cursor(3)
    survey = surveyed(pipeline)
    assert list(survey.unfinished.values()) == [[identity] for identity in waiting]
    assert survey.candidates == []


def test_what_counts_as_room_begins_at_the_oldest_unfinished_message(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(2)
    pipeline.drain()
    waiting = pipeline.enqueue_cursor(3)
    survey = surveyed(pipeline)
    assert survey.used(frozenset()) == 3
    assert survey.used(frozenset(waiting[:1])) == 2
    assert survey.used(frozenset(waiting)) == 0


def test_stuck_messages_are_candidates_with_their_holder(pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(pipeline)
    survey = surveyed(pipeline)
    assert len(survey.candidates) == 40
    first = survey.candidates[0]
    (holding,) = first.holdings(now_ms=1_000_000_000)
    assert (first.group, first.state, first.problem) == ("processors", "stuck", "")
    assert (holding.group, holding.consumer) == ("processors", pipeline.consumers["processors"])
    assert survey.retrying == set()


def test_a_consumer_that_tries_again_is_known_by_its_deliveries(pipeline: Pipeline) -> None:
    FAULTS["retry-storm"].apply(pipeline)
    assert surveyed(pipeline).retrying == {("claude_processors", pipeline.consumers["claude_processors"].encode())}


def test_what_cannot_be_read_has_its_reason(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1, at=pipeline.ago(minutes=1), spread=timedelta(), payload=["a"])
    pipeline.drain()
    (candidate,) = surveyed(pipeline).candidates
    assert (candidate.state, candidate.problem) == ("lost", "payload is a list instead of an object")
