"""One monitor alone: its record of a pipeline."""

from typing import TypeVar

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.plugins.discovery import find_monitors
from blueplane_doctor.records.base import Record
from tests.helpers import settings_for

Kind = TypeVar("Kind", bound=Record)


def collected(kind: type[Kind], pipeline: Pipeline, **flags: object) -> Kind:
    """The record that this pipeline's monitor of the kind makes. Raises SourceError."""
    examination = Examination(settings_for(pipeline, **flags))
    (monitor,) = (m for m in find_monitors().values() if m.record is kind)
    try:
        record = monitor(examination).collect()
    finally:
        examination.close()
    assert isinstance(record, kind)
    return record
