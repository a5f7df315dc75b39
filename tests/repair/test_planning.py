"""A plan is made from one examination, and changes nothing."""

import sqlite3
from pathlib import Path

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import RepairRefused, SourceError, UsageError
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.plan import Action
from blueplane_doctor.repair.planning import find_targets, make_plan, refuse_unknown_target
from blueplane_doctor.settings.values import load
from tests.helpers import settings_for
from tests.repair.pipelines import planned
from tests.truth.registry import ONE_SERVER
from tests.truth.situations import SITUATIONS


def test_targets_are_found_by_their_files() -> None:
    assert {"stuck", "orphans", "lost", "acknowledged"} <= set(find_targets())
    for name, target in find_targets().items():
        assert target.name == name
        assert target.summary


def test_a_word_that_is_no_target() -> None:
    refuse_unknown_target("stuck")
    with pytest.raises(UsageError, match="stuk is neither a target of repair nor an ID") as error:
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


@pytest.mark.parametrize("is_lost", [False, True], ids=["groups are gone", "the stream is gone"])
def test_nothing_is_planned_in_a_redis_that_the_server_does_not_use(is_lost: bool, tmp_path: Path) -> None:
    with SITUATIONS["server-uses-another-redis"].built(*ONE_SERVER, tmp_path / "p") as situation:
        for group in situation.client.xinfo_groups("telemetry:message_queue"):
            situation.client.xgroup_destroy("telemetry:message_queue", group["name"])
        if is_lost:
            situation.client.flushall()
        settings = load({"home": situation.home, "redis_url": situation.redis.url}).settings
        plan = make_plan(settings, Wanted(), "7f3a")
        assert not plan.items
        (refusal,) = plan.refusals
        assert "group" in refusal.what
        assert "no repair is made where the server does not read and write" in refusal.reason
        assert not plan.writers_run


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


def test_whatever_is_in_the_way_messages_are_saved(live_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """No writer runs any more, so nothing is delivered again; that is when messages have to be saved."""
    FAULTS["poison-duplicate"].apply(live_pipeline)
    monkeypatch.setattr("blueplane_doctor.repair.planning.running_writers", lambda _: frozenset())
    settings = settings_for(live_pipeline)
    assert any("no writer" in refusal.reason for refusal in make_plan(settings, Wanted(), "7f3a").refusals)
    plan = make_plan(settings, Wanted(saves_only=True), "7f3b")
    assert [item.action for item in plan.items] == [Action.KEEP] * 40
    assert not plan.refusals
    assert not plan.changes
