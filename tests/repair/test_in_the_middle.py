"""What happens in the middle of a repair: nothing is lost, nothing is written twice, and run again it goes on."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.servers import stand_in_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import RepairRefused, SourceError
from blueplane_doctor.repair import applying
from blueplane_doctor.repair.applying import Applied, Applier
from blueplane_doctor.repair.plan import Action, Plan
from tests.helpers import settings_for
from tests.repair.pipelines import planned, store_of
from tests.truth.situation import Situation

GROUP = "processors"
MIDDLE = 5


def apply(pipeline: Pipeline, plan: Plan, happens: Callable[[], None] | None = None) -> Applied:
    """Apply a plan; `happens` is called once, after its fifth item."""

    def tell(done: int, total: int) -> None:
        if happens is not None and done == MIDDLE:
            happens()

    settings = settings_for(pipeline)
    return Applier(settings, store_of(pipeline), plan, write_url=settings.redis_url, patience=0, progress=tell).apply()


def rows(pipeline: Pipeline) -> int:
    with closing(sqlite3.connect(pipeline.database)) as connection:
        return int(connection.execute("SELECT count(*) FROM cursor_raw_traces").fetchone()[0])


@pytest.fixture
def stuck(live_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> tuple[Pipeline, Plan]:
    monkeypatch.setattr(applying, "MOST_TOGETHER", MIDDLE)  # progress is told between two batches
    FAULTS["poison-duplicate"].apply(live_pipeline, messages=12)
    return live_pipeline, planned(live_pipeline)


def test_the_database_is_gone_and_comes_back(stuck: tuple[Pipeline, Plan]) -> None:
    pipeline, plan = stuck
    away = pipeline.home / "away.db"
    with pytest.raises(SourceError, match="telemetry database"):
        apply(pipeline, plan, lambda: pipeline.database.rename(away) and None)
    assert len(pipeline.client.xpending_range(pipeline.queue, GROUP, "-", "+", 99)) == 12 - MIDDLE
    away.rename(pipeline.database)
    applied = apply(pipeline, plan)
    assert applied.counts == {"delivered": 11, "set aside": 1}
    pipeline.drain()
    assert rows(pipeline) == 11


def test_the_stream_is_trimmed(stuck: tuple[Pipeline, Plan]) -> None:
    pipeline, plan = stuck
    originals = {item.id for item in plan.items}

    def trim() -> None:
        for identity in originals:
            pipeline.client.xdel(pipeline.queue, identity)

    apply(pipeline, plan, trim)
    pipeline.drain()
    assert rows(pipeline) == 11


def test_its_writer_writes_and_acknowledges_the_rest(stuck: tuple[Pipeline, Plan]) -> None:
    pipeline, plan = stuck
    rest = [item.id for item in plan.of(Action.DELIVER)][MIDDLE:]

    def write() -> None:
        entries = [pipeline.client.xrange(pipeline.queue, identity, identity)[0] for identity in rest]
        pipeline.write(entries)  # type: ignore[arg-type]
        pipeline.acknowledge(GROUP, rest)

    applied = apply(pipeline, plan, write)
    assert applied.counts["delivered"] == MIDDLE
    pipeline.drain()
    assert rows(pipeline) == 11


def test_the_server_is_restarted(stuck: tuple[Pipeline, Plan]) -> None:
    pipeline, plan = stuck
    with stand_in_server() as other, Pipeline(pipeline.redis_url, pipeline.home, pid=other.pid) as restarted:

        def restart() -> None:
            restarted.write_pid_file()
            restarted.configure(http_port=other.port)

        applied = apply(pipeline, plan, restart)
        assert applied.counts == {"delivered": 11, "set aside": 1}
        restarted.drain()
    assert rows(pipeline) == 11


def test_a_second_repair_begins(stuck: tuple[Pipeline, Plan]) -> None:
    pipeline, plan = stuck

    def again() -> None:
        with pytest.raises(RepairRefused, match="another repair"):
            apply(pipeline, plan)

    applied = apply(pipeline, plan, again)
    assert applied.counts == {"delivered": 11, "set aside": 1}
    pipeline.drain()
    assert rows(pipeline) == 11


def test_it_is_interrupted(stuck: tuple[Pipeline, Plan]) -> None:
    pipeline, plan = stuck

    def interrupt() -> None:
        raise KeyboardInterrupt

    assert apply(pipeline, plan, interrupt).is_interrupted
    assert len(pipeline.client.xpending_range(pipeline.queue, GROUP, "-", "+", 99)) == 12 - MIDDLE
    apply(pipeline, plan)
    pipeline.drain()
    assert rows(pipeline) == 11


@pytest.mark.slow
def test_redis_is_restarted(tmp_path: Path) -> None:
    """The plan is one of another run then; the next one goes on with what is left."""
    with Situation("valkey-9.1", tmp_path / "p", appendonly="yes") as situation, stand_in_server() as server:
        shutil.rmtree(situation.home)
        situation.client.flushall()
        with Pipeline(situation.redis.url, situation.home, pid=server.pid) as pipeline:
            pipeline.write_pid_file()
            pipeline.configure(http_port=server.port)
            FAULTS["poison-duplicate"].apply(pipeline, messages=12)
            plan = planned(pipeline)
            with pytest.MonkeyPatch.context() as during, pytest.raises(SourceError):
                during.setattr(applying, "MOST_TOGETHER", MIDDLE)
                apply(pipeline, plan, situation.redis.restart)
            with pytest.raises(RepairRefused, match="restarted since") as refused:
                apply(pipeline, plan)
            assert "another plan, which goes on with what is left" in refused.value.hint
            rest = planned(pipeline)
            assert len(rest.of(Action.DELIVER)) == 11 - MIDDLE
            apply(pipeline, rest)
            pipeline.drain()
            assert rows(pipeline) == 11
