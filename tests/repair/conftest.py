"""A pipeline whose server lives, so that it can be repaired."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.repair.store import Store
from tests.repair.pipelines import living


@pytest.fixture
def live_pipeline(pipeline: Pipeline) -> Iterator[Pipeline]:
    with living(pipeline) as lives:
        yield lives


@pytest.fixture
def any_live_pipeline(any_pipeline: Pipeline) -> Iterator[Pipeline]:
    with living(any_pipeline) as lives:
        yield lives


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)
