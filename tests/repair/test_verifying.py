"""Rows of what was delivered are looked for until they are there."""

from contextlib import closing

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.repair.plan import Action, Item
from blueplane_doctor.repair.verifying import rows_seen
from blueplane_doctor.sources.trace_tables import RowFinder
from tests.helpers import settings_for
from tests.repair.pipelines import planned


def seen(pipeline: Pipeline, items: list[Item]) -> list[Item]:
    """Those whose rows are there now."""
    with closing(Examination(settings_for(pipeline))) as examination:
        return rows_seen(RowFinder(examination.database), items, patience=0.0)


def test_rows_that_are_not_there(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    items = planned(live_pipeline).of(Action.DELIVER)
    assert seen(live_pipeline, items) == []


def test_rows_that_are_there(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    items = planned(live_pipeline).of(Action.DELIVER)
    stuck = live_pipeline.client.xrange(live_pipeline.queue, items[0].id, items[4].id)
    live_pipeline.write(stuck)  # type: ignore[arg-type]
    assert seen(live_pipeline, items) == items[:5]


def test_of_messages_with_the_same_session_and_time_as_many_are_written_as_there_are_rows(
    live_pipeline: Pipeline,
) -> None:
    at = live_pipeline.ago(minutes=2)
    live_pipeline.enqueue_claude(2, at=at, uuids=[None, None])
    group = live_pipeline.writer_groups[-1]
    entries = live_pipeline.deliver(group, consumer="claude-consumer-4999999")
    live_pipeline.age_pending(group, milliseconds=60_000, consumer="claude-consumer-4999999")
    items = planned(live_pipeline, "orphans").of(Action.DELIVER)
    assert len(items) == 2
    live_pipeline.write(entries[:1])
    assert len(seen(live_pipeline, items)) == 1


def test_nothing_to_look_for(live_pipeline: Pipeline) -> None:
    assert seen(live_pipeline, []) == []
