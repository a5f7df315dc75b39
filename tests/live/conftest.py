"""A pipeline whose server lives: a stand-in process answers, and Redis saves what it holds."""

from collections.abc import Iterator

import pytest

from blueplane_doctor.demo.servers import StandIn, stand_in_server
from blueplane_doctor.demo.simulator import Pipeline
from tests.live.support import has_a_server


@pytest.fixture(scope="session")
def stand_in() -> Iterator[StandIn]:
    """A process that counts as the pipeline's server and answers GET /health."""
    with stand_in_server() as server:
        yield server


@pytest.fixture
def living(pipeline: Pipeline, stand_in: StandIn) -> Iterator[Pipeline]:
    """A pipeline with nothing wrong around it, on the embedded server."""
    with has_a_server(pipeline, stand_in):
        yield pipeline


@pytest.fixture
def any_living(any_pipeline: Pipeline, stand_in: StandIn) -> Iterator[Pipeline]:
    """The same on every server."""
    with has_a_server(any_pipeline, stand_in):
        yield any_pipeline
