"""A plan is made from one examination, and changes nothing."""

import sqlite3

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import RepairRefused, SourceError, UsageError
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.planning import find_targets, refuse_unknown_target
from tests.repair.pipelines import planned


def test_targets_are_found_by_their_files() -> None:
    assert {"stuck", "orphans", "lost", "acknowledged"} <= set(find_targets())
    for name, target in find_targets().items():
        assert target.name == name
        assert target.summary


def test_a_word_that_is_no_target() -> None:
    refuse_unknown_target("stuck")
    with pytest.raises(UsageError, match="knows no stuk") as error:
        refuse_unknown_target("stuk")
    assert error.value.hint == "did you mean stuck?"


def dumped(pipeline: Pipeline) -> dict[str, object]:
    """Every key of the Redis, with all that it holds."""
    names = pipeline.client.scan_iter()
    return {name: pipeline.client.dump(name) for name in names}


def test_a_plan_changes_nothing(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    before = dumped(live_pipeline)
    planned(live_pipeline)
    assert dumped(live_pipeline) == before


def test_ids_narrow_a_plan(live_pipeline: Pipeline) -> None:
    FAULTS["locked-database"].apply(live_pipeline)
    everything = planned(live_pipeline)
    chosen = everything.items[3].id
    plan = planned(live_pipeline, wanted=Wanted(ids=frozenset([chosen])))
    assert [item.id for item in plan.items] == [chosen]


def test_a_database_that_cannot_be_read(live_pipeline: Pipeline) -> None:
    live_pipeline.enqueue_cursor(3)
    live_pipeline.database.unlink()
    with pytest.raises(SourceError):
        planned(live_pipeline)


def test_a_database_without_tables(live_pipeline: Pipeline) -> None:
    live_pipeline.enqueue_cursor(3)
    live_pipeline.database.unlink()
    sqlite3.connect(live_pipeline.database).close()
    with pytest.raises(RepairRefused, match="nothing can be planned"):
        planned(live_pipeline)
