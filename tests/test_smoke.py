"""The thinnest path through everything: a healthy pipeline on every server is green."""

from blueplane_doctor.demo.faults import healthy
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.model import Status
from tests.helpers import examined, finding


def test_a_healthy_pipeline_has_no_chain_break_on_any_server(any_pipeline: Pipeline) -> None:
    healthy(any_pipeline)
    report = examined(any_pipeline, select="chain,queue")
    assert finding(report, "chain-breaks").status is Status.GREEN
    assert report.status is Status.GREEN
