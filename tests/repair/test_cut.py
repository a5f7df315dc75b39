"""Redis gone at any command of a repair, before it is run or answered: run again, the end is the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceError
from blueplane_doctor.repair.applying import Applier
from tests.helpers import settings_for
from tests.repair.cutting_proxy import NEVER, cutting
from tests.repair.dying import Scene, make_scene, repair
from tests.repair.pipelines import store_of

STEPS_OF_QUICK = 17
"""Every so many commands one is cut in the quick run."""


@pytest.fixture
def scene(live_pipeline: Pipeline, tmp_path: Path) -> Iterator[Scene]:
    make_scene(live_pipeline)
    yield Scene(tmp_path, live_pipeline.redis_url, live_pipeline)


def cut(scene: Scene, at: int, *, is_run: bool) -> int:
    """Apply the plan through a proxy that cuts there; how many commands came."""
    settings = settings_for(scene.pipeline)
    with cutting(scene.pipeline.redis_url, at, is_run=is_run) as proxy:
        through = settings.model_copy(update={"redis_url": proxy.url})
        try:
            Applier(through, store_of(scene.pipeline), scene.plan, write_url=proxy.url, patience=0).apply()
        except SourceError:
            assert proxy.has_cut
        else:
            assert not proxy.has_cut or proxy.commands == at + 1, "only the lock's end may fail without a word"
        return proxy.commands


def everywhere(scene: Scene, stride: int) -> int:
    """Cut at every so many commands, in both ways; how many cuts there were."""
    commands = cut(scene, NEVER, is_run=False)
    scene.pipeline.drain()
    repair(scene)
    end = scene.end()
    cuts = 0
    for at in range(0, commands, stride):
        for is_run in (False, True):
            scene.put_back()
            cut(scene, at, is_run=is_run)
            repair(scene)
            found = scene.end()
            for name, value in end.items():
                assert found[name] == value, f"cut at command {at} (run: {is_run}): {name}"
            cuts += 1
    return cuts


def test_cut_at_some_commands(scene: Scene) -> None:
    assert everywhere(scene, STEPS_OF_QUICK) >= 4


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_cut_at_every_command(scene: Scene) -> None:
    assert everywhere(scene, 1) > 60
