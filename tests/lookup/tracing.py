"""Messages traced for a test."""

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.trace import Trace, Tracer
from tests.helpers import settings_for

UUID = "0d6c8a52-3f6b-4e0e-9a83-1f6a9a0c7b11"
EVENT = "5b8d9d0e-1111-4a4a-8b8b-2c2c2c2c2c2c"


def traced(pipeline: Pipeline, *ids: str) -> list[Trace]:
    examination = Examination(settings_for(pipeline))
    try:
        return Tracer(examination).trace(list(ids))
    finally:
        examination.close()


def stages(trace: Trace) -> list[str]:
    return [hop.stage for hop in trace.hops]
