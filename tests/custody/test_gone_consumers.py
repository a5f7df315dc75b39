"""Who is gone: a silent consumer beside one that reads, unless the process of its name is a server that runs."""

import pytest

from blueplane_doctor.custody.gone_consumers import gone_consumers
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from tests.helpers import settings_for

GROUP = "processors"


def gone(pipeline: Pipeline) -> set[bytes]:
    examination = Examination(settings_for(pipeline))
    try:
        return gone_consumers(examination.ledger().pending[GROUP], pipeline.home)
    finally:
        examination.close()


@pytest.mark.server
def test_a_silent_consumer_is_gone_once_another_one_reads(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(4, at=any_pipeline.ago(minutes=2))
    any_pipeline.deliver(GROUP, consumer="consumer-4999999")
    any_pipeline.age_pending(GROUP, milliseconds=20_000, consumer="consumer-4999999")
    any_pipeline.enqueue_cursor(1)
    any_pipeline.deliver(GROUP)
    assert gone(any_pipeline) == set(), "it may be busy"
    any_pipeline.age_pending(GROUP, milliseconds=90_000, consumer="consumer-4999999")
    assert gone(any_pipeline) == {b"consumer-4999999"}
