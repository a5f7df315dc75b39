"""A walk through the stream of a simulated pipeline."""

from collections.abc import Callable
from contextlib import closing

from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from tests.helpers import settings_for


def ledger(pipeline: Pipeline, progress: Callable[[int, int], None] | None = None) -> Ledger:
    with closing(Examination(settings_for(pipeline), progress)) as examination:
        return examination.ledger()
